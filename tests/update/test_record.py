"""The record of an extension: who writes it, what it holds, and when it is refused."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import contents, q2mfa
from earlier_templates import EARLIER, install
from published_schemas import validator
from updating import install_earlier, new_tree, recorded, update

from q2mfa_cli import __version__
from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.record import Record, decode

RECORD = ".q2mfa/Foo.json"
CONFIGURATION = "configuration/Foo.py"
SECURITY_FILES = {
    "standard": ["extension.py", "factor.py", "customer.py"],
    "redirect": ["extension.py", "protocol.py", "oidc.py"],
}


def create(workspace: Path, *arguments: str) -> Any:
    return q2mfa("create", "Foo", "--no-input", *arguments, "--format", "json", cwd=workspace)


def test_create_writes_the_record_with_the_files(workspace: Path) -> None:
    planned = create(workspace, "--dry-run")
    assert RECORD in planned.json["extensions"][0]["created"]
    assert not (workspace / ".q2mfa").exists()
    assert RECORD in create(workspace).json["extensions"][0]["created"]
    record = recorded(workspace)
    assert record.version == __version__ and record.requirements == ("pyotp>=2.12",)
    assert record.files == new_tree() == {path: (workspace / path).read_bytes() for path in record.files}


@pytest.mark.parametrize("mfa", SECURITY_FILES)
def test_only_security_files_name_the_version_that_generated_them(mfa: str) -> None:
    """A file that names the version changes in every update."""
    named = {path: text.decode() for path, text in new_tree(mfa=mfa).items() if __version__.encode() in text}
    assert {path for path in named if path.endswith(".py")} == {f"Foo/{file}" for file in SECURITY_FILES[mfa]}
    for file in SECURITY_FILES[mfa]:
        first, second, _ = named[f"Foo/{file}"].split("\n", 2)
        assert first.startswith(f"# Made by q2mfa {__version__};") and second == ""


def test_record_matches_its_schema(workspace: Path) -> None:
    create(workspace, "--mfa", "redirect", "--issuer", "https://idp.bank.example", "--scope", "profile")
    for file in (workspace / RECORD, *EARLIER.glob("*.json")):
        validator("record").validate(json.loads(file.read_bytes()))
    assert recorded(workspace).hosts == ("idp.bank.example",)


def test_decoded_record_equals_the_encoded_one() -> None:
    answers = {"name": "Foo", "mfa": "redirect", "scopes": ("openid", "profile"), "client_id": ""}
    record = Record("9.9", answers, {"Foo/a.bin": b"\0\xff", "Foo/b.py": b""}, ("h",), ("r",), ("Foo/b.py",))
    assert decode(record.encoded(), "Foo") == record
    assert record.request().answers["client_id"] == ""


@pytest.mark.parametrize("mfa", ["standard", "redirect"])
def test_second_create_on_a_configured_extension_changes_nothing(workspace: Path, mfa: str) -> None:
    create(workspace, "--mfa", mfa)
    configuration = workspace / CONFIGURATION
    configuration.write_bytes(configuration.read_bytes() + b"# filled in\n")
    before = contents(workspace)
    again = create(workspace, "--mfa", mfa)
    assert (again.status, again.json["status"]) == (0, "unchanged")
    assert CONFIGURATION in again.json["extensions"][0]["unchanged"]
    assert contents(workspace) == before


def test_second_create_keeps_an_edited_message_factor(workspace: Path) -> None:
    create(workspace, "--factor", "message")
    factor = workspace / "Foo/factor.py"
    factor.write_bytes(factor.read_bytes() + b"# delivers\n")
    before = contents(workspace)
    assert create(workspace, "--factor", "message").json["status"] == "unchanged"
    assert contents(workspace) == before


def test_create_on_an_outdated_extension_names_update(workspace: Path) -> None:
    install_earlier(workspace, {"Foo/README.md": b"old\n"})
    before = contents(workspace)
    run = create(workspace)
    assert run.json["error"]["code"] == "behind" and "q2mfa update Foo" in run.err
    assert contents(workspace) == before
    assert create(workspace, "--force").json["status"] == "created"
    assert recorded(workspace).version == __version__
    assert create(workspace, "--force").json["status"] == "unchanged"


def test_create_with_other_answers_names_update(workspace: Path) -> None:
    create(workspace)
    before = contents(workspace)
    run = create(workspace, "--rendering", "csr")
    assert (
        run.json["error"]["code"] == "conflict" and "--answer rendering=…" in run.err and "--force" in run.err
    )
    assert "already exist" in create(workspace, "--mfa", "redirect").err
    assert contents(workspace) == before


def test_new_version_without_template_changes_changes_no_file(workspace: Path) -> None:
    """The comment says which version changed the files last."""
    install_earlier(workspace, {})
    before = contents(workspace)
    assert create(workspace).json["status"] == "unchanged"
    assert update(workspace, "--format", "json").json["status"] == "unchanged"
    assert contents(workspace) == before


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "an edited file": lambda record: record.update(
        contents=base64.b64encode(
            zlib.compress(b"x" * sum(f["size"] for f in record["files"].values()))
        ).decode()
    ),
    "half the files": lambda record: record.update(
        contents=record["contents"][: len(record["contents"]) // 8 * 4]
    ),
    "no base64": lambda record: record.update(contents="?"),
    "no answers": lambda record: record.pop("answers"),
    "another name": lambda record: record["answers"].update(name="Bar"),
    "a list for a text": lambda record: record.update(q2mfa=[1]),
    "a file of the workspace": lambda record: record["files"].update(
        {"configuration/settings.py": record["files"].pop("Foo/__init__.py")}
    ),
    "a file outside": lambda record: record["files"].update(
        {"Foo/../../outside.py": record["files"].pop("Foo/__init__.py")}
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["update", "remove", "diff", "create"])
def test_damaged_record_is_refused(workspace: Path, damage: str, command: str) -> None:
    create(workspace)
    document = json.loads((workspace / RECORD).read_bytes())
    DAMAGES[damage](document)
    (workspace / RECORD).write_text(json.dumps(document))
    before = contents(workspace)
    run = q2mfa(command, "Foo", *(["--no-input"] if command == "create" else []), cwd=workspace)
    assert run.status == 1 and f"{RECORD} is damaged" in run.err and len(run.err.splitlines()) == 2, run
    assert contents(workspace) == before
    assert "its record cannot be used" in q2mfa("list", cwd=workspace).out


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": null}'])
def test_file_that_is_not_a_record_is_refused(content: bytes) -> None:
    with pytest.raises(Q2mfaError, match="is damaged"):
        decode(content, "Foo")


def test_record_of_a_newer_version_is_refused(workspace: Path) -> None:
    record = install_earlier(workspace, {"Foo/README.md": b"newer\n"})
    document = json.loads(record.encoded())
    for change in ({"q2mfa": "99.0"}, {"format": 2}):
        (workspace / RECORD).write_text(json.dumps({**document, **change}))
        run = update(workspace)
        assert run.status == 1 and "newer than this" in run.err and "pip install --upgrade" in run.err, run


def test_update_raises_the_lower_bound_that_create_added(workspace: Path) -> None:
    record = install_earlier(workspace, {"Foo/README.md": b"old\n"})
    earlier = Record(record.version, record.answers, record.files, requirements=("pyotp>=2.9",))
    (workspace / RECORD).write_bytes(earlier.encoded())
    requirements = workspace / "requirements.txt"
    requirements.write_bytes(b"q2-sdk==2.208.1\r\npyotp>=2.9  # ours\r\npyotp-extra>=2.9\r\n")
    run = update(workspace)
    assert run.status == 0 and "pip install -r requirements.txt" in run.out, run
    assert requirements.read_bytes() == b"q2-sdk==2.208.1\r\npyotp>=2.12  # ours\r\npyotp-extra>=2.9\r\n"
    assert recorded(workspace).requirements == ("pyotp>=2.12",)


def test_update_keeps_and_names_the_owners_pin(workspace: Path) -> None:
    install_earlier(workspace, {"Foo/README.md": b"old\n"})
    (workspace / "requirements.txt").write_bytes(b"pyotp==2.9\n")
    run = update(workspace)
    assert run.status == 0 and "pyotp==2.9" in run.out and "pyotp>=2.12" in run.out, run
    assert (workspace / "requirements.txt").read_bytes() == b"pyotp==2.9\n"


def test_update_does_not_register_an_extension_that_its_owner_unregistered(workspace: Path) -> None:
    record = install_earlier(workspace, {"Foo/README.md": b"old\n"})
    settings = workspace / "configuration/settings.py"
    settings.write_bytes(settings.read_bytes().replace(f", '{record.name}'".encode(), b""))
    assert update(workspace).status == 0
    assert b"Foo" not in settings.read_bytes()


def test_update_with_new_answers_changes_files_and_settings(workspace: Path) -> None:
    q2mfa("create", "Foo", "--mfa", "redirect", "--no-input", cwd=workspace)
    run = update(workspace, "--answer", "rendering=csr", "--answer", "issuer=https://idp.bank.example")
    assert run.status == 0, run
    expected = new_tree(mfa="redirect", rendering="csr", issuer="https://idp.bank.example")
    assert recorded(workspace).files == expected
    assert {path: (workspace / path).read_bytes() for path in expected} == expected
    assert not (workspace / "Foo/templates").exists()
    assert b"idp.bank.example" in (workspace / "configuration/settings.py").read_bytes()
    assert recorded(workspace).hosts == ("idp.bank.example",)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("rendering=xyz", "is not a valid value for rendering"),
        ("rendering", "KEY=VALUE"),
        ("redering=csr", "Did you mean rendering"),
        ("name=Bar", "cannot be renamed"),
        ("mfa=redirect", "every file would change"),
        ("issuer=https://idp.bank.example", "belongs to the redirect-based integration"),
    ],
)
def test_update_with_an_invalid_answer_is_refused(workspace: Path, answer: str, said: str) -> None:
    create(workspace)
    run = update(workspace, "--answer", answer)
    assert run.status == 2 and said in run.err, run


def test_record_of_a_second_extension_has_the_shared_requirement(workspace: Path) -> None:
    create(workspace)
    q2mfa("create", "Bar", "--no-input", cwd=workspace)
    assert recorded(workspace, "Bar").requirements == ("pyotp>=2.12",)


def test_existing_requirement_is_not_recorded_as_added(workspace: Path) -> None:
    (workspace / "requirements.txt").write_bytes(b"pyotp>=2.12\n")
    create(workspace)
    assert recorded(workspace).requirements == ()


def test_update_without_a_record_is_refused_and_names_adopt(workspace: Path) -> None:
    record = install_earlier(workspace, {"Foo/README.md": b"old\n"})
    (workspace / RECORD).unlink()
    run = update(workspace)
    assert run.status == 1 and "--adopt" in run.err
    install(workspace, record)
    assert update(workspace).status == 0
