"""settings.py with arbitrary content: it is edited correctly, or not at all and the owner is told."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st
from small_workspaces import SETTINGS_PATH, run, temporary_workspace

NEW = {"INSTALLED_EXTENSIONS": "Foo", "OUTBOUND_WHITELIST": "idp.bank.example"}
NAMES = [*NEW]
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
        "if OTHER:\n    {v}.append('F')\nelse:\n    {v}.extend(['G'])",
        "{v} = tuple({v})",
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
    """The names that this settings.py sets, or ``None`` where it fails. The platform's defaults set the lists first."""
    source = settings.replace(b"from q2_sdk.core.default_settings import *", b"OTHER = []")
    namespace: dict[str, Any] = {"INSTALLED_EXTENSIONS": [], "OUTBOUND_WHITELIST": [], "OTHER": []}
    try:
        exec(compile(source, "settings.py", "exec"), namespace)  # noqa: S102 - the statements above
    except Exception:  # noqa: BLE001 - the generated statements may fail
        return None
    return {key: value for key, value in namespace.items() if key in [*NAMES, "OTHER", "X"]}


@pytest.mark.filterwarnings("ignore")
@given(settings_files())
def test_valid_settings_are_edited_or_the_step_is_printed(settings: bytes) -> None:
    with temporary_workspace() as root:
        (root / SETTINGS_PATH).write_bytes(settings)
        flags = ["--mfa=redirect", "--issuer=https://idp.bank.example", "--no-input", "--format=json"]
        done = run("create", "Foo", *flags, "-o", root)
        event(f"exit {done.status}")
        if done.status:
            # The list already has an entry with that name.
            assert done.status == 2 and "Foo is taken" in done.err, done
            assert b"Foo" in settings and (root / SETTINGS_PATH).read_bytes() == settings
            return
        edited = (root / SETTINGS_PATH).read_bytes()
        steps = [step for step in done.json["next_steps"] if step.startswith(f"Add to {SETTINGS_PATH}")]
        lines = [f'{variable}.append("{entry}")' for variable, entry in NEW.items()]
        told = [variable for variable, line in zip(NEW, lines, strict=True) if line in "".join(steps)]
        before, after = executed(settings), executed(edited)
        if len(told) == len(NEW):
            assert edited == settings
        if before is not None:
            assert after is not None
            for variable, entry in NEW.items():
                if variable in told:
                    assert after[variable] == before[variable], edited
                    continue
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
def test_arbitrary_settings_are_unchanged_or_edited_in_one_place(settings: bytes) -> None:
    with temporary_workspace() as root:
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
