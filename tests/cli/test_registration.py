"""How the workspace's own files change when an extension is added, and when they are not edited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import Run, contents, q2mfa, q2mfa_process

ISSUER = "https://login.bank.example"


def create(workspace: Path, *arguments: str) -> str:
    run = q2mfa("create", "Foo", "--no-input", *arguments, cwd=workspace)
    assert run.status == 0, run
    return run.out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"q2-sdk==2.208.1\n", b"q2-sdk==2.208.1\npyjwt[crypto]>=2.12\n"),
        (b"q2-sdk==2.208.1", b"q2-sdk==2.208.1\npyjwt[crypto]>=2.12"),
        (b"# ours\r\nq2-sdk\r\n", b"# ours\r\nq2-sdk\r\npyjwt[crypto]>=2.12\r\n"),
        (b"", b"pyjwt[crypto]>=2.12\n"),
        (b"PyJWT == 2.13  # pinned\n", b"PyJWT == 2.13  # pinned\npyjwt[crypto]>=2.12\n"),
        (b"PyJWT[Crypto] == 2.13  # pinned\n", b"PyJWT[Crypto] == 2.13  # pinned\n"),
        (b"# pyjwt[crypto]\n", b"# pyjwt[crypto]\npyjwt[crypto]>=2.12\n"),
        (b"pyjwt-crypto[crypto]\n", b"pyjwt-crypto[crypto]\npyjwt[crypto]>=2.12\n"),
    ],
)
def test_requirement_is_added_once(before: bytes, after: bytes, workspace: Path) -> None:
    requirements = workspace / "requirements.txt"
    requirements.write_bytes(before)
    create(workspace, "--mfa", "redirect")
    assert requirements.read_bytes() == after


def test_missing_requirements_file_is_created(workspace: Path) -> None:
    (workspace / "requirements.txt").unlink()
    assert "+ requirements.txt" in create(workspace)
    assert (workspace / "requirements.txt").read_bytes() == b"pyotp>=2.12\n"


def test_utf_16_requirements_file_is_unchanged_and_the_line_to_add_is_printed(workspace: Path) -> None:
    requirements = workspace / "requirements.txt"
    requirements.write_bytes("q2-sdk\n".encode("utf-16"))
    out = create(workspace)
    assert requirements.read_bytes() == "q2-sdk\n".encode("utf-16")
    assert "Add to requirements.txt" in out and "pyotp>=2.12" in out


@pytest.mark.slow
def test_older_workspace_keeps_its_line_endings_and_has_no_init_file_added(workspace: Path) -> None:
    (workspace / "configuration" / "__init__.py").unlink()
    (workspace / "configuration" / "settings.py").write_bytes(
        b"# pylint: disable=W0401,W0614\r\nfrom q2_sdk.core.default_settings import *\r\n\r\n"
        b"INSTALLED_EXTENSIONS = [\r\n    'Existing',  # the first\r\n]\r\n"
    )
    create(workspace, "--mfa", "redirect", "--issuer", ISSUER)
    assert not (workspace / "configuration" / "__init__.py").exists()
    assert (workspace / "configuration" / "settings.py").read_bytes() == (
        b"# pylint: disable=W0401,W0614\r\nfrom q2_sdk.core.default_settings import *\r\n\r\n"
        b"INSTALLED_EXTENSIONS = [\r\n    'Existing',  # the first\r\n    'Foo',\r\n]\r\n"
        b'OUTBOUND_WHITELIST.extend(["login.bank.example"])\r\n'
    )
    tested = q2mfa_process("test", "Foo", "--", "-q", cwd=workspace)
    assert tested.status == 0, tested


@pytest.mark.slow
def test_create_outside_a_workspace_prints_the_lines_and_edits_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    folder.mkdir()
    (folder / "requirements.txt").write_bytes(b"theirs\n")
    run = q2mfa("create", "Foo", "--no-input", "--mfa", "redirect", "--issuer", ISSUER, "-o", ".", cwd=folder)
    assert run.status == 0, run
    assert {path.partition("/")[0] for path in contents(folder)} == {
        ".q2mfa",
        "Foo",
        "configuration",
        "requirements.txt",
    }
    assert (folder / "requirements.txt").read_bytes() == b"theirs\n"
    for line in (
        'INSTALLED_EXTENSIONS.append("Foo")',
        'OUTBOUND_WHITELIST.append("login.bank.example")',
        "pyjwt[crypto]>=2.12",
    ):
        assert line in run.out
    assert q2mfa_process("test", "Foo", "--", "-q", cwd=folder).status == 0


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["Foo", "--no-input"], ""),
        (["Foo", "--no-input", "--dry-run"], ""),
        (["my-mfa"], "1\n1\n3\n1\n"),
        ([], "Foo\n1\n1\n3\n1\n"),
        (["--answers", "-"], "name: Foo\n"),
    ],
)
def test_script_outside_a_workspace_has_to_name_the_folder(
    arguments: list[str], stdin: str, tmp_path: Path
) -> None:
    run = q2mfa("create", *arguments, cwd=tmp_path, stdin=stdin)
    assert (run.status, run.out) == (2, "")
    assert run.err == (
        "Error: This is not a Q2 SDK workspace: neither this folder nor one above it has configuration/settings.py.\n"
        "Go to your workspace, or pass a folder with -o (-o . for this one).\n"
    )
    assert not contents(tmp_path)


def test_create_with_no_register_leaves_settings_unchanged(workspace: Path) -> None:
    settings = workspace / "configuration" / "settings.py"
    before = settings.read_bytes()
    out = create(workspace, "--no-register")
    assert settings.read_bytes() == before
    assert "Add to configuration/settings.py" in out and 'INSTALLED_EXTENSIONS.append("Foo")' in out


def settings_steps(run: Run) -> list[str]:
    assert run.status == 0, run
    return [step for step in run.json["next_steps"] if step.startswith("Add to configuration/settings.py")]


REDIRECT = ["--no-input", "--mfa", "redirect", "--format", "json"]


AFTER_STEPS = """\
OUTBOUND_WHITELIST.append("idp.your-bank.com")
OUTBOUND_WHITELIST.extend(["login.bank.example"])
"""
COMPUTED_AFTER_STEPS = """\
INSTALLED_EXTENSIONS = load()
OUTBOUND_WHITELIST = load()
INSTALLED_EXTENSIONS.append("Foo")
OUTBOUND_WHITELIST.append("idp.your-bank.com")
INSTALLED_EXTENSIONS.extend(["Bar"])
OUTBOUND_WHITELIST.extend(["login.bank.example"])
"""
STAR = "from q2_sdk.core.default_settings import *\n"


@pytest.mark.parametrize(
    ("settings", "edited"),
    [
        (
            STAR + "INSTALLED_EXTENSIONS = ['A']\n",
            STAR + "INSTALLED_EXTENSIONS = ['A', 'Foo', 'Bar']\n" + AFTER_STEPS,
        ),
        ("INSTALLED_EXTENSIONS = load()\nOUTBOUND_WHITELIST = load()\n", COMPUTED_AFTER_STEPS),
    ],
)
def test_settings_stay_editable_after_the_printed_lines_are_added(
    settings: str, edited: str, workspace: Path
) -> None:
    path = workspace / "configuration" / "settings.py"
    path.write_text(settings)
    done = q2mfa("create", "Foo", *REDIRECT, cwd=workspace)
    for step in done.json["next_steps"]:
        for line in re.findall(r'[A-Z_]+\.append\("[^"]+"\)', step):
            path.write_text(path.read_text() + line + "\n")
    done = q2mfa("create", "Bar", *REDIRECT, "--issuer", ISSUER, cwd=workspace)
    assert settings_steps(done) == []
    assert path.read_text() == edited


def test_uneditable_list_does_not_prevent_the_edit_of_the_other_list(workspace: Path) -> None:
    path = workspace / "configuration" / "settings.py"
    path.write_text("INSTALLED_EXTENSIONS = ['A']\nOUTBOUND_WHITELIST = hosts()\n")
    done = q2mfa("create", "Foo", *REDIRECT, "--issuer", ISSUER, cwd=workspace)
    (step,) = settings_steps(done)
    assert step == (
        "Add to configuration/settings.py (configuration/settings.py was not changed: line 2 sets OUTBOUND_WHITELIST to "
        'something other than one list literal): OUTBOUND_WHITELIST.append("login.bank.example")'
    )
    assert path.read_text().startswith("INSTALLED_EXTENSIONS = ['A', 'Foo']\n")
    path.write_text("INSTALLED_EXTENSIONS = load()\nOUTBOUND_WHITELIST = ['a']\n")
    done = q2mfa("create", "Bar", *REDIRECT, "--issuer", ISSUER, cwd=workspace)
    (step,) = settings_steps(done)
    assert step.endswith(': INSTALLED_EXTENSIONS.append("Bar")')
    assert path.read_text().endswith("OUTBOUND_WHITELIST = ['a', 'login.bank.example']\n")
    (extension,) = done.json["extensions"]
    assert "configuration/settings.py" in extension["edited"]


def test_workspace_is_found_from_a_folder_inside(workspace: Path) -> None:
    below = workspace / "Existing" / "deep"
    below.mkdir()
    run = q2mfa("create", "Foo", "--no-input", cwd=below)
    assert run.status == 0 and (workspace / "Foo").is_dir() and not any(below.iterdir())


@pytest.mark.parametrize(
    "name", ["Existing", "existing", "SHORT", "elsewhere", "Configuration", "q2_SDK", "Tests"]
)
def test_taken_name_in_any_letter_case_is_refused(name: str, workspace: Path) -> None:
    before = contents(workspace)
    run = q2mfa("create", name, "--no-input", cwd=workspace)
    assert run.status == 2, run
    assert "is taken" in run.err or "is the name of a package" in run.err
    assert contents(workspace) == before


def test_existing_external_mfa_extension_is_replaced_only_with_force(workspace: Path) -> None:
    theirs = workspace / "Existing" / "extension.py"
    theirs.write_text("hq.set_external_mfa_token('theirs')\n")
    before = contents(workspace)
    run = q2mfa("create", "Existing", "--no-input", cwd=workspace)
    assert run.status == 1 and "Existing/extension.py" in run.err, run
    assert contents(workspace) == before
    assert q2mfa("create", "Existing", "--no-input", "--force", cwd=workspace).status == 0
    assert "ExistingHandler" in theirs.read_text()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_name_of_another_teams_extension_is_refused_before_the_menus(
    force: list[str], workspace: Path
) -> None:
    (workspace / "CreditCardSummary").mkdir()
    (workspace / "CreditCardSummary" / "extension.py").write_text("class CreditCardSummaryHandler: ...\n")
    before = contents(workspace)
    run = q2mfa("create", "CreditCardSummary", *force, cwd=workspace, stdin="1\n1\n3\n1\n")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(
        "Error: CreditCardSummary is taken: CreditCardSummary/ contains an extension that"
    )
    assert contents(workspace) == before
    run = q2mfa("create", cwd=workspace, stdin="CreditCardSummary\nFoo\n1\n1\n3\n1\n")
    assert run.status == 0 and "CreditCardSummary is taken" in run.out.partition("What type of extension")[0]


def test_leftover_byte_code_does_not_block_create(workspace: Path) -> None:
    (workspace / "Foo" / "__pycache__").mkdir(parents=True)
    (workspace / "Foo" / "__pycache__" / "urls.pyc").write_bytes(b"old")
    create(workspace)
