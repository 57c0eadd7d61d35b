"""Edits of settings.py add the new entry and change no other byte."""

from __future__ import annotations

import ast
import sys
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from q2mfa_cli.workspace import settings_file
from q2mfa_cli.workspace.settings_file import NotEditable

DEFAULTS = b"from q2_sdk.core.default_settings import *\n"

REGISTERED = {
    "one line": (b"INSTALLED_EXTENSIONS = ['A', 'B']\n", b"INSTALLED_EXTENSIONS = ['A', 'B', 'New']\n"),
    "double quotes": (b'INSTALLED_EXTENSIONS = ["A"]\n', b'INSTALLED_EXTENSIONS = ["A", "New"]\n'),
    "odd spacing": (
        b"INSTALLED_EXTENSIONS=[ 'A' ,'B'  ]  # x\n",
        b"INSTALLED_EXTENSIONS=[ 'A' ,'B', 'New'  ]  # x\n",
    ),
    "trailing comma": (b"INSTALLED_EXTENSIONS = ['A',]\n", b"INSTALLED_EXTENSIONS = ['A', 'New',]\n"),
    "empty": (b"INSTALLED_EXTENSIONS = []\n", b"INSTALLED_EXTENSIONS = ['New']\n"),
    "empty, spaced": (b"INSTALLED_EXTENSIONS = [ ]\n", b"INSTALLED_EXTENSIONS = ['New' ]\n"),
    "empty over lines": (
        b"INSTALLED_EXTENSIONS = [\n]\n",
        b"INSTALLED_EXTENSIONS = [\n    'New',\n]\n",
    ),
    "empty with a comment": (
        b"INSTALLED_EXTENSIONS = [  # none, yet\n]\n",
        b"INSTALLED_EXTENSIONS = [  # none, yet\n    'New',\n]\n",
    ),
    "many lines": (
        b"INSTALLED_EXTENSIONS = [\n  'A',\n  'B',\n]\n",
        b"INSTALLED_EXTENSIONS = [\n  'A',\n  'B',\n  'New',\n]\n",
    ),
    "many lines, no last comma": (
        b"INSTALLED_EXTENSIONS = [\n\t'A',\n\t'B'  # it, [last]\n]\n",
        b"INSTALLED_EXTENSIONS = [\n\t'A',\n\t'B',  # it, [last]\n\t'New'\n]\n",
    ),
    "comment after the last": (
        b"INSTALLED_EXTENSIONS = [\n    'A',  # a\n    # 'Old',\n]\n",
        b"INSTALLED_EXTENSIONS = [\n    'A',  # a\n    'New',\n    # 'Old',\n]\n",
    ),
    "bracket on the last line": (
        b"INSTALLED_EXTENSIONS = ['A',\n                        'B']\n",
        b"INSTALLED_EXTENSIONS = ['A',\n                        'B', 'New']\n",
    ),
    "CRLF": (
        b"# x\r\nINSTALLED_EXTENSIONS = [\r\n    'A'\r\n]\r\n",
        b"# x\r\nINSTALLED_EXTENSIONS = [\r\n    'A',\r\n    'New'\r\n]\r\n",
    ),
    "no final newline": (b"INSTALLED_EXTENSIONS = ['A']", b"INSTALLED_EXTENSIONS = ['A', 'New']"),
    "tuples": (
        b"INSTALLED_EXTENSIONS = ['A', ('s', 'path.to.s')]\n",
        b"INSTALLED_EXTENSIONS = ['A', ('s', 'path.to.s'), 'New']\n",
    ),
    "parentheses": (b"INSTALLED_EXTENSIONS = [('A')]\n", b"INSTALLED_EXTENSIONS = [('A'), 'New']\n"),
    "starred": (b"INSTALLED_EXTENSIONS = [*BASE]\n", b"INSTALLED_EXTENSIONS = [*BASE, 'New']\n"),
    "added to later": (
        b"INSTALLED_EXTENSIONS = ['A']\nif DEBUG:\n    INSTALLED_EXTENSIONS += ['D']\nINSTALLED_EXTENSIONS += MORE\n",
        b"INSTALLED_EXTENSIONS = ['A', 'New']\nif DEBUG:\n    INSTALLED_EXTENSIONS += ['D']\nINSTALLED_EXTENSIONS += MORE\n",
    ),
    "only +=": (b"INSTALLED_EXTENSIONS += ['A']\n", b"INSTALLED_EXTENSIONS += ['A', 'New']\n"),
    "computed, then +=": (
        b"INSTALLED_EXTENSIONS = load()\nINSTALLED_EXTENSIONS += ['A']\n",
        b"INSTALLED_EXTENSIONS = load()\nINSTALLED_EXTENSIONS += ['A', 'New']\n",
    ),
    "annotated": (b"INSTALLED_EXTENSIONS: list = ['A']\n", b"INSTALLED_EXTENSIONS: list = ['A', 'New']\n"),
    "set twice": (
        b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS = ['B']\n",
        b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS = ['B', 'New']\n",
    ),
    "non-ASCII before it": (
        "# überweisung\nX = 'ü'; INSTALLED_EXTENSIONS = ['A']\n".encode(),
        "# überweisung\nX = 'ü'; INSTALLED_EXTENSIONS = ['A', 'New']\n".encode(),
    ),
    "byte order mark": (
        b"\xef\xbb\xbfINSTALLED_EXTENSIONS = ['A']\n",
        b"\xef\xbb\xbfINSTALLED_EXTENSIONS = ['A', 'New']\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), REGISTERED.values(), ids=REGISTERED.keys())
def test_register_appends_the_name_and_changes_nothing_else(before: bytes, after: bytes) -> None:
    assert settings_file.register(before, ["New"]) == after


@pytest.mark.parametrize(
    "settings",
    [
        b"INSTALLED_EXTENSIONS = ['New']\n",
        b"INSTALLED_EXTENSIONS = [('New', 'some.where')]\n",
        b"INSTALLED_EXTENSIONS = [('n', 'New.extension')]\n",
        b"INSTALLED_EXTENSIONS = []\nINSTALLED_EXTENSIONS += ['New']\n",
        b"INSTALLED_EXTENSIONS = []\nINSTALLED_EXTENSIONS.append('New')\n",
        b"INSTALLED_EXTENSIONS = []\nINSTALLED_EXTENSIONS.extend(['New'])\n",
    ],
)
def test_register_skips_a_listed_name(settings: bytes) -> None:
    assert settings_file.register(settings, ["New"]) == settings


def test_register_appends_several_names_in_one_edit() -> None:
    before = b"INSTALLED_EXTENSIONS = [\n    'A',\n]\n"
    after = b"INSTALLED_EXTENSIONS = [\n    'A',\n    'N1',\n    'N2',\n]\n"
    assert settings_file.register(before, ["N1", "A", "N2"]) == after


@pytest.mark.parametrize(
    "settings",
    [
        b"",
        b"INSTALLED_EXTENSIONS = load()\n",
        b"INSTALLED_EXTENSIONS = ('A', 'B')\n",
        b"INSTALLED_EXTENSIONS = ['A'] + OTHER\n",
        b"INSTALLED_EXTENSIONS = [x for x in OTHER]\n",
        b"INSTALLED_EXTENSIONS = ALSO = ['A']\n",
        b"INSTALLED_EXTENSIONS = ['A']\nALSO = INSTALLED_EXTENSIONS\n",
        b"INSTALLED_EXTENSIONS = ['A']\nif X:\n    INSTALLED_EXTENSIONS = ['B']\n",
        b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS.clear()\n",
        b"INSTALLED_EXTENSIONS = ['A']\ndel INSTALLED_EXTENSIONS\n",
        b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS[0] = 'B'\n",
        b"INSTALLED_EXTENSIONS = ['A']\nfrom x import INSTALLED_EXTENSIONS\n",
        b"INSTALLED_EXTENSIONS = ['A'\n",
        b"INSTALLED_EXTENSIONS = ['\xff']\n",
        b"# -*- coding: latin-1 -*-\nINSTALLED_EXTENSIONS = ['A']\n",
        "INSTALLED_EXTENSIONS = ['A']\n".encode("utf-16"),
        b"INSTALLED_EXTENSIONS = ['A' \\\n]\n",
        b"INSTALLED_EXTENSIONS = ['New']\nINSTALLED_EXTENSIONS = load()\n",
        b"INSTALLED_EXTENSIONS = ['A']\nfrom local_settings import *\n",
        b"INSTALLED_EXTENSIONS = ['A']\nprune(INSTALLED_EXTENSIONS)\n",
        b"INSTALLED_EXTENSIONS = ['A']\ndef f(x=INSTALLED_EXTENSIONS): x.clear()\n",
        b"INSTALLED_EXTENSIONS = ['A']\nglobals()['INSTALLED_EXTENSIONS'] = []\n",
        b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS *= 0\n",
        b"INSTALLED_EXTENSIONS = ALSO = ['A']\nINSTALLED_EXTENSIONS += ['B']\nALSO.clear()\n",
        b"INSTALLED_EXTENSIONS = ALSO\nINSTALLED_EXTENSIONS += ['B']\n",
        DEFAULTS,
        b"INSTALLED_EXTENSIONS.append('A')\nINSTALLED_EXTENSIONS = tuple(INSTALLED_EXTENSIONS)\n",
        b"INSTALLED_EXTENSIONS = load()\nif X:\n    INSTALLED_EXTENSIONS.append('A')\n",
        DEFAULTS + b"if X:\n    INSTALLED_EXTENSIONS.append('A')\nfrom local import *\n",
        DEFAULTS + b"if X:\n    INSTALLED_EXTENSIONS = load()\n    INSTALLED_EXTENSIONS.append('A')\n",
    ],
)
def test_register_refuses_a_list_that_cannot_be_edited_safely(settings: bytes) -> None:
    with pytest.raises(NotEditable):
        settings_file.register(settings, ["New"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"OUTBOUND_WHITELIST.extend(['localhost'])\n",
            b"OUTBOUND_WHITELIST.extend(['localhost', 'idp.x'])\n",
        ),
        (b"OUTBOUND_WHITELIST = ['a']\n", b"OUTBOUND_WHITELIST = ['a', 'idp.x']\n"),
        (b"OUTBOUND_WHITELIST += ['a']\n", b"OUTBOUND_WHITELIST += ['a', 'idp.x']\n"),
        (b"OUTBOUND_WHITELIST = ['idp.x']\n", b"OUTBOUND_WHITELIST = ['idp.x']\n"),
        (b"OUTBOUND_WHITELIST.append('idp.x')\n", b"OUTBOUND_WHITELIST.append('idp.x')\n"),
        (DEFAULTS, DEFAULTS + b'OUTBOUND_WHITELIST.extend(["idp.x"])\n'),
        (DEFAULTS + b"X = 1", DEFAULTS + b'X = 1\nOUTBOUND_WHITELIST.extend(["idp.x"])'),
        (
            DEFAULTS.replace(b"\n", b"\r\n"),
            DEFAULTS.replace(b"\n", b"\r\n") + b'OUTBOUND_WHITELIST.extend(["idp.x"])\r\n',
        ),
    ],
)
def test_whitelist_adds_the_host(before: bytes, after: bytes) -> None:
    assert settings_file.whitelist(before, ["idp.x"]) == after


ADDED_LAST = {
    "append": (DEFAULTS + b"{v}.append('a')\n", b'{v}.extend(["idp"])\n'),
    "append after a computed value": (b"{v} = load()\n{v}.append('a')\n", b'{v}.extend(["idp"])\n'),
    "append after another star import": (
        DEFAULTS + b"from local import *\n{v}.append('a')",
        b'\n{v}.extend(["idp"])',
    ),
    "extend by what is computed": (DEFAULTS + b"{v}.extend(more())\n", b'{v}.extend(["idp"])\n'),
    "insert": (DEFAULTS + b"{v}.insert(0, 'a')\n", b'{v}.extend(["idp"])\n'),
    "append in an if": (DEFAULTS + b"if X:\n    {v}.append('a')\n", b'{v}.extend(["idp"])\n'),
    "extend in an if": (DEFAULTS + b"if X:\n    {v}.extend(['a'])\n", b'{v}.extend(["idp"])\n'),
    "append in an else, CRLF": (
        DEFAULTS.replace(b"\n", b"\r\n") + b"if X:\r\n    pass\r\nelse:\r\n    {v}.append('a')\r\n",
        b'{v}.extend(["idp"])\r\n',
    ),
}


@pytest.mark.parametrize(("before", "added"), ADDED_LAST.values(), ids=ADDED_LAST.keys())
@pytest.mark.parametrize("variable", [b"INSTALLED_EXTENSIONS", b"OUTBOUND_WHITELIST"])
def test_list_extended_by_method_calls_gets_a_statement_at_the_end(
    before: bytes, added: bytes, variable: bytes
) -> None:
    before, added = before.replace(b"{v}", variable), added.replace(b"{v}", variable)
    add = settings_file.register if variable.startswith(b"I") else settings_file.whitelist
    assert add(before, ["idp"]) == before + added
    assert add(before + added, ["idp", "more"]) == before + added.replace(b'"idp"', b'"idp", "more"')


def test_host_appended_in_an_if_does_not_count_as_whitelisted() -> None:
    settings = DEFAULTS + b"if X:\n    OUTBOUND_WHITELIST.append('idp')\n"
    assert settings_file.whitelisted_hosts(settings) == []


VERSION = ".".join(map(str, sys.version_info[:2]))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (b"X = 1\n", "it does not set INSTALLED_EXTENSIONS"),
        (DEFAULTS, "it does not set INSTALLED_EXTENSIONS"),
        (b"X = 1\nINSTALLED_EXTENSIONS = load()\n", "line 2 sets INSTALLED_EXTENSIONS to something other"),
        (b"INSTALLED_EXTENSIONS = ('A',)\n", "line 1 sets INSTALLED_EXTENSIONS to something other"),
        (b"INSTALLED_EXTENSIONS = ['A'] + B\n", "line 1 sets INSTALLED_EXTENSIONS to something other"),
        (
            b"INSTALLED_EXTENSIONS = ['A']\n\nfrom local import *\n",
            "line 3 imports *, which may replace INSTALLED_EXTENSIONS",
        ),
        (
            b"INSTALLED_EXTENSIONS = ['A']\nif X:\n    pass\nelse:\n    prune(INSTALLED_EXTENSIONS)\n",
            "line 5 uses INSTALLED_EXTENSIONS in a way that may change or replace it",
        ),
        (b"INSTALLED_EXTENSIONS = ['A' \\\n]\n", "editing the list on line 1 would change more"),
        (
            b"INSTALLED_EXTENSIONS = [\n  'A'\n",
            f"Python {VERSION}, which runs q2mfa, cannot parse its line 1:",
        ),
        (b"X = 1\nY = = 2\n", f"Python {VERSION}, which runs q2mfa, cannot parse its line 2: invalid syntax"),
        (b"X = 1\nINSTALLED_EXTENSIONS = ['\xff']\n", "its line 2 is not UTF-8 text"),
        ("INSTALLED_EXTENSIONS = []\n".encode("utf-16"), "it is not UTF-8 text"),
        (b"# coding: latin-1\n", "it is declared to be iso-8859-1, not UTF-8"),
    ],
)
def test_refusal_names_the_statement_that_prevents_editing(settings: bytes, reason: str) -> None:
    with pytest.raises(NotEditable) as caught:
        settings_file.register(settings, ["New"])
    assert str(caught.value).startswith(reason)


def test_register_adds_a_name_that_a_later_statement_drops() -> None:
    settings = b"INSTALLED_EXTENSIONS = ['New']\nINSTALLED_EXTENSIONS = ['A']\n"
    assert settings_file.register(settings, ["New"]).endswith(b"\nINSTALLED_EXTENSIONS = ['A', 'New']\n")
    assert settings_file.mentioned_names(settings) == ["New", "A"]
    assert settings_file.installed_names(settings) == ["A"]


def test_register_accepts_statements_that_only_read_the_list() -> None:
    later = b"print(len(INSTALLED_EXTENSIONS))\nfor x in INSTALLED_EXTENSIONS: pass\nif 'A' in INSTALLED_EXTENSIONS: X = 1\n"
    settings = b"INSTALLED_EXTENSIONS = ['A']\nINSTALLED_EXTENSIONS.sort()\n" + later
    assert settings_file.register(settings, ["New"]) == settings.replace(b"'A']", b"'A', 'New']")


def test_parsing_settings_prints_no_syntax_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = b"INSTALLED_EXTENSIONS = ['A']\nX = '\\d'\n"
        assert b"'New'" in settings_file.register(settings, ["New"])


@pytest.mark.parametrize(
    "settings",
    [
        b"X = 1\n",
        b"OUTBOUND_WHITELIST = hosts()\n",
        b"from q2_sdk.core.default_settings import DEBUG\n",
    ],
)
def test_whitelist_refuses_a_list_that_cannot_be_edited_safely(settings: bytes) -> None:
    with pytest.raises(NotEditable):
        settings_file.whitelist(settings, ["idp.x"])


ENTRY = st.sampled_from(["'A'", '"B"', "('s', 'm.x')", "('C')", "'ü'", "*REST", "'a#b'", "'x]'"])
GAP = st.sampled_from(["", " ", "\n", "\n    ", "  # c, ]\n", "\t", "\n\n\t# 'Old',\n"])


@given(
    entries=st.lists(st.tuples(GAP, ENTRY, GAP), max_size=5),
    last_comma=st.booleans(),
    end=GAP,
    before=st.sampled_from(["", "X = 'é'\n", "# c\n\n", "if X:\n    pass\n"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    names=st.lists(st.from_regex(r"[A-Z][a-z]{4,8}", fullmatch=True), min_size=1, max_size=3, unique=True),
)
def test_register_keeps_arbitrary_list_entries(
    entries: list[tuple[str, str, str]],
    last_comma: bool,
    end: str,
    before: str,
    newline: str,
    names: list[str],
) -> None:
    body = ",".join("".join(parts) for parts in entries) + ("," if entries and last_comma else "") + end
    settings = f"{before}INSTALLED_EXTENSIONS = [{body}]\nAFTER = 1\n".replace("\n", newline).encode()
    edited = settings_file.register(settings, names)

    old, new = ast.parse(settings), ast.parse(edited)
    list_of = next(
        node.value for node in new.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
    )
    assert [getattr(element, "value", None) for element in list_of.elts[len(entries) :]] == names
    del list_of.elts[len(entries) :]
    assert ast.dump(old) == ast.dump(new)
    # Every byte of the original is still there, in order.
    rest = iter(edited)
    assert all(byte in rest for byte in settings)
    assert edited.count(b"\n") - edited.count(b"\r\n") == (0 if newline == "\r\n" else edited.count(b"\n"))
