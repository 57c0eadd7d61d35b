"""Write a report to a file."""

from __future__ import annotations

from pathlib import Path

from q2mfa_cli.errors import Q2mfaError, shown


def write_file(file: Path, text: str) -> None:
    """Write *text* to *file*, all of it or nothing.

    :raises Q2mfaError: it cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(text, "utf-8", newline="\n")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Q2mfaError(
            f"{shown(str(file))} cannot be written: {error.strerror}.",
            "Choose another file.",
            "cannot_write",
        ) from error
