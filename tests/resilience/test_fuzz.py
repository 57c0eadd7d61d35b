"""Whatever it is fed: refused with a message, or files that parse, with the value intact."""

from __future__ import annotations

import ast
import json
import os
import runpy
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import yaml
from click.testing import CliRunner
from command import Run, contents, q2mfa
from hypothesis import event, example, given
from hypothesis import strategies as st
from trials import SETTINGS_PATH, plain

from q2mfa_cli.cli import main

SPECIAL = [
    *(
        "'",
        '"',
        "\\",
        "`",
        "$(id)",
        "${HOME}",
        "%s",
        "%(x)s",
        "{0}",
        "#",
        ";",
        "&",
        "|",
        "<",
        ">",
        "../",
        "/",
        "~",
    ),
    *(
        "{{ 7 * 7 }}",
        "{{",
        "}}",
        "{% raw %}",
        "{% endraw %}",
        "{%",
        "{#",
        "#}",
        "{{ cookiecutter.workspace }}",
    ),
    *("</script>", "<script>", "<!--", "]]>", '"""', "'''", "\\N{DIGIT ONE}", "\\u202e", "\\x00", " ", "  "),
    *(
        "\n",
        "\r",
        "\t",
        "\x00",
        "\x0b",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\ud800",
    ),
    *("ü", "\uff21", "\u017f", "\u212a", "銀行", "\U0001f3e6"),
]
HOSTILE = st.lists(
    st.sampled_from(SPECIAL) | st.text(max_size=6) | st.from_regex(r"[a-z]{1,6}"), max_size=5
).map("".join)
VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)
TEXT = HOSTILE | VISIBLE
# Three parts of four are acceptable, so that whole requests often are.
NAMED = st.from_regex(r"[A-Z][a-z]{2}[A-Za-z0-9_]{0,12}", fullmatch=True)
NAME = NAMED | NAMED | NAMED | HOSTILE
URL = st.from_regex(
    r"https://[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?(/[!$&()*+,;=A-Za-z0-9._~:@%-]{0,12}){0,3}", fullmatch=True
)
ISSUER = URL | URL | URL | HOSTILE.map("https://idp.example/".__add__)
CLIENT_ID = VISIBLE | VISIBLE | VISIBLE | HOSTILE
TOKENS = st.lists(VISIBLE.map(lambda text: text.translate({ord('"'): None, ord("\\"): None})), max_size=3)
SCOPE = TOKENS | TOKENS | TOKENS | st.lists(HOSTILE, max_size=3)


@contextmanager
def a_workspace() -> Iterator[Path]:
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        root = Path(folder, "workspace")
        plain(root)
        yield root


def run(*arguments: str | Path, stdin: str | bytes = "") -> Run:
    done = CliRunner().invoke(main, [*map(str, arguments)], input=stdin)
    return Run(done.exit_code, done.stdout, done.stderr)


def assert_refused(done: Run, root: Path, before: dict[str, bytes]) -> None:
    assert done.status in (1, 2), done
    lines = done.err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("Error: ") and len(done.err) < 700, done
    assert "itself failed" not in done.err, done
    # What is shown of the input is nothing that acts on a terminal or misleads a reader.
    assert all(
        unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl")
        for line in lines
        for character in line
    )
    assert contents(root.parent) == before


def assert_parses(root: Path) -> None:
    for path in root.rglob("*"):
        if path.suffix == ".py":
            ast.parse(path.read_bytes())
        elif path.suffix == ".json":
            json.loads(path.read_bytes())


def assert_holds(root: Path, name: str, issuer: str | None, client_id: str | None, scopes: list[str]) -> None:
    values = runpy.run_path(str(root / "configuration" / f"{name}.py"))
    assert values["ISSUER"] == (issuer or "https://idp.example.com")
    assert values["CLIENT_ID"] == (client_id or "")
    tokens = [token for scope in scopes for token in scope.split(" ") if token]
    assert values["SCOPES"].split(" ") == [*dict.fromkeys(["openid", *tokens])]


@given(
    NAME, ISSUER | st.none(), TEXT | st.none(), SCOPE, st.sampled_from(["ssr", "csr"]), st.sampled_from("jyt")
)
@example("Foo", None, '"', [], "ssr", "j")
@example("Foo", None, "\\", ["{{x}}", "'"], "csr", "y")
@example("Foo", "https://[::1]:1/{%", "{{ 7 * 7 }}", [], "ssr", "t")
@example("Foo", None, " {# a #} ", [], "ssr", "t")
@example("../Foo", None, "</script>", [], "ssr", "t")
def test_an_answer_is_refused_or_arrives_as_it_is(
    name: str, issuer: str | None, client_id: str | None, scopes: list[str], rendering: str, form: str
) -> None:
    answers = {"name": name, "mfa": "redirect", "rendering": rendering, "scopes": scopes}
    answers |= {
        key: value for key, value in [("issuer", issuer), ("client_id", client_id)] if value is not None
    }
    try:
        text = {"j": json.dumps, "y": yaml.safe_dump, "t": tomli_w.dumps}[form](answers)
        text.encode()
    except UnicodeEncodeError:
        # Only JSON has a way to write half a character.
        text = json.dumps(answers)
    with a_workspace() as root:
        before = contents(root.parent)
        done = run("create", "--answers", "-", "-o", root, stdin=text)
        event(f"exit {done.status}")
        if done.status:
            assert_refused(done, root, before)
            return
        assert_parses(root)
        assert_holds(root, name, issuer, client_id, scopes)
        # Nothing that was typed is anywhere else: the same extension with other values differs in one file.
        with a_workspace() as other:
            assert (
                run(
                    "create", name, "--mfa=redirect", f"--rendering={rendering}", "--no-input", "-o", other
                ).status
                == 0
            )
            ours, theirs = contents(root), contents(other)
        assert ours.keys() == theirs.keys()
        assert {path for path in ours if ours[path] != theirs[path]} <= {
            f"configuration/{name}.py",
            SETTINGS_PATH,
        }
        assert {
            path.partition("/")[0] for path in ours.keys() - {p.removeprefix("workspace/") for p in before}
        } == {
            name,
            "configuration",
        }


@given(NAMED, URL, VISIBLE, TOKENS)
def test_a_flag_means_what_the_answers_file_means(
    name: str, issuer: str, client_id: str, scopes: list[str]
) -> None:
    flags = [f"--issuer={issuer}", f"--client-id={client_id}", *(f"--scope={scope}" for scope in scopes)]
    answers = {"name": name, "mfa": "redirect", "issuer": issuer, "client_id": client_id}
    answers |= {"scopes": scopes} if scopes else {}
    with a_workspace() as by_flags, a_workspace() as by_file:
        one = run("create", "--mfa=redirect", "--no-input", "-o", by_flags, *flags, "--", name)
        other = run("create", "--answers", "-", "-o", by_file, stdin=json.dumps(answers))
        event(one.err[:60])
        assert one.status == other.status and one.err == other.err
        assert contents(by_flags) == contents(by_file)
        if not one.status:
            assert_holds(by_flags, name, issuer, client_id, scopes)


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.dates()
DOCUMENT = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "mfa", "rendering", "issuer", "client_id", "scopes", "extensions", "<<"])
            | TEXT,
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "name: Foo\n",
                "mfa: redirect\n",
                "client_id: ",
                "scopes: ",
                "extensions:\n",
                "- ",
                "  ",
                "? ",
                ": ",
                "\n",
            ),
            *(
                "&a ",
                "*a",
                "&a [*a]",
                "<<: ",
                "<<: *a\n",
                "!!python/name:os.system ",
                "!!binary aGk=",
                "!<tag:x> ",
                "!x ",
            ),
            *(
                "|\n",
                ">-\n",
                '"',
                "'",
                "[",
                "]",
                "{",
                "}",
                ",",
                "---\n",
                "...\n",
                "%YAML 1.1\n",
                "%TAG ! x\n",
                "\t",
                "#",
            ),
            *(
                "!!python/object/apply:os.mkdir [pwned]",
                "!!set {a}",
                "!!timestamp 2001-01-01",
                "0x1F",
                "1e3",
                "~",
                "yes",
            ),
        ]
    )
    | TEXT,
    max_size=12,
).map("".join)


# Valid but for a value or two.
NEARLY = st.fixed_dictionaries(
    {"name": st.just("Foo")},
    optional={
        "mfa": st.just("redirect") | LEAF,
        "rendering": st.sampled_from(["ssr", "csr"]) | TEXT,
        "scopes": SCOPE | DOCUMENT,
        "client-id": CLIENT_ID | LEAF,
    },
)


@given(
    NEARLY.map(yaml.dump)
    | DOCUMENT.map(lambda document: json.dumps(document, default=str))
    | DOCUMENT.map(yaml.dump)
    | YAML_PIECES
    | st.text()
    | st.binary()
)
@example("name: !!python/object/apply:os.mkdir [pwned]")
@example("name: &a Foo\nclient_id: *a")
@example('{"name": "Foo", "name": "Bar"}')
@example("name: Foo\nname: Bar")
@example("name: Foo\n---\nname: Bar")
def test_an_answers_file_is_refused_or_understood(document: str | bytes) -> None:
    stdin = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    with a_workspace() as root:
        before = contents(root.parent)
        done = run("create", "--answers", "-", "-o", root, stdin=stdin)
        event(f"exit {done.status}")
        if done.status:
            assert_refused(done, root, before)
        else:
            assert_parses(root)
            after = contents(root.parent)
            assert {path for path in before if before[path] != after[path]} <= {
                f"workspace/{SETTINGS_PATH}",
                "workspace/requirements.txt",
            }


@pytest.mark.parametrize(
    "document",
    [
        '{"name": "' + "M" * 2_000_000 + '"}',
        '{"name": "Foo", "mfa": "redirect", "client_id": "' + "M" * 2_000_000 + '"}',
        '{"name": "Foo", "mfa": "redirect", "scopes": ["' + " ".join(map(str, range(300_000))) + '"]}',
        '{"name": "Foo", "mfa": "redirect", "issuer": "https://' + "a" * 2_000_000 + '"}',
        '{"name": "Foo", "' + "k" * 2_000_000 + '": 1}',
        "name: " + "M" * 1_000_000,
        "name: [" + "[" * 500_000,
        "name: " + "{a: " * 100_000,
        "name: " + "- " * 100_000,
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
        '{"name": ' + "[" * 500_000 + "]" * 500_000 + "}",
        "name = " + "[" * 500_000,
        "extensions: [" + "{name: A}," * 100_000 + "]",
        '{"name": ' + "9" * 1_000_000 + "}",
    ],
    ids=range(14),
)
def test_a_monstrous_answers_file_is_refused_before_anybody_gets_bored(
    document: str, workspace: Path
) -> None:
    before = contents(workspace.parent)
    done = q2mfa("create", "--answers", "-", "-o", workspace, cwd=workspace.parent, stdin=document)
    assert_refused(done, workspace, before)


def test_monstrous_flags_are_refused(workspace: Path) -> None:
    before = contents(workspace.parent)
    for flag in ("--client-id", "--issuer", "--scope", "--rendering", "--mfa", "--answers"):
        for value in ("M" * 120_000, "\x1b[31m\u202e\u200b"):
            done = q2mfa("create", "Foo", "--no-input", "--mfa", "redirect", flag, value, cwd=workspace)
            assert_refused(done, workspace, before)
    for nonsense in (
        ["--" + "n" * 120_000],
        ["--\x1b[31m\u202e"],
        ["Foo", "\x1b[31m\u202e" * 9_000],
        ["Foo", "--no-input", "-o", "M" * 120_000],
        ["-\u202e"],
    ):
        assert_refused(q2mfa("create", "Foo", *nonsense, cwd=workspace), workspace, before)


# --- settings.py. The lists that the platform's defaults bring are there before its first line.

NAMES = ["INSTALLED_EXTENSIONS", "OUTBOUND_WHITELIST"]
STATEMENT = st.sampled_from(
    [
        "{v} = ['A', 'B']",
        "{v} = [\n    'A',\n    'B'  # b, ]\n]",
        '{v}: list = ["A",]',
        "{v} = []",
        "{v} = ['A'] + ['B']",
        "{v} = list(('A',))",
        "{v} += ['C']",
        "{v} += OTHER",
        "{v} = {v} + ['D']",
        "{v} = {v}[:1]",
        "{v}.extend(['E'])",
        "{v}.extend(OTHER)",
        "{v}.append('F')",
        "{v}.append('Foo')",
        "{v} += ['idp.bank.example', ('Foo', 'Foo.extension')]",
        "{v}.remove({v}[0])",
        "{v}.clear()",
        "{v}.insert(0, 'G')",
        "{v}.sort(key=str)",
        "{v}[:] = ['H']",
        "{v}[0:0] = ['I']",
        "del {v}[:]",
        "ALIAS = {v}",
        "ALIAS = {v}\nALIAS.clear()",
        "(ALIAS := {v}).clear()",
        "def f(x={v}):\n    x.clear()\nf()",
        "[{v}.clear() for _ in 'x']",
        "for {v} in [['J']]:\n    pass",
        "{v}, OTHER = ['K'], []",
        "if OTHER:\n    {v} = ['L']\nelse:\n    {v} += ['M']",
        "if not OTHER:\n    {v} = []",
        "try:\n    {v} = ['N']\nfinally:\n    pass",
        "with open('/dev/null') as {v}:\n    pass\n{v} = ['O']",
        "def f():\n    global {v}\n    {v} = []\nf()",
        "def f():\n    {v} = []\nf()",
        "class C:\n    {v} = ['P']",
        "from string import *",
        "import os as {v}\n{v} = ['Q']",
        "{v} = ['R']; {v} += ['S']",
        "{v} = ['T'] if OTHER else ['U']",
        "{v} = OTHER = ['V']",
        "{v} = [*OTHER, 'W']",
        "{v} = ['Foo']",
        "{v} = [('Foo')]",
        "{v} = ['idp.bank.example']",
        "{v} = ['''X''' 'Y']",
        "{v} = ['\\N{{DIGIT ONE}}', r'\\d', '\\d']",
        "print({v}, end='')",
        "OTHER = ['Z']",
        "X = 'é'",
        "# {v} = ['comment']",
        "'''\n{v} = ['text']\n'''",
        "{v} = (['A'])",
        "{v} = (\n    ['A',\n     'B'])",
        "{v} = \\\n    ['A']",
        "{v}.extend(  [  'A' ]  )",
        "\f{v} = ['A']",
        "",
    ]
)


@st.composite
def settings_files(draw: st.DrawFn) -> bytes:
    statements = draw(st.lists(st.tuples(STATEMENT, st.sampled_from(NAMES)), min_size=1, max_size=6))
    lines = [statement.format(v=variable) for statement, variable in statements]
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "", "\n\n", "  # end"]))
    start = draw(st.sampled_from(["from q2_sdk.core.default_settings import *\n", "# c\n", ""]))
    content = (start + text).replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"]))).encode()
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"# -*- coding: utf-8 -*-\n"])) + content


def executed(settings: bytes) -> dict[str, Any] | None:
    """The names that this settings.py sets, or ``None`` where Python refuses it."""
    source = settings.replace(b"from q2_sdk.core.default_settings import *", b"OTHER = []")
    namespace: dict[str, Any] = {"INSTALLED_EXTENSIONS": [], "OUTBOUND_WHITELIST": [], "OTHER": []}
    try:
        exec(compile(source, "settings.py", "exec"), namespace)  # noqa: S102 - the statements above
    except Exception:  # noqa: BLE001 - what its author wrote
        return None
    return {key: value for key, value in namespace.items() if key in [*NAMES, "OTHER", "X"]}


@pytest.mark.filterwarnings("ignore")
@given(settings_files())
def test_whatever_settings_do_the_extension_is_in_them_or_its_owner_is_told(settings: bytes) -> None:
    with a_workspace() as root:
        (root / SETTINGS_PATH).write_bytes(settings)
        flags = ["--mfa=redirect", "--issuer=https://idp.bank.example", "--no-input", "--format=json"]
        done = run("create", "Foo", *flags, "-o", root)
        event(f"exit {done.status}")
        if done.status:
            # An entry of that name is there already.
            assert done.status == 2 and "Foo is taken" in done.err, done
            assert b"Foo" in settings and (root / SETTINGS_PATH).read_bytes() == settings
            return
        edited = (root / SETTINGS_PATH).read_bytes()
        told = [step for step in done.json["next_steps"] if step.startswith(f"Add to {SETTINGS_PATH}")]
        before, after = executed(settings), executed(edited)
        if told:
            assert edited == settings
            assert (
                'INSTALLED_EXTENSIONS.append("Foo")' in told[0] and '.append("idp.bank.example")' in told[0]
            )
        elif before is not None:
            assert after is not None
            for variable, entry in zip(NAMES, ("Foo", "idp.bank.example"), strict=True):
                assert entry in after[variable], edited
                new = list(after[variable])
                if entry not in before[variable]:
                    new.remove(entry)
                assert new == before[variable], edited
            assert {key: before[key] for key in before.keys() - NAMES} == {
                key: after[key] for key in after.keys() - NAMES
            }


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@example(b"INSTALLED_EXTENSIONS = ['A']\n\x00")
@example(b"INSTALLED_EXTENSIONS = " + b"(" * 150 + b"[]" + b")" * 150)
@example(b"INSTALLED_EXTENSIONS = ['A']\nX = " + b"-" * 3000 + b"1")
@example(b"INSTALLED_EXTENSIONS = ['A']\nX = " + b"[" * 90 + b"]" * 90)
@example(b"INSTALLED_EXTENSIONS = ['A']\nX = a" + b".b" * 3000)
@example(b"INSTALLED_EXTENSIONS = ['A']\n" + b"if x:\n  pass\nel" * 900 + b"se: pass\n")
def test_any_bytes_are_left_alone_or_edited_in_one_place(settings: bytes) -> None:
    with a_workspace() as root:
        (root / SETTINGS_PATH).write_bytes(settings)
        done = run("create", "Foo", "--no-input", "--format=json", "-o", root)
        assert done.status == 0, done
        edited = (root / SETTINGS_PATH).read_bytes()
        if edited != settings:
            compile(edited, "settings.py", "exec", ast.PyCF_ONLY_AST)
            rest = iter(edited)
            assert all(byte in rest for byte in settings)
        else:
            assert 'INSTALLED_EXTENSIONS.append("Foo")' in done.out.replace('\\"', '"')
