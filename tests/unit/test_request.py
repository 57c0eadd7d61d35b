"""What a request may contain: names, issuers, client ids, scopes, defaults."""

from __future__ import annotations

import keyword
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from q2mfa_cli.errors import UsageError
from q2mfa_cli.request import Answers, make_request
from q2mfa_cli.validators import (
    check_client_id,
    check_issuer,
    check_name,
    check_scopes,
    check_tecton_version,
    suggest_name,
)


@pytest.mark.parametrize("name", ["MyExternalMFA", "my_mfa", "M", "_Mfa2", "A" * 80])
def test_identifier_is_accepted_as_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "my-mfa",
        "2fa",
        "a b",
        "class",
        "None",
        "a/b",
        "../x",
        "a.b",
        "Überweisung",
        "a\u200bb",
        "a\n",
        "A" * 81,
        "M" * 1000000,
        "{{x}}",
        "__init__",
        "settings",
        "Settings",
        "CONFIGURATION",
        "tests",
        "q2_sdk",
        "json",
        "Logging",
        "tornado",
        "CACHE",
        "ChangeLog",
        "healthcheck",
        "Inspect",
        "CON",
        "Aux",
        "nul",
        "com1",
        "LPT9",
    ],
)
def test_invalid_name_is_refused_with_a_valid_suggestion(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_name(name)
    assert len(caught.value.message) < 250 and caught.value.message.isascii()
    suggestion = caught.value.hint.rstrip(".").split()[-1]
    assert check_name(suggestion) == suggestion


def test_hyphenated_name_is_suggested_in_camel_case() -> None:
    with pytest.raises(UsageError, match="'my-mfa' is not a valid extension name") as caught:
        check_name("my-mfa")
    assert caught.value.hint == "Use a name such as MyMfa."


@given(st.text(max_size=60))
def test_suggested_name_is_an_identifier_and_not_a_keyword(name: str) -> None:
    suggestion = suggest_name(name)
    assert suggestion.isidentifier() and not keyword.iskeyword(suggestion)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://idp.example.com",
        "https://idp.example.com/",
        "https://idp.example.com:8443/realms/bank",
        "https://login.microsoftonline.com/2f5c2d4e-0000-0000-0000-000000000000/v2.0",
        "http://localhost:9000",
        "http://127.0.0.1",
        "http://[::1]:8080/idp",
        "https://[2001:db8::1]/x",
    ],
)
def test_valid_issuer_is_unchanged(issuer: str) -> None:
    assert check_issuer(issuer) == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "idp.example.com",
        "http://idp.example.com",
        "ftp://idp.example.com",
        "https://",
        "https:///x",
        "https://a b",
        "https://idp.example.com?x=1",
        "https://idp.example.com/#f",
        "https://idp.example.com?",
        "https://u:p@idp.x",
        "https://@idp.x",
        "https://idp.x:99999",
        "https://idp.x:0",
        "https://idp.x:port",
        "https://[::1",
        "//idp.x",
        "https://idp.example.com\n",
        "https://idp.x/\u202e",
        'https://idp.x/"',
        "https://idp.x/{{1}}",
        "javascript:x",
        "https://idp.x/</script>",
        "https://idp.x/`id`",
        "https://" + "a" * 600,
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "https://idp_x.com",
    ],
)
def test_invalid_issuer_is_refused(issuer: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_issuer(issuer)
    assert caught.value.code == "bad_issuer" and "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "issuer"),
    [
        ("https://idp.x/.well-known/openid-configuration", "https://idp.x"),
        ("https://idp.x/realms/bank/.well-known/openid-configuration/", "https://idp.x/realms/bank"),
        ("http://localhost:8080/a/.well-known/openid-configuration", "http://localhost:8080/a"),
        ("https://idp.x/.well-known/oauth-authorization-server/realms/bank", "https://idp.x/realms/bank"),
        ("https://idp.x/.well-known/oauth-authorization-server", "https://idp.x"),
        ("https://idp.x/.well-known/other", "https://idp.x/.well-known/other"),
    ],
)
def test_metadata_url_is_shortened_to_the_issuer(given: str, issuer: str) -> None:
    request = make_request({"name": "Foo", "mfa": "redirect", "issuer": given})
    assert request.answers["issuer"] == issuer
    assert request.notes == (
        () if given == issuer else (f"Check the issuer: {given} was shortened to {issuer}",)
    )


@pytest.mark.parametrize(
    ("issuer", "hint"),
    [
        ("idp.bank.example", "Did you mean https://idp.bank.example?"),
        ("idp.bank.example:8443/realms/bank", "Did you mean https://idp.bank.example:8443/realms/bank?"),
        ("//idp.bank.example", "Did you mean https://idp.bank.example?"),
        (
            "idp.bank.example/.well-known/openid-configuration",
            "Did you mean https://idp.bank.example?",
        ),
        ("localhost", "Did you mean https://localhost?"),
        (
            "idp_bank/x",
            "Use the identity provider's issuer URL, such as https://idp.example.com/realms/bank.",
        ),
    ],
)
def test_issuer_without_a_scheme_is_refused_with_that_reason(issuer: str, hint: str) -> None:
    with pytest.raises(UsageError, match="it must start with https://") as caught:
        check_issuer(issuer)
    assert caught.value.hint == hint


def test_client_id_must_be_visible_ascii() -> None:
    assert check_client_id('a client\'s "id" {{x}} \\') == 'a client\'s "id" {{x}} \\'
    for bad in ["", "  ", "ü", "a\nb", "a\x00", "x" * 501, "a\u200b"]:
        with pytest.raises(UsageError):
            check_client_id(bad)


def test_scopes_start_with_openid_and_are_unique() -> None:
    assert check_scopes(["profile", "openid", "profile email"]) == ("openid", "profile", "email")
    assert check_scopes([""]) == ("openid",)


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "ü", "a\nb", "x" * 600])
def test_invalid_scope_is_refused(scope: str) -> None:
    with pytest.raises(UsageError):
        check_scopes([scope])


def test_unanswered_question_gets_its_default() -> None:
    assert make_request({"name": "Foo"}).answers == {
        "name": "Foo",
        "rendering": "ssr",
        "mfa": "standard",
        "factor": "totp",
        "tecton_version": "1.62.0",
    }
    assert make_request({"name": "Foo", "mfa": "redirect"}).answers == {
        "name": "Foo",
        "rendering": "ssr",
        "mfa": "redirect",
        "tecton_version": "1.62.0",
        "issuer": "https://idp.example.com",
        "client_id": "",
        "scopes": ("openid",),
        "client_auth_method": "",
        "par": "auto",
        "outbound_hosts": (),
    }


@pytest.mark.parametrize("answers", [{"issuer": "https://x.y"}, {"client_id": "x"}, {"scopes": ("openid",)}])
def test_redirect_answer_is_refused_for_standard(answers: Answers) -> None:
    with pytest.raises(UsageError) as caught:
        make_request({"name": "Foo", "mfa": "standard", **answers})
    assert caught.value.code == "redirect_only" and "--mfa redirect" in caught.value.hint


def test_factor_is_refused_for_redirect() -> None:
    with pytest.raises(UsageError) as caught:
        make_request({"name": "Foo", "mfa": "redirect", "factor": "totp"})
    assert caught.value.code == "standard_only" and "--mfa standard" in caught.value.hint


@pytest.mark.parametrize(
    "answers",
    [{}, {"name": "Foo", "factor": "push"}, {"name": "Foo", "rendering": "SSR"}, {"name": "Foo", "mfa": "x"}],
)
def test_missing_or_unknown_answer_is_refused(answers: Answers) -> None:
    with pytest.raises(UsageError):
        make_request(answers)


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.text(max_size=40),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_arbitrary_answers_are_printable_ascii_or_refused_with_a_printable_error(
    name: str, issuer: str, client_id: str, scopes: list[str]
) -> None:
    try:
        request = make_request(
            {
                "name": name,
                "mfa": "redirect",
                "issuer": issuer,
                "client_id": client_id,
                "scopes": tuple(scopes),
            }
        )
    except UsageError as error:
        shown = error.message + error.hint
        assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs") for character in shown)
    else:
        assert all(
            value.isascii() and value.isprintable()
            for value in [request.name, str(request.answers["issuer"])]
        )


@pytest.mark.parametrize("version", ["", "1", "1.62.0\n", "v1.62.0", "1.62.x", "1..2", "../1.2", '1.2"'])
def test_invalid_tecton_version_is_refused(version: str) -> None:
    assert check_tecton_version("1.62.0") == "1.62.0"
    with pytest.raises(UsageError):
        check_tecton_version(version)
