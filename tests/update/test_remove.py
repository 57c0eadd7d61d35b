"""`q2mfa remove`: the workspace is the same as before `create`, and nothing of the owner's is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import SETTINGS, contents, q2mfa
from hypothesis import given
from hypothesis import strategies as st

from q2mfa_cli.workspace import settings_file
from q2mfa_cli.workspace.requirements_file import removed, replaced

ISSUER = ["--mfa", "redirect", "--issuer", "https://idp.bank.example"]


def create(workspace: Path, name: str, *arguments: str) -> None:
    run = q2mfa("create", name, "--no-input", *arguments, cwd=workspace)
    assert run.status == 0, run


@pytest.mark.parametrize("arguments", [[], ["--factor", "message"], ISSUER])
def test_remove_restores_the_workspace_before_create(workspace: Path, arguments: list[str]) -> None:
    before = contents(workspace)
    create(workspace, "Foo", *arguments)
    planned = q2mfa("remove", "Foo", "--dry-run", "--format", "json", cwd=workspace)
    assert planned.json["status"] == "planned"
    run = q2mfa("remove", "Foo", "--format", "json", cwd=workspace)
    assert run.status == 0 and run.json["status"] == "removed", run
    assert run.json["extensions"] == planned.json["extensions"]
    assert contents(workspace) == before


def test_remove_of_a_missing_extension_succeeds_and_changes_nothing(workspace: Path) -> None:
    """The same command finishes a removal that was killed at any moment."""
    before = contents(workspace)
    run = q2mfa("remove", "Foo", "--format", "json", cwd=workspace)
    assert (run.status, run.json["status"]) == (0, "unchanged")
    assert "no such extension" in q2mfa("remove", "Foo", cwd=workspace).out
    assert contents(workspace) == before


def test_remove_deletes_a_folder_with_leftover_byte_code(workspace: Path) -> None:
    create(workspace, "Foo")
    cache = workspace / "Foo" / "install" / "__pycache__"
    cache.mkdir()
    (cache / "db_plan.cpython-311.pyc").write_bytes(b"\0")
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    assert not (workspace / "Foo").exists()


def test_edited_files_are_removed_only_with_force(workspace: Path) -> None:
    before = contents(workspace)
    create(workspace, "Foo")
    (workspace / "Foo/urls.py").write_bytes(b"mine\n")
    (workspace / "Foo/README.md").unlink()
    made = contents(workspace)
    run = q2mfa("remove", "Foo", cwd=workspace)
    assert run.status == 1 and "1 file has edits: Foo/urls.py" in run.err and "--force" in run.err
    assert contents(workspace) == made
    assert q2mfa("remove", "Foo", "--force", cwd=workspace).status == 0
    assert contents(workspace) == before


def test_remove_keeps_and_names_the_owners_files(workspace: Path) -> None:
    create(workspace, "Foo")
    (workspace / "Foo/mine.py").write_bytes(b"mine\n")
    run = q2mfa("remove", "Foo", "--force", cwd=workspace)
    assert run.status == 0 and "Your own files were kept: Foo/mine.py" in run.out
    assert [path for path in contents(workspace) if path.startswith("Foo")] == ["Foo/mine.py"]


def test_shared_requirement_and_host_stay_until_the_last_extension_is_removed(workspace: Path) -> None:
    before = contents(workspace)
    create(workspace, "Foo", *ISSUER)
    create(workspace, "Bar", *ISSUER)
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    settings = (workspace / "configuration/settings.py").read_bytes()
    assert b"idp.bank.example" in settings and b"Foo" not in settings and b"'Bar'" in settings
    assert b"pyjwt" in (workspace / "requirements.txt").read_bytes()
    assert q2mfa("remove", "Bar", cwd=workspace).status == 0
    assert contents(workspace) == before


def test_requirement_and_host_used_by_other_code_are_kept_and_named(workspace: Path) -> None:
    create(workspace, "Foo", *ISSUER)
    (workspace / "Existing/__init__.py").write_bytes(b"import jwt\nURL = 'https://idp.bank.example/x'\n")
    run = q2mfa("remove", "Foo", cwd=workspace)
    assert run.status == 0 and "still has pyjwt" in run.out and "still allows idp.bank.example" in run.out, (
        run
    )
    assert b"pyjwt" in (workspace / "requirements.txt").read_bytes()
    assert b"idp.bank.example" in (workspace / "configuration/settings.py").read_bytes()


def test_remove_keeps_the_owners_requirement(workspace: Path) -> None:
    (workspace / "requirements.txt").write_bytes(b"pyotp>=2.12\n")
    create(workspace, "Foo")
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    assert (workspace / "requirements.txt").read_bytes() == b"pyotp>=2.12\n"


def test_uneditable_settings_entry_is_kept_and_the_step_is_printed(workspace: Path) -> None:
    create(workspace, "Foo")
    settings = workspace / "configuration/settings.py"
    settings.write_bytes(b'INSTALLED_EXTENSIONS = sorted(["Foo", "Bar"])\n')
    run = q2mfa("remove", "Foo", cwd=workspace)
    assert run.status == 0 and 'Remove "Foo" from INSTALLED_EXTENSIONS' in run.out and "line 1" in run.out
    assert settings.read_bytes() == b'INSTALLED_EXTENSIONS = sorted(["Foo", "Bar"])\n'


def test_repeated_remove_finishes_a_killed_removal(workspace: Path) -> None:
    """The record goes last. See tests/resilience for a kill at any call."""
    before = contents(workspace)
    create(workspace, "Foo")
    (workspace / "Foo/urls.py").unlink()
    (workspace / "configuration/settings.py").write_bytes(SETTINGS)
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    assert contents(workspace) == before


def test_removed_extension_can_be_created_again_with_another_integration(workspace: Path) -> None:
    create(workspace, "Foo")
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    create(workspace, "Foo", "--mfa", "redirect")
    assert q2mfa("list", cwd=workspace).out.splitlines()[1].split()[:2] == ["Foo", "redirect"]


NAME = "INSTALLED_EXTENSIONS"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"X = ['A', 'Foo']\n", b"X = ['A']\n"),
        (b"X = ['Foo', 'A']\n", b"X = ['A']\n"),
        (b"X = ['Foo']\n", b"X = []\n"),
        (b"X = ['Foo',]\n", b"X = []\n"),
        (b"X = ['A', 'Foo',]  # all\n", b"X = ['A',]  # all\n"),
        (b"X = [\n    'A',  # the first\n    'Foo',  # mine\n]\n", b"X = [\n    'A',  # the first\n]\n"),
        (b"X = [\r\n    'A',\r\n    'Foo'\r\n]\r\n", b"X = [\r\n    'A'\r\n]\r\n"),
        (b"X = [\n    'Foo',\n    'A',\n]\n", b"X = [\n    'A',\n]\n"),
        (b"X = ['A',  # the first\n     'Foo']\n", b"X = ['A',  # the first\n     ]\n"),
        (b"X = ['A']\nX.append('Foo')  # mine\ny = 1\n", b"X = ['A']\ny = 1\n"),
        (b"X = ['A']\nX.extend(['Foo'])", b"X = ['A']\n"),
        (b"X = ['A']\nX += ['Foo', 'B']\n", b"X = ['A']\nX += ['B']\n"),
        (b"X = ['Foo']\nX += ['Foo']\n", b"X = []\n"),
        ("X = ['é', 'Foo']\n".encode("utf-8-sig"), "X = ['é']\n".encode("utf-8-sig")),
    ],
)
def test_removed_list_entry_leaves_every_other_byte_unchanged(before: bytes, after: bytes) -> None:
    before, after = (text.replace(b"X", NAME.encode()) for text in (before, after))
    assert settings_file.without(before, NAME, "Foo") == after


@pytest.mark.parametrize(
    "text", [b"X = ['A', ('Foo')]\n", b"X = [('Foo', 'module')]\n", b"X = f(['Foo'])\n", b"X = ["]
)
def test_list_entry_of_an_unknown_shape_is_not_editable(text: bytes) -> None:
    with pytest.raises(settings_file.NotEditable):
        settings_file.without(text.replace(b"X", NAME.encode()), NAME, "Foo")


ENTRY = st.sampled_from(["'A'", '"B"', "('C', 'c.d')"])
LAYOUT = st.sampled_from(
    [
        ("[", ", ", "]"),
        ("[\n    ", ",\n    ", "\n]"),
        ("[\n    ", ",  # why\n    ", ",\n]"),
        ("[", ",\n ", "]"),
    ]
)


@given(st.lists(ENTRY, max_size=4), LAYOUT, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "Y = 1\n"]))
def test_removal_of_an_added_list_entry_restores_arbitrary_settings(
    entries: list[str], layout: tuple[str, str, str], newline: str, rest: str
) -> None:
    start, between, end = layout if entries else ("[", "", "]")
    text = f"{NAME} = {start}{between.join(entries)}{end}\n{rest}".replace("\n", newline).encode()
    added = settings_file.register(text, ["Foo"])
    assert settings_file.without(added, NAME, "Foo") == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\npyotp>=2.9\nb\n", b"a\nb\n"),
        (b"a\r\npyotp>=2.9\r\n", b"a\r\n"),
        (b"a\npyotp>=2.9", b"a\n"),
        (b"a\npyotp>=2.9  # ours\n", b"a\n"),
        (b"pyotp>=2.9,<3\n# pyotp>=2.9\npyotp>=2.90\n", b"pyotp>=2.9,<3\n# pyotp>=2.9\npyotp>=2.90\n"),
    ],
)
def test_only_the_exact_requirement_line_is_removed(before: bytes, after: bytes) -> None:
    assert removed(before, "pyotp>=2.9") == after


def test_only_the_exact_requirement_line_is_replaced() -> None:
    before = b"pyotp>=2.9,<3\npyotp>=2.9 # ours\r\npyotp>=2.9\n"
    assert replaced(before, "pyotp>=2.9", "x") == b"pyotp>=2.9,<3\nx # ours\r\nx\n"
