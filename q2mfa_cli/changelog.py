"""The security fixes in the changelog."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from q2mfa_cli.integrations import INTEGRATIONS, Integration


def security_fixes(since: str, integration: Integration) -> list[str]:
    """Return the security fixes for extensions of *integration* in versions after *since*, newest first.

    These are the entries under the ``### Security`` headings of CHANGELOG.md, which follows https://keepachangelog.com. An
    entry that starts with an integration, such as ``Standard:``, applies only to that integration.
    """
    found = []
    for version, entries in _security_entries():
        if version == since:
            break
        for entry in entries:
            label, _, rest = entry.partition(": ")
            others = {each.id.title() for each in INTEGRATIONS} - {integration.id.title()}
            if label not in others:
                found.append(f"{rest if label == integration.id.title() else entry} ({version})")
    return found


@functools.cache
def _security_entries() -> list[tuple[str, list[str]]]:
    """Return the entries by version, newest first, as in the file."""
    package = Path(__file__).resolve().parent
    # A wheel has the file inside the package. A checkout has it next to the package.
    inside = package / "CHANGELOG.md"
    text = (inside if inside.is_file() else package.parent / "CHANGELOG.md").read_text("utf-8")
    versions = re.split(r"(?m)^## +\[?([^\s\]]+).*$", text)[1:]
    return [
        (version, [entry for section in _security_sections(body) for entry in _entries(section)])
        for version, body in zip(versions[::2], versions[1::2], strict=True)
    ]


def _security_sections(body: str) -> list[str]:
    sections = re.split(r"(?m)^### +(.+?) *$", body)[1:]
    return [text for title, text in zip(sections[::2], sections[1::2], strict=True) if title == "Security"]


def _entries(section: str) -> list[str]:
    """Return the items of a Markdown list, each on one line."""
    return [" ".join(item.split()) for item in re.split(r"(?m)^- +", section)[1:]]
