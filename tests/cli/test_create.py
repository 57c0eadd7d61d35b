"""`q2mfa create` and `q2mfa test` on a real workspace."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from command import PROCESS, contents, q2mfa, q2mfa_process
from ruff import find_ruff_bin

from q2mfa_cli.commands.test import NO_CONFIGURATION
from q2mfa_cli.platform import FAKE_SDK
from q2mfa_cli.record import decode

# The checkout's: pip compiles what it installs, and plain Cookiecutter would copy the byte code.
TEMPLATES = Path(__file__).parents[2] / "templates"

INTEGRATIONS = ("standard", "standard --factor message", "redirect")  # what follows --mfa
VARIANTS = [(mfa, rendering) for mfa in INTEGRATIONS for rendering in ("ssr", "csr")]

# Lines that protect a token, each with a mistake that the generated tests have to find.
BREAKAGES = {
    "standard": [
        ("extension.py", "if step is not True:", "if step is None:"),
        ("customer.py", "if denied := self.change(count):", "if False:"),
        ("customer.py", 'if state["wrong"] == MAX_WRONG:', "if False:"),
        ("customer.py", 'if time.time() < state.get("until", 0):', "if False:"),
        ("customer.py", "noreply=False) is True:", "noreply=True) is True:"),
        ("factor.py", "if step is None:", "if False:"),
        ("factor.py", 'if step <= state.get("step", -1):', "if False:"),
        ("factor.py", "WINDOW_STEPS = 1", "WINDOW_STEPS = 2"),
        ("factor.py", "if len(totp.byte_secret()) >= MIN_SECRET_BYTES:", "if True:"),
    ],
    "standard --factor message": [
        ("factor.py", 'or time.time() >= state["expires"]', ""),
        ("factor.py", '            del state["code"]', "            pass"),
        ("factor.py", "if sent and now < sent[-1] + RESEND_SECONDS:", "if False:"),
        ("factor.py", "if len(sent) >= MAX_SENT:", "if False:"),
        (
            "factor.py",
            'self._digest("code", salt, json.dumps(request, default=str), code)',
            'self._digest("code", salt, code)',
        ),
        ("factor.py", 'self._digest("code", salt, json', 'self._digest("code", json'),
        ("factor.py", "if not isinstance(secret, str) or len(secret) < MIN_SECRET_CHARACTERS:", "if False:"),
        ("factor.py", 'raise Denied("not_configured", "deliver()', 'print("'),
    ],
    "redirect": [
        ("extension.py", "        await OidcClient(self).finish(", "        OidcClient(self).finish("),
        ("oidc.py", "current(first,", "current(True,"),
        ("protocol.py", 'is_same(callback.get("state"), flow["state"])', "True"),
        ("protocol.py", "claims.get(settings.IDENTITY_CLAIM) == settings.identity", "True"),
    ],
}


# The tests that notice a broken file, if their name does not say so.
TESTS_OF = {"protocol.py": "test_oidc.py"}


@pytest.mark.slow
@pytest.mark.parametrize(("mfa", "rendering"), VARIANTS)
def test_generated_tests_pass_and_fail_when_a_check_is_broken(
    mfa: str, rendering: str, workspace: Path
) -> None:
    run = q2mfa("create", "Foo", "--rendering", rendering, "--mfa", *mfa.split(), "--no-input", cwd=workspace)
    assert run.status == 0, run
    before = contents(workspace)
    tested = q2mfa_process("test", "Foo", "--", "-q", cwd=workspace)
    assert tested.status == 0, tested
    assert " passed" in tested.out and "skipped" not in tested.out
    assert contents(workspace) == before

    for file, line, broken in BREAKAGES[mfa]:
        # test_templates.py holds that the other files are the same in both renderings.
        if rendering == "csr" and file != "extension.py":
            continue
        source = workspace / "Foo" / file
        original = source.read_text()
        assert line in original
        source.write_text(original.replace(line, broken))
        tests = TESTS_OF.get(file, f"test_{file}")
        found = _output_of(workspace, f"Foo/tests/{tests}")
        assert " failed" in found, f"{line} -> {broken}\n{found}"
        source.write_text(original)


def _output_of(workspace: Path, tests: str) -> str:
    """Run one file of the generated tests, with the path of `q2mfa test` but without its checks. Return the output."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-c",
        str(NO_CONFIGURATION),
    ]
    done = subprocess.run(
        [*command, "--rootdir", ".", "--import-mode", "importlib", tests],
        cwd=workspace,
        env={**os.environ, **PROCESS, "PYTHONPATH": os.pathsep.join([str(workspace), str(FAKE_SDK)])},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 1 else f"pytest exited with {done.returncode}\n{done.stdout}"


REDIRECT_ANSWERS = [
    {},
    {
        "issuer": "http://localhost:8080/realms/a$(c)",
        "client_id": """x"y'z\\n</script>#""",
    },
    {"issuer": "https://[::1]:8443", "client_id": "a's", "scopes": "openid a'b"},
    {"client_id": '"two" and "three"'},
]


SHORT_LINES = ["protocol.py", "oidc.py", "provider.py", "test_oidc.py"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mfa", "rendering", "answers"),
    [
        *[("standard", rendering, {}) for rendering in ("ssr", "csr")],
        *[("standard", rendering, {"factor": "message"}) for rendering in ("ssr", "csr")],
        *[("redirect", rendering, given) for rendering in ("ssr", "csr") for given in REDIRECT_ANSWERS],
    ],
)
def test_plain_cookiecutter_writes_the_same_bytes(
    mfa: str, rendering: str, answers: dict[str, str], tmp_path: Path, workspace: Path
) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", str(TEMPLATES / mfa), "--no-input"),
            *("-o", str(tmp_path / "plain"), "extension_name=Foo", f"rendering={rendering}"),
            *[f"{name}={value}" for name, value in answers.items()],
        ],
        # Cookiecutter leaves rendered hooks in TMPDIR, and its answers below HOME.
        env={**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        check=True,
    )
    flags = {"factor": "--factor", "issuer": "--issuer", "client_id": "--client-id", "scopes": "--scope"}
    run = q2mfa(
        *("create", "Foo", "--rendering", rendering, "--mfa", mfa, "--no-input", "-o", tmp_path / "ours"),
        *[part for name, value in answers.items() for part in (flags[name], value)],
        cwd=workspace,
    )
    assert run.status == 0, run
    ours = contents(tmp_path / "ours")
    del ours[".q2mfa/Foo.json"]  # what `q2mfa update` needs
    assert ours == contents(tmp_path / "plain" / "workspace")


@pytest.mark.parametrize(
    "client_id",
    ["a's", '"two" and "three"', "back\\slash\\", "{{ 7 * 7 }}", "{% raw %}", "{# gone #}", "</script>"],
)
def test_configuration_holds_the_answers(client_id: str, workspace: Path) -> None:
    answers = ["--issuer", "https://[::1]:8443/a$(c)", "--client-id", client_id, "--scope", "{{x}} a'b"]
    run = q2mfa("create", "Foo", "--mfa", "redirect", "--no-input", *answers, cwd=workspace)
    assert run.status == 0, run
    values = runpy.run_path(str(workspace / "configuration" / "Foo.py"))
    assert values["ISSUER"] == "https://[::1]:8443/a$(c)"
    assert values["FEATURE"]["additionalDomains"] == ["https://[::1]:8443"]
    assert values["CLIENT_ID"] == client_id
    assert values["SCOPES"] == "openid {{x}} a'b"


def test_generated_python_is_formatted_and_lint_clean(workspace: Path) -> None:
    variants = [
        *[(mfa, rendering, "") for mfa, rendering in VARIANTS],
        *[
            ("redirect", rendering, client_id)
            for rendering in ("ssr", "csr")
            for client_id in ("it's", 'a "quote"', """it's "two" kinds""")
        ],
    ]
    paths = []
    for number, (mfa, rendering, client_id) in enumerate(variants):
        name = f"{'A' if rendering == 'ssr' else 'B' * 38}{number:02}"
        given = ["--client-id", client_id] if client_id else []
        given += ["--rendering", rendering, "--mfa", *mfa.split()]
        run = q2mfa("create", name, "--no-input", *given, cwd=workspace)
        assert run.status == 0, run
        paths += [workspace / name, workspace / "configuration" / f"{name}.py"]
    # N999 is about the package's name, which the platform writes in camel case.
    lint = ["check", "--isolated", "--no-cache", "--extend-select=B006", "--ignore=N999", "--line-length=150"]
    form = ["format", "--isolated", "--no-cache", "--check"]
    # Files without the extension's name in them are formatted for shorter lines.
    short = [path for folder in paths for path in folder.rglob("*.py") if path.name in SHORT_LINES]
    names = [f"--exclude={file}" for file in SHORT_LINES]
    assert short
    for arguments in (
        [*lint, *paths],
        [*form, "--line-length=150", *names, *paths],
        [*form, "--line-length=100", *short],
    ):
        done = subprocess.run([find_ruff_bin(), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_create_registers_the_extension_and_a_second_run_changes_nothing(workspace: Path) -> None:
    first = q2mfa("create", "Foo", "--no-input", "--format", "json", cwd=workspace)
    assert first.json["status"] == "created" and first.json["error"] is None
    (extension,) = first.json["extensions"]
    assert first.json["next_steps"][-4:] == [
        "Run the generated tests: q2mfa test Foo",
        "Try it in a browser: q2mfa preview Foo",
        "Install in the sandbox: q2 install",
        "Run: q2 run",
    ]
    assert extension["edited"] == ["configuration/settings.py", "requirements.txt"]
    assert b"('short', 'elsewhere.module'), 'Foo']" in (workspace / "configuration/settings.py").read_bytes()
    assert (workspace / "requirements.txt").read_bytes() == b"q2-sdk==2.208.1\npyotp>=2.12\n"
    before = contents(workspace)
    second = q2mfa("create", "Foo", "--no-input", "--format", "json", cwd=workspace)
    assert (second.status, second.json["status"]) == (0, "unchanged")
    assert contents(workspace) == before


def test_dry_run_writes_nothing_and_shows_the_edits(workspace: Path) -> None:
    before = contents(workspace)
    run = q2mfa("create", "Foo", "--no-input", "--dry-run", cwd=workspace)
    assert run.status == 0 and "+INSTALLED_EXTENSIONS = ['Existing'" in run.out and "+pyotp>=2.12" in run.out
    assert contents(workspace) == before


def test_edited_file_is_kept_without_force(workspace: Path) -> None:
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    mine = workspace / "Foo" / "factor.py"
    mine.write_text("mine\n")
    before = contents(workspace)
    run = q2mfa("create", "Foo", "--no-input", cwd=workspace)
    assert run.status == 1 and "Foo/factor.py" in run.err and "--force" in run.err
    assert contents(workspace) == before
    assert q2mfa("create", "Foo", "--no-input", "--force", cwd=workspace).status == 0
    assert "class Factor" in mine.read_text()


VARIANT_FLAGS = [
    [f"--rendering={rendering}", *flags]
    for rendering in ("ssr", "csr")
    for flags in (["--factor=totp"], ["--factor=message"], ["--mfa=redirect", "--client-id=x"])
]


@pytest.mark.parametrize(
    ("old", "new"), [(old, new) for old in VARIANT_FLAGS for new in (VARIANT_FLAGS[0], VARIANT_FLAGS[-1])]
)
def test_force_over_another_variant_leaves_only_files_of_the_new_variant(
    old: list[str], new: list[str], workspace: Path, tmp_path: Path
) -> None:
    fresh = ["create", "Foo", "--no-input", "--no-register"]
    assert q2mfa(*fresh, *new, "-o", tmp_path / "new", cwd=tmp_path).status == 0
    assert q2mfa("create", "Foo", "--no-input", *old, cwd=workspace).status == 0
    only_old = {path for path in contents(workspace) if path.startswith("Foo/")} - contents(
        tmp_path / "new"
    ).keys()
    run = q2mfa("create", "Foo", "--no-input", "--force", "--format=json", *new, cwd=workspace)
    (extension,) = run.json["extensions"]
    assert extension["removed"] == sorted(only_old)
    ours = {path: content for path, content in contents(workspace).items() if "Foo" in path}
    expected = contents(tmp_path / "new")
    # Only a workspace has a requirements.txt that a record can say it added to.
    for files in (ours, expected):
        record = decode(files.pop(".q2mfa/Foo.json"), "Foo")
        assert record.files == {path: expected[path] for path in record.files}
    assert ours == expected
    assert not any("Delete" in step for step in run.json["next_steps"])


def test_force_over_another_variant_keeps_and_names_its_edited_files(workspace: Path) -> None:
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    mine = workspace / "Foo" / "factor.py"
    mine.write_text("mine\n")
    before = contents(workspace)
    again = ["create", "Foo", "--no-input", "--mfa", "redirect", "--force"]
    dry = q2mfa(*again, "--dry-run", cwd=workspace)
    assert contents(workspace) == before
    run = q2mfa(*again, cwd=workspace)
    for out in (dry.out, run.out):
        assert "  - Foo/tests/test_factor.py" in out
        assert "Delete this file of another variant, unless you need it: Foo/factor.py" in out
    assert "+++ /dev/null" in dry.out
    assert mine.read_text() == "mine\n" and not (workspace / "Foo" / "tests" / "test_factor.py").exists()


def test_uneditable_settings_are_unchanged_and_the_lines_to_add_are_printed(workspace: Path) -> None:
    settings = workspace / "configuration" / "settings.py"
    settings.write_bytes(b"INSTALLED_EXTENSIONS = load()\n")
    run = q2mfa("create", "Foo", "--no-input", cwd=workspace)
    assert run.status == 0 and 'INSTALLED_EXTENSIONS.append("Foo")' in run.out
    assert settings.read_bytes() == b"INSTALLED_EXTENSIONS = load()\n"
    assert (workspace / "Foo" / "extension.py").is_file()


def test_test_command_without_an_extension_is_an_error(workspace: Path) -> None:
    run = q2mfa_process("test", "Foo", cwd=workspace)
    assert run.status == 1 and "no extension 'Foo'" in run.err


def test_issuer_host_is_whitelisted_and_the_placeholder_is_not(workspace: Path) -> None:
    settings = workspace / "configuration" / "settings.py"
    run = q2mfa("create", "Foo", "--mfa", "redirect", "--no-input", "--format", "json", cwd=workspace)
    assert run.status == 0 and b"idp.example.com" not in settings.read_bytes()
    assert any("Set ISSUER in configuration/Foo.py" in step for step in run.json["next_steps"])
    assert (workspace / "requirements.txt").read_bytes() == b"q2-sdk==2.208.1\npyjwt[crypto]>=2.12\n"
    issuer = "https://login.bank.example:8443/realms/bank"
    run = q2mfa("create", "Bar", "--mfa", "redirect", "--issuer", issuer, "--no-input", cwd=workspace)
    assert run.status == 0, run
    assert b"OUTBOUND_WHITELIST.extend(['localhost', 'login.bank.example'])" in settings.read_bytes()
    (text,) = [step for step in run.out.splitlines() if "BAR_CLIENT_SECRET" in step]
    assert "Bar/README.md" in text
