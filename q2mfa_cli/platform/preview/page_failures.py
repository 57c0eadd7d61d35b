"""Failures in the extension's page, as reported by the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from q2mfa_cli.platform.failures import Failure, in_file
from q2mfa_cli.platform.preview.extension import Extension

FRAMES = 20


def page_failure(report: dict[str, Any], extension: Extension, origin: str) -> Failure:
    """Return the failure that a page reports.

    :param report: ``{"kind", "message", "url", "line", "frames"}``, from ``static/report.js``. It is not trusted.
    :param origin: the extension's origin, with a slash at the end.
    """
    kind, message, url = (str(report.get(key) or "")[:2000] for key in ("kind", "message", "url"))
    message = " ".join(message.split()) or "an error without a message"
    given = report.get("line")
    line = given if isinstance(given, int) and 0 < given < 10**6 else 0
    frames = report.get("frames")
    shown = tuple(
        str(frame)[:300].replace(origin, "")
        for frame in (frames if isinstance(frames, list) else [])[:FRAMES]
    )
    file = _asset(url, extension, origin)
    if file is not None and line:
        return in_file(file, line, extension.workspace, "the page", kind, message, shown)
    return Failure("the page", kind, message, url.removeprefix(origin), line, (), shown)


def _asset(url: str, extension: Extension, origin: str) -> Path | None:
    """Return the asset of the extension that is served at *url*; None if there is none."""
    prefix = f"{origin}assets/{extension.name}/"
    if not url.startswith(prefix):
        return None
    path = unquote(urlsplit(url).path).removeprefix(f"/assets/{extension.name}/")
    file = extension.assets.joinpath(path)
    try:
        inside = file.resolve().is_relative_to(extension.assets.resolve()) and file.is_file()
    except (OSError, ValueError):
        return None
    return file if inside else None
