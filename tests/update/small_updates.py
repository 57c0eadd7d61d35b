"""Folders in memory, and the result of a merge by git."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_folder() -> Iterator[Path]:
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


def git_merge(folder: Path, base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The result of `git merge-file`; ``None`` for a conflict."""
    for name, text in {"base": base, "ours": ours, "theirs": theirs}.items():
        (folder / name).write_bytes(text)
    done = subprocess.run(
        ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode >= 0 and not done.stderr, done.stderr
    return done.stdout if done.returncode == 0 else None
