"""Staging folders: they hold new content until it is in place, and old content until the transaction succeeds."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

STAGING = ".q2mfa-staging"


class Staging:
    """The staging folder of the workspace *root*, and one on each other file system that has a target.

    More than one is needed because renaming works only within a file system. If a run is killed, the next run removes the
    staging folder that it left.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.folders: list[str] = []
        self._main = os.path.join(root, STAGING)
        # Has a folder for each folder that files are removed from, so that the run after a kill knows them.
        self._emptied = os.path.join(self._main, "emptied")

    def folder_for(self, target: str) -> str:
        """Return a staging folder on the file system of *target*, which does not have to exist."""
        parent = os.path.dirname(target)
        while not os.path.isdir(parent):
            parent = os.path.dirname(parent)
        same = os.stat(parent).st_dev == os.stat(self.root).st_dev
        return self._make(self._main if same else os.path.join(parent, STAGING))

    def will_empty(self, folder: str) -> None:
        """Note that *folder*, relative to the workspace, may lose its last file."""
        self._make(self._main)
        os.makedirs(os.path.join(self._emptied, folder), exist_ok=True)

    def clean(self) -> None:
        """Remove the staging folder of a run that was killed, and the folders that lost their last file in it."""
        with suppress(OSError):
            self._remove_emptied()
        shutil.rmtree(self._main, ignore_errors=True)

    def remove(self) -> None:
        """Remove this run's staging folders, and the workspace's folders that have lost their last file.

        If the file system refuses to remove a folder, the next run removes it.
        """
        with suppress(OSError):
            # The main folder comes last, because another staging folder may be in a folder that lost its last file.
            for folder in sorted(self.folders, key=lambda folder: folder == self._main):
                if folder == self._main:
                    self._remove_emptied()
                shutil.rmtree(folder, ignore_errors=True)

    def _make(self, folder: str) -> str:
        if folder not in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
            self.folders.append(folder)
            os.mkdir(folder)
        return folder

    def _remove_emptied(self) -> None:
        for parent, names, _ in os.walk(self._emptied, topdown=False):
            for name in names:
                folder = os.path.join(self.root, os.path.relpath(os.path.join(parent, name), self._emptied))
                if os.path.isdir(folder) and not os.path.islink(folder) and not os.listdir(folder):
                    os.rmdir(folder)
