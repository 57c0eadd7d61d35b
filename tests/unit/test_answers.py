"""Answers files in YAML, JSON and TOML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w
import yaml
from command import q2mfa
from hypothesis import given
from hypothesis import strategies as st

from q2mfa_cli.answers import read_answers
from q2mfa_cli.errors import Q2mfaError, UsageError

ONE = {
    "name": "Foo",
    "rendering": "csr",
    "mfa": "redirect",
    "issuer": "https://idp.bank.example",
    "client_id": "a 'client' {{id}}",
    "scopes": ["openid", "profile"],
}
AS_ANSWERS = {**ONE, "scopes": ("openid", "profile")}


@pytest.mark.parametrize("document", [ONE, {"extensions": [ONE, {"name": "Bar"}]}], ids=["one", "many"])
@pytest.mark.parametrize("suffix", ["yaml", "json", "toml"])
def test_yaml_json_and_toml_give_the_same_answers(
    document: dict[str, object], suffix: str, tmp_path: Path
) -> None:
    dump = {"yaml": yaml.safe_dump, "json": json.dumps, "toml": tomli_w.dumps}[suffix]
    file = tmp_path / f"answers.{suffix}"
    file.write_text(dump(document), "utf-8")
    assert read_answers(str(file)) == (
        [AS_ANSWERS, {"name": "Bar"}] if "extensions" in document else [AS_ANSWERS]
    )
    # The name does not have to say the format.
    unnamed = tmp_path / "answers"
    unnamed.write_bytes(file.read_bytes())
    assert read_answers(str(unnamed)) == read_answers(str(file))


def test_answers_file_accepts_flag_spelling_and_null_as_unanswered(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: Foo\nclient-id: x\nscope: openid email\nissuer: null\n")
    assert read_answers(str(file)) == [{"name": "Foo", "client_id": "x", "scopes": ("openid email",)}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just a text", "no settings"),
        ("- name: Foo", "one mapping"),
        ("name: Foo\nnmae: Bar", "'nmae' is not a setting"),
        ("name: 5", "must be a string"),
        ("name: [Foo]", "must be a string"),
        ("scopes: {a: b}", "list of strings"),
        ("scopes: [1]", "list of strings"),
        ("client_id: a\nclient-id: b", "given twice"),
        ("extensions: []", "at least one"),
        ("extensions: Foo", "at least one"),
        ("extensions: [Foo]", "In extension 1: a mapping"),
        ("extensions: [{name: Foo}]\nname: Bar", "only key"),
        ("a: &x [1]\nb: *x", "aliases are not accepted"),
        ("name: !!python/object/apply:os.system ['true']", "tags are not accepted"),
        ("name: !!timestamp Foo", "tags are not accepted"),
        ("name: Foo\nname: Bar", "a key appears twice"),
        ("extensions: [{name: Foo, mfa: standard, name: Bar}]", "a key appears twice"),
        ("{unclosed", "cannot be parsed"),
        ("a: " + "[" * 5000, "cannot be parsed"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "cannot be parsed"),
        ("name: \x01", "cannot be parsed"),
        ("? [a]\n: b", "unhashable"),
    ],
)
def test_invalid_answers_file_is_refused_with_the_reason(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_answers(str(file))
    assert (
        says in caught.value.message and "\n" not in caught.value.message and len(caught.value.message) < 300
    )


def test_json_with_a_repeated_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text('{"name": "Foo", "name": "Bar"}')
    with pytest.raises(UsageError, match="a key appears twice"):
        read_answers(str(file))


def test_misspelled_key_gets_a_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("nmae: Foo")
    with pytest.raises(UsageError) as caught:
        read_answers(str(file))
    assert caught.value.hint == "Did you mean name?"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"name: \xff", b" " * (8 * 1024 * 1024 + 1)])
def test_binary_or_huge_answers_file_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        read_answers(str(file))


def test_missing_answers_file_exits_with_1(tmp_path: Path) -> None:
    with pytest.raises(Q2mfaError) as caught:
        read_answers(str(tmp_path / "none.yaml"))
    assert caught.value.exit_code == 1 and "No such file" in caught.value.message


def test_flags_override_answers_from_stdin(workspace: Path) -> None:
    run = q2mfa(
        "create",
        "Bar",
        "--answers",
        "-",
        "--format",
        "json",
        cwd=workspace,
        stdin=json.dumps({"name": "Foo", "rendering": "csr"}),
    )
    assert run.status == 0, run
    (extension,) = run.json["extensions"]
    assert (extension["name"], extension["rendering"], extension["mfa"]) == ("Bar", "csr", "standard")


def test_flags_with_several_requests_are_refused(workspace: Path) -> None:
    many = json.dumps({"extensions": [{"name": "A1"}, {"name": "A2"}]})
    run = q2mfa("create", "--mfa", "standard", "--answers", "-", cwd=workspace, stdin=many)
    assert run.status == 2 and "several requests" in run.err


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text() | st.sampled_from(list(ONE)), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_arbitrary_answers_document_is_read_or_refused_with_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    file = tmp_path_factory.mktemp("answers") / "answers.json"
    file.write_text(json.dumps(document))
    try:
        entries = read_answers(str(file))
    except UsageError as error:
        assert "\n" not in error.message
    else:
        assert all(set(entry) <= set(ONE) for entry in entries)
