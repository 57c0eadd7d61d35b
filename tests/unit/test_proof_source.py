"""What a recorded run becomes: a short script that gets each value again where it came from, and holds no secret."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ruff import find_ruff_bin

from q2mfa_cli.platform.preview.own_provider import OwnProvider
from q2mfa_cli.platform.preview.proof_source import (
    Approval,
    NotRecordable,
    Request,
    Run,
    extraction,
    source_of,
)

TOKEN = "a-token-of-hq"
GOT = {"token": TOKEN}
CONSTANT = "# The page sent this value: replace it if it changes from run to run.\n"
AUTHORIZATION = "https://idp.example/authorize?client_id=q2&state=s-1234567"
PROVIDER = OwnProvider({"ISSUER": "issuer", "CLIENT_ID": "client_id", "METADATA_URL": "metadata"})
RETURNED = {"code": "c-1234567", "state": "s-1234567", "iss": "https://idp.example/a b"}


def run_of(*steps: Request | Approval, **attributes: Any) -> Run:
    """A run in which the last request got the token."""
    last = steps[-1]
    assert isinstance(last, Request)
    if last.data is None:
        last.data = GOT
    return Run("my_mfa", steps, TOKEN, **attributes)


def source(*steps: Request | Approval, **attributes: Any) -> str:
    """The script, which is formatted."""
    text = source_of(run_of(*steps, **attributes))
    command = [find_ruff_bin(), "format", "--isolated", "--diff", "-"]
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    return text


def steps_of(text: str) -> str:
    return text.partition("async def prove(ask, phone, mfa_info):\n")[2]


class Phone:
    """A phone in another run, in which everything is different."""

    def __init__(self, *texts: str) -> None:
        self.messages = [{"text": text} for text in texts]
        self.approved = 0
        self.urls: list[str] = []

    def code(self) -> str:
        return "987654"

    def approve(self) -> None:
        self.approved += 1

    async def log_in(self, url: str) -> dict[str, str]:
        self.urls.append(url)
        return {"code": "another c", "state": "another s", "iss": "https://another.example"}


def proved(
    text: str, phone: Phone, answers: Sequence[Any] = (), **mfa_info: Any
) -> tuple[Any, list[tuple[str, Any]]]:
    """What the script *text* returns in another run, and what it asks before."""
    asked: list[tuple[str, Any]] = []
    given: Iterator[Any] = iter(answers)

    async def ask(route: str, body: Any = None) -> Any:
        asked.append((route, body))
        return next(given, {})

    names: dict[str, Any] = {}
    exec(compile(text, "prove.py", "exec"), names)  # noqa: S102  it is what is tested
    return asyncio.run(names["prove"](ask, phone, mfa_info)), asked


def test_whole_script_of_an_authenticator_app() -> None:
    text = source(Request("enter", {"otp": "123456"}, codes=["111111", "123456"]))
    assert text == (
        '"""How the right user of my_mfa proves who they are.\n\n'
        "`q2mfa preview --record` wrote this from one run. `q2mfa verify` runs it. You may edit it.\n"
        '"""\n\n\n'
        "async def prove(ask, phone, mfa_info):\n"
        '    return {"route": "enter", "body": {"otp": phone.code()}}\n'
    )


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("012 345", "phone.code()"),
        (12345, "int(phone.code())"),
        (["0", "1", "2", "3", "4", "5"], "list(phone.code())"),
        ("totp:012345", '"totp:" + phone.code()'),
        ({"codes": ["012345"]}, '{"codes": [phone.code()]}'),
    ],
)
def test_code_is_traced_however_the_page_sends_it(typed: object, code: str) -> None:
    steps = steps_of(source(Request("enter", {"otp": typed}, codes=["012345"])))
    assert steps == f'    return {{"route": "enter", "body": {{"otp": {code}}}}}\n'


@pytest.mark.parametrize(
    ("text", "value", "later", "later_value"),
    [
        ("Code: 12345678", "12345678", "Code: 87654321", "87654321"),
        ("123456 is your code.", "123456", "999999 is your code.", "999999"),
        ("G-123456", "123456", "G-999999", "999999"),
        ("Pay 250.00 with code 4711", "4711", "Pay 250.00 with code 9999", "9999"),
        ("Pay 123456 with code 654321", "654321", "Pay 999999 with code 222222", "222222"),
        ("111111 or 222222", "222222", "333333 or 444444", "444444"),
        ("X123456Y", "123456", "X999999Y", "999999"),
        ("Your code: 123 456", "123456", "Your code: 999 888", "999888"),
        ("Code: QX7P2", "QX7P2", "Code: ABCD9", "ABCD9"),
        ("Go to https://bank.example/t/aB3-_9zz now", "aB3-_9zz", "Go to https://bank.example/t/zz9_-B3a now", "zz9_-B3a"),
        ("4711", "4711", "1147", "1147"),
        ('Use "123456" (line 1)\n100000', "123456", 'Use "999999" (line 1)\n100000', "999999"),
    ],
)  # fmt: skip
def test_code_of_a_message_is_found_in_another_message(
    text: str, value: str, later: str, later_value: str
) -> None:
    script = source_of(run_of(Request("send", {}), Request("check", {"code": value}, messages=[text])))
    assert value not in script
    answer, asked = proved(script, Phone(later))
    assert answer == {"route": "check", "body": {"code": later_value}}
    assert asked == [("send", None)]


def test_code_that_is_in_no_message_is_not_extracted() -> None:
    assert extraction("Code: 123456", "654321", "text") == ""


def test_message_before_the_last_is_counted_from_the_end() -> None:
    request = Request("check", {"code": "123456"}, messages=["Code: 123456", "Welcome."])
    assert 'phone.messages[-2]["text"]' in source(request)


def test_word_of_a_message_is_a_constant_of_the_page() -> None:
    text = source(Request("check", {"kind": "code"}, messages=["Your code is 123456."]))
    assert f'{CONSTANT}            "kind": "code",\n' in text


def test_push_that_is_polled_is_approved_before_one_request() -> None:
    pending = {"pending": True}
    text = source(
        Request("ask", {}, sent_message=True),
        *(Request("check", {}, data=pending) for _ in range(3)),
        Approval(),
        Request("check", {}),
    )
    assert steps_of(text) == (
        '    await ask("ask")\n    phone.approve()\n'
        "    # The page sent this request several times. q2mfa does too, until it gets a token.\n"
        '    return {"route": "check", "body": {}}\n'
    )


def test_push_that_the_polled_request_sends_is_approved_after_it() -> None:
    pending = {"pending": True}
    text = source(
        Request("submit", {}, data=pending, sent_message=True),
        *(Request("submit", {}, data=pending) for _ in range(3)),
        Approval(),
        Request("submit", {}),
    )
    answer, asked = proved(text, phone := Phone())
    assert (answer, asked, phone.approved) == ({"route": "submit", "body": {}}, [("submit", None)], 1)


def test_push_that_is_sent_again_is_approved_once() -> None:
    text = source(
        Request("ask", {}, sent_message=True),
        Approval(),
        Request("check", {}, succeeded=False),
        Request("ask", {}, sent_message=True),
        Approval(),
        Request("check", {}),
    )
    assert steps_of(text) == (
        '    await ask("ask")\n    phone.approve()\n    return {"route": "check", "body": {}}\n'
    )


def test_push_that_is_approved_while_its_own_request_waits_is_refused() -> None:
    with pytest.raises(NotRecordable, match="while the request that sent the message waited"):
        source(Request("submit", {}, data=GOT), Approval(), Request("later", {}, data={}))


def test_refused_and_repeated_tries_are_left_out() -> None:
    text = source(
        Request("send", {}),
        Request("check", {"code": "111111"}, messages=["Code: 123456"], succeeded=False),
        Request("check", {"code": "222222"}, messages=["Code: 123456"], data={"ok": False}),
        Request("check", {"code": "123456"}, messages=["Code: 123456"]),
    )
    answer, asked = proved(text, Phone("Code: 654321"))
    assert answer == {"route": "check", "body": {"code": "654321"}}
    assert asked == [("send", None)]
    assert "111111" not in text and "222222" not in text


def test_requests_after_the_token_are_left_out() -> None:
    text = source(Request("check", {}, data=GOT), Request("log", {"what": "done"}, data={}))
    assert steps_of(text) == '    return {"route": "check", "body": {}}\n'


def test_values_of_earlier_answers_are_read_from_them() -> None:
    text = source(
        Request("begin", {}, data={"flow": {"ids": [7, "flow-4711"]}, "nonce": "n-4711"}),
        Request("begin", {"flow": "flow-4711"}, data={"salt": "salt-4711"}),
        Request("end", {"flow": "flow-4711", "nonce": "n-4711", "salt": "v1.salt-4711"}),
    )
    answers = [{"flow": {"ids": [8, "f"]}, "nonce": "n"}, {"salt": "s"}]
    answer, asked = proved(text, Phone(), answers)
    assert answer == {"route": "end", "body": {"flow": "f", "nonce": "n", "salt": "v1.s"}}
    assert asked == [("begin", None), ("begin", {"flow": "f"})]
    assert "4711" not in text


def test_values_of_mfa_info_are_read_from_it() -> None:
    known = {"registration_value": "+1 555 0100", "transaction_ids": [1001, 1002]}
    text = source(Request("go", {"to": "+1 555 0100", "ids": [1001, 1002]}), mfa_info=known)
    answer, _ = proved(text, Phone(), registration_value="+1 555 0199")
    assert answer == {"route": "go", "body": {"to": "+1 555 0199", "ids": None}}


def test_constants_have_a_comment_and_small_values_have_none() -> None:
    text = source(
        Request("begin", {"channel": "text message", "remember": True, "tries": 3, "empty": None}),
        Request("end", {"screen": {"width": 1280, "height": 1024}, "name": 'Jane "J" O\'Hara', "list": []}),
    )
    assert steps_of(text) == (
        "    await ask(\n"
        '        "begin",\n'
        "        {\n"
        f"            {CONSTANT}"
        '            "channel": "text message",\n'
        '            "remember": True,\n'
        '            "tries": 3,\n'
        '            "empty": None,\n'
        "        },\n"
        "    )\n"
        "    return {\n"
        '        "route": "end",\n'
        '        "body": {\n'
        '            "screen": {\n'
        "                # The page sent these values: replace each that changes from run to run.\n"
        '                "width": 1280,\n'
        '                "height": 1024,\n'
        "            },\n"
        f"            {CONSTANT}"
        '            "name": \'Jane "J" O\\\'Hara\',\n'
        '            "list": [],\n'
        "        },\n"
        "    }\n"
    )


def login(body: dict[str, Any], data: Any = None) -> str:
    return source(
        Request("leave", {}, data={"go": {"to": AUTHORIZATION}} if data is None else data),
        Request("back", body, returned=RETURNED),
        provider=PROVIDER,
    )


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (RETURNED, {"code": "another c", "state": "another s", "iss": "https://another.example"}),
        ({"grant": "c-1234567", "s": "s-1234567"}, {"grant": "another c", "s": "another s"}),
        (
            {"query": "?code=c-1234567&state=s-1234567&iss=https%3A%2F%2Fidp.example%2Fa+b"},
            {"query": "?code=another+c&state=another+s&iss=https%3A%2F%2Fanother.example"},
        ),
    ],
)
def test_login_sends_what_the_provider_sends_back(body: dict[str, Any], sent: dict[str, Any]) -> None:
    text = login(body)
    answer, asked = proved(text, phone := Phone(), [{"go": {"to": "https://another.example/authorize"}}])
    assert answer == {"route": "back", "body": sent}
    assert asked == [("leave", None)] and phone.urls == ["https://another.example/authorize"]
    assert "1234567" not in text and "CALLBACK" not in text


def test_login_says_how_the_extension_is_configured() -> None:
    assert (
        "def configuration(provider):\n"
        "    return {\n"
        '        "ISSUER": provider.issuer,\n'
        '        "CLIENT_ID": provider.client_id,\n'
        '        "METADATA_URL": provider.issuer + "/.well-known/openid-configuration",\n'
        "    }\n"
    ) in login(RETURNED)


def test_login_of_which_the_page_sends_nothing_is_done() -> None:
    text = login({})
    answer, _ = proved(text, phone := Phone(), [{"go": {"to": "https://another.example/authorize"}}])
    assert answer == {"route": "back", "body": {}} and len(phone.urls) == 1
    assert '    await phone.log_in(leave_answer["go"]["to"])\n' in text


def test_provider_that_is_not_used_is_not_configured() -> None:
    text = source(Request("enter", {"otp": "123456"}, codes=["123456"]), provider=PROVIDER)
    assert "configuration" not in text


def test_login_whose_address_is_in_no_answer_is_refused() -> None:
    with pytest.raises(NotRecordable, match="the address of the login is in no answer"):
        login(RETURNED, data={"ok": True})


def test_login_at_a_provider_of_unknown_settings_is_refused() -> None:
    with pytest.raises(NotRecordable, match="does not know which settings"):
        source(Request("leave", {}, data=[AUTHORIZATION]), Request("back", {"code": "c-1234567"}))


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ({"code": "Q1-hashed-123456"}, "123456"),
        ({"password": "of-the-client"}, "of-the-client"),
        ({"of-the-client": 1}, "of-the-client"),
    ],
)
def test_secret_that_cannot_be_traced_is_refused(body: dict[str, Any], secret: str) -> None:
    with pytest.raises(NotRecordable, match="a code or another secret"):
        source(Request("check", body), secrets=[secret])


@pytest.mark.parametrize(
    ("text", "typed"),
    [("Your code is K7PXQ2.", "k7pxq2"), ("Code: K7P-XQ2", "K7PXQ2"), ("Code: K7P XQ2", "k7pxq2")],
)
def test_code_of_a_message_in_another_spelling_is_refused(text: str, typed: str) -> None:
    with pytest.raises(NotRecordable, match="a code or another secret"):
        source(Request("check", {"code": typed}, messages=[text]))


def test_token_that_no_answer_has_is_refused() -> None:
    with pytest.raises(NotRecordable, match="the token that the page passed to verifyMFA"):
        source(Request("check", {}, data={"token": "another"}))
