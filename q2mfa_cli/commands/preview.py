"""``q2mfa preview NAME``: try an extension in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.integrations import REDIRECT, generated_integration
from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.masking import mask_queries
from q2mfa_cli.platform.preview.extension import use_fake_sdk
from q2mfa_cli.record import refuse_conflict_markers
from q2mfa_cli.validators import check_issuer
from q2mfa_cli.workspace.installed import extension_folder

if TYPE_CHECKING:
    from q2mfa_cli.platform.preview.run_recorder import RunRecorder  # needs the extra, see NEEDED
    from q2mfa_cli.platform.preview.serving import Preview  # needs the extra, see NEEDED

# What the preview needs, beside the fake SDK and what the extension itself imports. These packages are an extra of q2mfa: the modules that
# import them are imported below, after use_fake_sdk has checked that they are installed.
NEEDED = ("pyotp", "segno", "authlib", "cachetools", "jwt")


def run_preview(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
    theme: Path | None = None,
    record: bool = False,
) -> None:
    """Serve until interrupted.

    :param port: UUX's; the following two are used too. 0 takes any free ones, None the first free ones from 8642.
    :param issuer: a real provider to use instead of the embedded one, or the address of its metadata.
    :param browser: whether to open a browser. :param say: prints a line. :param theme: a style sheet that the outlet shows over Tecton's base theme.
    :param record: whether to write the extension's ``prove.py`` from the first run that completes MFA.
    :raises Q2mfaError: the extension cannot be served, or the ports are taken.
    """
    issuer = issuer and check_issuer(issuer)
    refuse_conflict_markers(workspace, name)
    if record:
        _refuse_recording(workspace, name)
    use_fake_sdk(workspace, NEEDED)
    _log_to_terminal(workspace)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(workspace, name, port, issuer, browser, say, theme, record))
    say("Stopped.")


async def _serve(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
    theme: Path | None,
    record: bool,
) -> None:
    from q2mfa_cli.platform.preview.serving import serving  # needs the extra, see NEEDED

    async with serving(workspace, name, port, issuer, theme, record) as preview:
        address = f"{name} is at {preview.url}/ (a local fake; no Q2 system is involved)."
        recorder = _recorder(preview, say) if record else None
        notes = [*preview.notes, *([recorder.note] if recorder else [])]
        say("\n".join([address, *notes, "Ctrl-C stops it."]))
        if browser:
            await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, f"{preview.url}/")
        await asyncio.Event().wait()


def _refuse_recording(workspace: Path, name: str) -> None:
    """:raises UsageError: there is a script already, or none is needed."""
    folder = extension_folder(workspace, name)
    if generated_integration(folder) is REDIRECT:
        raise UsageError(
            f"{shown(name)} needs no tests/prove.py: q2mfa knows how its customers log in.",
            f"Run `q2mfa verify {name}`.",
        )
    script = folder / "tests" / "prove.py"
    if os.path.lexists(script):
        raise UsageError(
            f"{shown(name)} has a tests/prove.py already, which --record does not overwrite.",
            "Rename it, or leave out --record.",
        )


def _recorder(preview: Preview, say: Callable[[str], None]) -> RunRecorder:
    from q2mfa_cli.platform.preview.run_recorder import RunRecorder  # needs the extra, see NEEDED

    return RunRecorder(preview, say)


class _WithoutQueries(logging.Filter):
    """Masks the queries of URLs in Tornado's messages, which contain authorization codes and states."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("tornado."):
            record.msg, record.args = mask_queries(record.getMessage()), ()
        return True


class _OneLine(logging.Formatter):
    """Shows an exception as one line, with the line of the workspace where it was raised."""

    def __init__(self, workspace: Path) -> None:
        super().__init__()
        self._workspace = workspace

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        text = f"{record.levelname} {record.name}: {record.getMessage()}"
        return text if error is None else f"{text}: {failure_of(error, self._workspace, '')}"


def _log_to_terminal(workspace: Path) -> None:
    # The sequence on the page shows the requests; the terminal is for errors.
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(workspace))
    handler.addFilter(_WithoutQueries())
    handler.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
