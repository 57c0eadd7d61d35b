"""Answers files and flags with arbitrary content: an error, or files that parse and hold the values."""

from __future__ import annotations

import ast
import json
import runpy
from pathlib import Path

import pytest
import tomli_w
import yaml
from command import contents, q2mfa
from hypothesis import event, example, given
from hypothesis import strategies as st
from small_workspaces import SETTINGS_PATH, assert_refused, run, temporary_workspace

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
# Three of four values are valid, so that whole requests often are.
NAMED = st.from_regex(r"[A-Z][a-z]{2}[A-Za-z0-9_]{0,12}", fullmatch=True)
NAME = NAMED | NAMED | NAMED | HOSTILE
URL = st.from_regex(
    r"https://[a-z0-9.-]{1,20}(:[1-9][0-9]{0,3})?(/[!$&()*+,;=A-Za-z0-9._~:@%-]{0,12}){0,3}", fullmatch=True
)
ISSUER = URL | URL | URL | HOSTILE.map("https://idp.example/".__add__)
CLIENT_ID = VISIBLE | VISIBLE | VISIBLE | HOSTILE
TOKENS = st.lists(VISIBLE.map(lambda text: text.translate({ord('"'): None, ord("\\"): None})), max_size=3)
SCOPE = TOKENS | TOKENS | TOKENS | st.lists(HOSTILE, max_size=3)


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
def test_arbitrary_answers_are_refused_or_written_unchanged(
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
        # Only JSON can hold half of a surrogate pair.
        text = json.dumps(answers)
    with temporary_workspace() as root:
        before = contents(root.parent)
        done = run("create", "--answers", "-", "-o", root, stdin=text)
        event(f"exit {done.status}")
        if done.status:
            assert_refused(done, root, before)
            return
        assert_parses(root)
        assert_holds(root, name, issuer, client_id, scopes)
        # The values are nowhere else: the same extension with other values differs in one file, and its record.
        with temporary_workspace() as other:
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
            f".q2mfa/{name}.json",
            SETTINGS_PATH,
        }
        assert {
            path.partition("/")[0] for path in ours.keys() - {p.removeprefix("workspace/") for p in before}
        } == {
            ".q2mfa",
            name,
            "configuration",
        }


@given(NAMED, URL, VISIBLE, TOKENS)
def test_flags_and_an_answers_file_create_the_same_files(
    name: str, issuer: str, client_id: str, scopes: list[str]
) -> None:
    flags = [f"--issuer={issuer}", f"--client-id={client_id}", *(f"--scope={scope}" for scope in scopes)]
    answers = {"name": name, "mfa": "redirect", "issuer": issuer, "client_id": client_id}
    answers |= {"scopes": scopes} if scopes else {}
    with temporary_workspace() as by_flags, temporary_workspace() as by_file:
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


# Valid except for a value or two.
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
def test_arbitrary_answers_file_is_refused_or_creates_valid_files(document: str | bytes) -> None:
    stdin = document.encode("utf-8", "surrogatepass") if isinstance(document, str) else document
    with temporary_workspace() as root:
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
def test_huge_answers_file_is_refused(document: str, workspace: Path) -> None:
    before = contents(workspace.parent)
    done = q2mfa("create", "--answers", "-", "-o", workspace, cwd=workspace.parent, stdin=document)
    assert_refused(done, workspace, before)


def test_huge_flags_and_flags_with_control_characters_are_refused(workspace: Path) -> None:
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
