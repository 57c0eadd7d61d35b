"""The source of a ``prove.py`` from one recorded run.

A code is good once, so the requests of the page cannot be sent again. :func:`source_of` replaces each value that a page
sent by where it came from: the authenticator app, a message, the identity provider, an earlier answer, ``mfa_info``.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from q2mfa_cli.platform.preview.own_provider import OwnProvider
from q2mfa_cli.platform.preview.prove_script import CALLBACK
from q2mfa_cli.platform.preview.python_source import Fields, Leaf, Node, leaves, literal, rendered
from q2mfa_cli.platform.sessions import MFA_INFO_OF_PATROL, MFA_INFO_OF_TRANSACTION

# Shorter values are the same by chance.
LEAST_LENGTH = 4
LEAST_NUMBER = 10 ** (LEAST_LENGTH - 1)
# A shorter text inside of another text is there by chance.
LEAST_PART = 8

AUTHORIZATION_URL = re.compile(r"https?://[^\s?#]+\?(?:[^\s#]*&)?(?:client_id|request_uri)=")

POLLED = "The page sent this request several times. q2mfa does too, until it gets a token."

# What the provider sent back, in the script.
BACK = "back"
PHONE_CODE = Leaf("phone.code()")

PROVE = "async def prove(ask, phone, mfa_info):"

# The lines that the script begins with if it uses these names.
IMPORTS = {"re": "import re", "urlencode": "from urllib.parse import urlencode"}

# Classes of characters in the codes and tokens of messages.
CLASSES = (r"\d", "[A-Z0-9]", "[a-z0-9]", "[A-Za-z0-9]", r"[\w-]")


class NotRecordable(Exception):
    """No script can repeat the run. The message says why."""


@dataclass
class Request:
    """A request of the extension's page, and how things stood when it was sent.

    :param codes: the authenticator app's codes around that time.
    :param messages: the texts on the phone, oldest first. :param returned: what the provider sent back last.
    :param data: the answer. :param succeeded: whether the extension answered, and with no error.
    :param sent_message: whether the phone got a message before the answer.
    """

    route: str
    body: dict[str, Any]
    codes: Sequence[str] = ()
    messages: Sequence[str] = ()
    returned: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    succeeded: bool = True
    sent_message: bool = False


@dataclass(frozen=True)
class Approval:
    """The customer approved a message on the phone."""


@dataclass(frozen=True)
class Run:
    """One run in which the right user completed MFA.

    :param steps: in the order in which they have to be done again. :param token: what completed MFA.
    :param secrets: texts that must not be in the script.
    :param provider: how the extension was configured with the identity provider; None if it was not.
    """

    name: str
    steps: Sequence[Request | Approval]
    token: str
    mfa_info: Mapping[str, Any] = field(default_factory=dict)
    secrets: Iterable[str] = ()
    provider: OwnProvider | None = None


def source_of(run: Run) -> str:
    """The source of a ``prove.py`` that does what *run* did.

    :raises NotRecordable: no script can.
    """
    steps, was_polled = _without_repetitions(run, _until_token(run))
    source = _Script(run, steps).source(was_polled)
    steps_of_source = source.partition(PROVE)[2]
    has_secret = any(_contains(steps_of_source, secret) for secret in run.secrets)
    if has_secret or _has_code_of_message(source, run):
        raise NotRecordable("the page sends a code or another secret in a form that q2mfa cannot trace")
    return source


def _has_code_of_message(source: str, run: Run) -> bool:
    """Whether a text in *source* is a code of a message in another spelling: in small letters, or without its dash."""
    texts = {text for step in run.steps if isinstance(step, Request) for text in step.messages}
    codes = {code for text in texts for code in _spellings(text)}
    literals = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return any(isinstance(value, str) and _letters(value) in codes for value in literals)


def _spellings(text: str) -> Iterator[str]:
    """The letters of each word of *text* that may be a code, and of neighbors that may be one code together."""
    for is_code, words in itertools.groupby(
        text.split(), lambda word: word.isupper() or any(map(str.isdigit, word))
    ):
        letters = [_letters(word) for word in words] if is_code else []
        yield from (each for each in (*letters, "".join(letters)) if len(each) >= LEAST_LENGTH)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _contains(source: str, secret: str) -> bool:
    if secret.isdecimal():
        return secret in re.findall(r"\d+", source)
    return secret in source


def _until_token(run: Run) -> list[Request | Approval]:
    """The steps that succeeded, up to the request that got the token."""
    steps = [step for step in run.steps if isinstance(step, Approval) or step.succeeded]
    got = [
        place
        for place, step in enumerate(steps)
        if isinstance(step, Request) and any(value == run.token for _, value in _items(step.data))
    ]
    if not got:
        raise NotRecordable("the token that the page passed to verifyMFA is in no answer of the extension")
    if any(isinstance(step, Approval) for step in steps[got[-1] :]):
        raise NotRecordable(
            "the customer approved while the request that sent the message waited, which prove.py cannot do"
        )
    return steps[: got[-1] + 1]


def _without_repetitions(
    run: Run, steps: Sequence[Request | Approval]
) -> tuple[list[Request | Approval], bool]:
    """*steps* with one of equal requests in turn, and whether the last request was one of several."""
    script = _Script(run, steps)
    kept: list[Request | Approval] = []
    was_polled = False
    for step in steps:
        if isinstance(step, Approval):
            kept.append(step)
            continue
        places = [place for place, each in enumerate(kept) if isinstance(each, Request)]
        before = kept[places[-1]] if places else None
        assert before is None or isinstance(before, Request)
        was_polled = before is not None and (before.route, before.body) == (step.route, step.body)
        is_repeated = before is not None and (
            was_polled
            or (before.route == step.route and _is_try_again(script.body_of(before), script.body_of(step)))
        )
        if before is None or not is_repeated:
            kept.append(step)
        elif not before.sent_message:
            kept = [*kept[: places[-1]], *kept[places[-1] + 1 :], step]
        elif step.sent_message:  # with the answer to the message before
            kept = [*kept[: places[-1]], step]
        elif isinstance(kept[-1], Approval) or step is steps[-1]:
            kept.append(step)  # the one before sent what the customer approved
    return kept, was_polled


def _is_try_again(before: Node, after: Node) -> bool:
    """Whether two bodies differ only in that a value of the first is wrong: it came from nowhere."""
    if isinstance(before, Fields) and isinstance(after, Fields):
        return [name for name, _ in before.entries] == [name for name, _ in after.entries] and all(
            _is_try_again(first, second)
            for (_, first), (_, second) in zip(before.entries, after.entries, strict=True)
        )
    if isinstance(before, Leaf) and isinstance(after, Leaf):
        return before.code == after.code or (before.is_constant and not after.is_constant)
    return False


class _Script:
    """The script of *steps*, which are some of those of *run*."""

    def __init__(self, run: Run, steps: Sequence[Request | Approval]) -> None:
        self._run, self._steps = run, steps
        self._requests = [step for step in steps if isinstance(step, Request)]
        self._names = _names(self._requests)

    def body_of(self, request: Request) -> Node:
        return _Origins(self._run.mfa_info, self._before(request), request).node(request.body)

    def source(self, was_polled: bool) -> str:
        bodies = {id(request): self.body_of(request) for request in self._requests}
        logins = self._logins(bodies)
        used = {name for node in bodies.values() for leaf in leaves(node) for name in leaf.uses}
        used |= {name for login in logins.values() for name in login.uses}
        lines: list[str] = []
        for step in self._steps:
            if isinstance(step, Approval):
                lines.append("    phone.approve()")
                continue
            name, body = self._names[id(step)], bodies[id(step)]
            if id(step) in logins:
                lines.append(f"    {f'{BACK} = ' if BACK in used else ''}{logins[id(step)].code}")
            if step is self._steps[-1]:
                lines += [f"    # {POLLED}"] if was_polled else []
                answer = Fields("{}", [('"route"', Leaf(literal(step.route))), ('"body"', body)])
                lines += rendered(answer, "return ", 4)
            else:
                arguments = [("", Leaf(literal(step.route))), *([("", body)] if step.body else [])]
                assigned = f"{name} = " if name in used else ""
                lines += rendered(Fields("()", arguments), f"{assigned}await ask", 4)
        imports = [line for name, line in IMPORTS.items() if name in used]
        head = self._head(imports, bool(logins) or any(_is_login(body) for body in bodies.values()))
        return "\n".join([*head, PROVE, *lines]) + "\n"

    def _head(self, imports: Sequence[str], has_login: bool) -> list[str]:
        head = [
            f'"""How the right user of {self._run.name} proves who they are.',
            "",
            "`q2mfa preview --record` wrote this from one run. `q2mfa verify` runs it. You may edit it.",
            '"""',
            "",
        ]
        if imports:
            head += [*imports, ""]
        provider = self._run.provider if has_login else None
        if provider is not None and provider.callback != CALLBACK:
            head += [f"CALLBACK = {literal(provider.callback)}", ""]
        if provider is not None:
            entries = [(literal(name), Leaf(code)) for name, code in provider.codes().items()]
            returned = rendered(Fields("{}", entries), "return ", 4)
            head += ["", "def configuration(provider):", *returned, ""]
        return [*head, ""]

    def _logins(self, bodies: dict[int, Node]) -> dict[int, Leaf]:
        """By request, the login before it. One whose answer is just a body is put into *bodies* instead."""
        users = [
            request
            for request in self._requests
            if any(BACK in leaf.uses for leaf in leaves(bodies[id(request)]))
        ]
        # The provider may tell the extension, and not the page.
        users = users or [request for request in self._requests if request.returned][:1]
        if not users:
            if self._run.provider is None and any(self._urls(None)):
                raise NotRecordable(
                    "the customer logged in at an identity provider, and q2mfa does not know which settings of "
                    "the configuration are the provider's"
                )
            return {}
        urls = list(self._urls(users[0]))
        if not urls:
            raise NotRecordable("the address of the login is in no answer of the extension")
        name, path = urls[-1]
        login = Leaf(f"await phone.log_in({name}{path})", uses=frozenset({name}))
        body = bodies[id(users[0])]
        if len(users) == 1 and isinstance(body, Leaf) and body.code == BACK:
            bodies[id(users[0])] = login
            return {}
        return {id(users[0]): login}

    def _urls(self, before: Request | None) -> Iterator[tuple[str, str]]:
        """Where the customer is sent to log in: the name of an answer, and where the address is in it."""
        for request, name in self._before(before):
            for path, value in _items(request.data):
                if isinstance(value, str) and AUTHORIZATION_URL.match(value):
                    yield name, path

    def _before(self, request: Request | None) -> list[tuple[Request, str]]:
        """The requests before *request*, with the names of their answers."""
        before = itertools.takewhile(lambda each: each is not request, self._requests)
        return [(each, self._names[id(each)]) for each in before]


def _is_login(body: Node) -> bool:
    return isinstance(body, Leaf) and body.code.startswith("await ")


def _names(requests: Sequence[Request]) -> dict[int, str]:
    """The name of each answer in the script, by ``id``."""
    names: dict[int, str] = {}
    for request in requests:
        words = re.sub(r"\W+", "_", request.route, flags=re.ASCII).strip("_").lower()
        first = f"{words}_answer" if words and not words[0].isdigit() else "answer"
        numbered = (f"{first}_{number}" for number in itertools.count(2))
        names[id(request)] = next(
            name for name in itertools.chain([first], numbered) if name not in names.values()
        )
    return names


class _Origins:
    """Where the values of *request* came from.

    :param before: the requests before it, with the names of their answers.
    """

    def __init__(
        self, mfa_info: Mapping[str, Any], before: Sequence[tuple[Request, str]], request: Request
    ) -> None:
        self._mfa_info, self._before, self._request = mfa_info, before, request

    def node(self, value: Any) -> Node:
        """*value* as it is written."""
        origin = self._origin(value)
        if origin is not None:
            return origin
        if isinstance(value, dict):
            return Fields("{}", [(literal(name), self.node(each)) for name, each in value.items()])
        if isinstance(value, list):
            return Fields("[]", [("", self.node(each)) for each in value])
        if isinstance(value, str):
            return self._text(value)
        return Leaf(literal(value), is_constant=_is_distinct(value))

    def _origin(self, value: Any) -> Leaf | None:
        """The code of *value*; None if it came from nowhere."""
        if not _is_distinct(value):
            return None
        if value == self._request.returned:
            return Leaf(BACK, uses=frozenset({BACK}))
        return self._of_phone(value) or self._of_login(value) or self._of_answers(value) or self._known(value)

    def _of_phone(self, value: Any) -> Leaf | None:
        """The code of what the customer saw on the phone and typed."""
        if isinstance(value, list) and all(isinstance(each, str) and len(each) == 1 for each in value):
            return _within("list", self._of_phone("".join(value)))
        if isinstance(value, int):
            is_code = any(int(code) == value for code in self._request.codes)
            return _within("int", PHONE_CODE if is_code else self._of_messages(str(value)))
        if not isinstance(value, str):
            return None
        digits = re.sub(r"[\s-]", "", value)
        if digits in self._request.codes:
            return PHONE_CODE
        return self._of_messages(value) or (self._of_messages(digits) if digits.isdecimal() else None)

    def _of_messages(self, value: str) -> Leaf | None:
        # A word of a message is no code.
        if not any(each.isdigit() for each in value) and not value.isupper():
            return None
        for number, text in enumerate(reversed(self._request.messages), 1):
            code = extraction(text, value, f'phone.messages[-{number}]["text"]')
            if code:
                return Leaf(code, uses=frozenset({"re"} if code.startswith("re.") else ()))
        return None

    def _of_login(self, value: Any) -> Leaf | None:
        for name, each in self._request.returned.items():
            if each == value:
                return Leaf(f"{BACK}[{literal(name)}]", uses=frozenset({BACK}))
        return None

    def _of_answers(self, value: Any) -> Leaf | None:
        for request, name in reversed(self._before):
            for path, each in _items(request.data):
                if type(each) is type(value) and each == value:
                    return Leaf(name + path, uses=frozenset({name}))
        return None

    def _known(self, value: Any) -> Leaf | None:
        for name, each in self._mfa_info.items():
            if type(each) is type(value) and each == value:
                # Other workflows do not have it.
                is_optional = name in MFA_INFO_OF_TRANSACTION | MFA_INFO_OF_PATROL
                name = literal(name)
                return Leaf(f"mfa_info.get({name})" if is_optional else f"mfa_info[{name}]")
        return None

    def _text(self, value: str) -> Leaf:
        """A text that came from nowhere as a whole: parts of it may have an origin."""
        returned = {name: str(each) for name, each in self._request.returned.items()}
        mark = value[:1] if value.startswith(("?", "#")) else ""
        if returned and dict(parse_qsl(value.removeprefix(mark), keep_blank_values=True)) == returned:
            code = f"urlencode({BACK})"
            uses = frozenset({BACK, "urlencode"})
            return Leaf(f"{literal(mark)} + {code}" if mark else code, uses=uses)
        for part, origin in self._parts():
            if part in value:
                first, _, rest = value.partition(part)
                leaves_of = [
                    leaf for leaf in (self._text(first), origin, self._text(rest)) if leaf.code != '""'
                ]
                code = " + ".join(leaf.code for leaf in leaves_of)
                return Leaf(code, uses=frozenset().union(*(leaf.uses for leaf in leaves_of)))
        return Leaf(literal(value), is_constant=_is_distinct(value))

    def _parts(self) -> list[tuple[str, Leaf]]:
        """The values that may be a part of a text, the longest first, each with its code."""
        values = list(self._request.codes)
        values += [digits for text in self._request.messages for digits in re.findall(r"\d{6,}", text)]
        answers = (value for request, _ in self._before for _, value in _items(request.data))
        known = [*self._request.returned.values(), *answers, self._mfa_info.get("registration_value")]
        values += [each for each in known if isinstance(each, str) and len(each) >= LEAST_PART]
        found = (
            (value, self._origin(value)) for value in sorted(set(values), key=lambda each: (-len(each), each))
        )
        return [(value, origin) for value, origin in found if origin is not None]


def _within(function: str, leaf: Leaf | None) -> Leaf | None:
    return leaf and Leaf(f"{function}({leaf.code})", uses=leaf.uses)


def _is_distinct(value: Any) -> bool:
    """Whether an equal value elsewhere is its origin, and not the same by chance."""
    match value:
        case bool() | None:
            return False
        case str():
            return len(value) >= LEAST_LENGTH
        case int() | float():
            return bool(abs(value) >= LEAST_NUMBER)
        case dict():
            return any(map(_is_distinct, value.values()))
        case list():
            joined = all(isinstance(each, str) and len(each) == 1 for each in value)
            return (joined and len(value) >= LEAST_LENGTH) or any(map(_is_distinct, value))
    return False


def _items(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """*data* and everything in it, each with where it is: ``["go"]["to"]``."""
    yield path, data
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in children:
        yield from _items(value, f"{path}[{literal(name)}]")


def extraction(text: str, value: str, source: str) -> str:
    """The code that gets *value* out of a message like *text*, which *source* is; empty if it is not in it."""
    if value == text:
        return source
    kind = next((each for each in CLASSES if re.fullmatch(f"{each}+", value, re.ASCII)), "")
    if not kind:
        return ""
    kind = f"{kind}{{{len(value)}}}"
    before = re.search(r"(?:\b[^\W\d]+)?[^\w\"'\\]*$", text.partition(value)[0])
    context = before[0][-20:] if before else ""
    word = rf"\b{kind}\b"
    for pattern, group in ((word, 0), (kind, 0), (f"{_escaped(context)}({kind})", 1)):
        found = re.search(pattern, text)
        if found and found[group] == value and '"' not in pattern:
            return f"re.search({_raw(pattern)}, {source})[{group}]"
    found_all = re.findall(word, text)
    if value in found_all:
        return f"re.findall({_raw(word)}, {source})[{found_all.index(value)}]"
    if value.isdecimal() and re.sub(r"\D", "", text) == value:
        return f're.sub(r"\\D", "", {source})'
    return ""


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ").replace("\\\n", r"\n")


def _raw(pattern: str) -> str:
    return f'r"{pattern}"' if "\\" in pattern else f'"{pattern}"'
