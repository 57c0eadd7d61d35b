"""Extensions that earlier templates made, as records: ``tests/update/earlier/``.

``python tests/update/earlier_templates.py`` made them from the history of this repository.
"""

from __future__ import annotations

import dataclasses
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter

from q2mfa_cli.integrations import Value
from q2mfa_cli.record import Record, decode, record_path

ROOT = Path(__file__).parents[2]
EARLIER = Path(__file__).parent / "earlier"

REDIRECT: dict[str, Value] = {
    "issuer": "https://login.bank.example",
    "client_id": "q2-mfa",
    "scopes": ("openid", "profile"),
}
# By the id of the integration: the commit, the version that the record says, the answers and what was required.
# The standard factor did not yet count tries per customer.
COMMITS: dict[str, tuple[str, str, dict[str, Value], str]] = {
    "standard": ("738f3db0f4d4e46d979d8acfa3e8e60061f7b525", "0.1.0.dev2", {"factor": "totp"}, "pyotp>=2.9"),
    "redirect": ("b1ffb2186edde9069b35c26b13164b2fdcb4a924", "0.1.0.dev1", REDIRECT, "pyjwt[crypto]>=2.10"),
}


def earlier_record(integration: str, name: str = "LoginMFA") -> Record:
    """The record of an extension that an earlier template made."""
    record = decode((EARLIER / f"{integration}.json").read_bytes(), "LoginMFA")
    if name == "LoginMFA":
        return record
    files = {
        path.replace("LoginMFA", name): content.replace(b"LoginMFA", name.encode())
        for path, content in record.files.items()
    }
    return dataclasses.replace(record, answers={**record.answers, "name": name}, files=files)


def install(root: Path, record: Record, edits: Mapping[str, bytes | None] | None = None) -> None:
    """Put the extension of *record* into the workspace *root*, as ``create`` of that version did; then edit it.

    :param edits: New content by path; ``None`` deletes the file.
    """
    for path, content in {**record.files, record_path(record.name): record.encoded()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for path, edited in (edits or {}).items():
        if edited is None:
            (root / path).unlink()
        else:
            (root / path).write_bytes(edited)
    settings = root / "configuration" / "settings.py"
    settings.write_bytes(
        settings.read_bytes().replace(b"'Existing'", f"'Existing', '{record.name}'".encode())
    )
    requirements = root / "requirements.txt"
    requirements.write_bytes(
        requirements.read_bytes() + b"".join(line.encode() + b"\n" for line in record.requirements)
    )


def _render(commit: str, integration: str, variables: dict[str, Any]) -> dict[str, bytes]:
    archive = subprocess.run(
        ["git", "archive", commit, "templates"], cwd=ROOT, check=True, capture_output=True
    )
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder)
        made = Path(
            cookiecutter(
                f"{folder}/templates/{integration}", no_input=True, extra_context=variables, output_dir=folder
            )
        )
        return {
            path.relative_to(made).as_posix(): path.read_bytes()
            for path in sorted(made.rglob("*"))
            if path.is_file()
        }


if __name__ == "__main__":
    EARLIER.mkdir(exist_ok=True)
    for integration, (commit, version, own, requirement) in COMMITS.items():
        answers: dict[str, Value] = {"name": "LoginMFA", "rendering": "ssr", "mfa": integration, **own}
        variables = {
            "extension_name": "LoginMFA",
            "rendering": "ssr",
            **{key: value if isinstance(value, str) else " ".join(value) for key, value in own.items()},
        }
        files = _render(commit, integration, variables)
        answers["tecton_version"] = "1.62.0"
        record = Record(version, answers, files, requirements=(requirement,))
        (EARLIER / f"{integration}.json").write_bytes(record.encoded())
