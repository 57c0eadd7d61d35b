"""``q2mfa preview NAME``: try an extension in a browser."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import webbrowser
from collections.abc import Callable
from pathlib import Path

from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.masking import mask_queries
from q2mfa_cli.platform.preview.extension import use_fake_sdk
from q2mfa_cli.record import refuse_conflict_markers
from q2mfa_cli.validators import check_issuer

# The packages that the preview needs besides those of the fake SDK and of the extension. They belong to an extra of q2mfa, so the
# modules that import them are imported below, after use_fake_sdk has checked that they are installed.
NEEDED = ("pyotp", "segno", "authlib", "cachetools", "jwt")


def run_preview(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
    theme: Path | None = None,
) -> None:
    """Serve the preview until interrupted.

    :param port: UUX's port; the next two are used too. 0 chooses free ports, None the first free ones from 8642.
    :param issuer: a real provider to use instead of the embedded one, or the URL of its metadata.
    :param browser: whether to open a browser. :param say: prints a line. :param theme: a style sheet that the outlet shows over Tecton's base theme.
    :raises Q2mfaError: the extension cannot be served, or the ports are taken.
    """
    issuer = issuer and check_issuer(issuer)
    refuse_conflict_markers(workspace, name)
    use_fake_sdk(workspace, NEEDED)
    _log_to_terminal(workspace)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(workspace, name, port, issuer, browser, say, theme))
    say("Stopped.")


async def _serve(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
    theme: Path | None,
) -> None:
    from q2mfa_cli.platform.preview.serving import serving  # needs the extra, see NEEDED

    async with serving(workspace, name, port, issuer, theme) as preview:
        address = f"{name} is at {preview.url}/ (a local fake; no Q2 system is involved)."
        say("\n".join([address, *preview.notes, "Ctrl-C stops it."]))
        if browser:
            await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, f"{preview.url}/")
        await asyncio.Event().wait()


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
    # The page shows the requests, so the terminal shows errors only.
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine(workspace))
    handler.addFilter(_WithoutQueries())
    handler.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
