"""Add a requirement to a hand-edited ``requirements.txt``, keeping every other byte."""

from __future__ import annotations

import re


def is_editable(content: bytes) -> bool:
    """Return whether a line of ASCII can be added. UTF-16, which Windows PowerShell writes, cannot take one."""
    return b"\0" not in content


def require(content: bytes, requirement: str) -> bytes:
    """Return *content* with a line for *requirement*, unless a line has that project with its extras (PEP 508)."""
    project, extras = _project(requirement)
    for line in content.decode("utf-8", "replace").splitlines():
        present, present_extras = _project(line)
        if present == project and extras <= present_extras:
            return content
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    if content and not content.endswith((b"\n", b"\r")):
        return content + newline + requirement.encode()
    return content + requirement.encode() + newline


def _project(line: str) -> tuple[str, set[str]]:
    """Return the normalized project name (PEP 503) and the extras of a requirement line."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^]]*)\])?", line)
    if not match:
        return "", set()
    extras = {extra.strip().lower() for extra in (match[2] or "").split(",")} - {""}
    return re.sub(r"[-_.]+", "-", match[1]).lower(), extras
