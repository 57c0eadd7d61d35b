"""The menus of ``q2 create_extension`` as data [seed], and the two ways of asking them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO, TextIO

from q2mfa_cli.errors import UsageError
from q2mfa_cli.request import Answers

NAME_PROMPT = "New Extension Name:"
ELSEWHERE = "`q2 create_extension` builds those; q2mfa builds Online extensions for External MFA"


@dataclass(frozen=True)
class Choice:
    """One line of a menu.

    ``value`` is what choosing it answers: a flag's value; ``""`` where it only leads on; ``None`` where this tool
    does not build what it names.
    """

    label: str
    value: str | None = None


@dataclass(frozen=True)
class Menu:
    """One menu, its texts verbatim from the seed. The first choice is always the default."""

    title: str
    choices: tuple[Choice, ...]
    answers: str | None = None
    shows_default: bool = True

    @property
    def prompt(self) -> str:
        default = " [1]" if self.shows_default else ""
        return f"Please make a selection and press Return{default}: "


TYPE = Menu(
    "What type of extension are you creating?",
    (
        Choice("Online (default)", ""),
        Choice("SSO (Third Party Integration)"),
        Choice("Ardent (API)"),
        Choice("Q2Console (Backoffice)"),
        Choice("Central (Legacy Backoffice)"),
        Choice("Adapter"),
        Choice("Audit Action"),
        Choice("Custom Health Check"),
        Choice("Message Bus"),
        Choice("Caliper API Custom Endpoint"),
        Choice("Base Extension"),
    ),
)
RENDERING = Menu(
    "Select type of Online extension to generate",
    (Choice("Server Side Rendered (Default)", "ssr"), Choice("Client Side Rendered", "csr")),
    answers="rendering",
    shows_default=False,
)
INTEGRATION = Menu(
    "Select type of Online integration to generate",
    (Choice("Authenticated (Default)"), Choice("Unauthenticated"), Choice("External MFA", "")),
)
MFA = Menu(
    "Select type of MFA integration to generate",
    (Choice("Standard (Default)", "standard"), Choice("Redirect-Based Authentication", "redirect")),
    answers="mfa",
)


def open_menus(answers: Answers) -> list[Menu]:
    """The menus still to be asked, in the seed's order: a flag given is a question not asked."""
    if answers.rendering and answers.mfa:
        return []
    menus = [TYPE]
    if not answers.rendering:
        menus.append(RENDERING)
    if not answers.mfa:
        menus += [INTEGRATION, MFA]
    return menus


def ask(answers: Answers, asker: Asker, check_name: Callable[[str], str]) -> Answers:
    """Complete *answers* by asking what is open.

    :param check_name: returns an acceptable name, raises :class:`UsageError` for another.
    :raises UsageError: the input ended before the answers did.
    :raises KeyboardInterrupt: the user left.
    """
    try:
        if answers.name is None:
            answers = replace(answers, name=asker.name(check_name))
        for menu in open_menus(answers):
            value = asker.choose(menu)
            if menu.answers == "rendering":
                answers = replace(answers, rendering=value)
            elif menu.answers == "mfa":
                answers = replace(answers, mfa=value)
    except EOFError:
        raise _input_ended(answers) from None
    return answers


class Asker:
    """A way of asking. Both methods raise :class:`EOFError` when there is nobody left to answer."""

    def name(self, check_name: Callable[[str], str]) -> str:
        raise NotImplementedError

    def choose(self, menu: Menu) -> str:
        raise NotImplementedError


class LineAsker(Asker):
    """Numbered menus; answers are lines.

    :param echo: repeat each answer, so that the output reads like a terminal's where no terminal echoes.
    """

    def __init__(self, stdin: BinaryIO, out: TextIO, echo: bool) -> None:
        self.stdin, self.out, self.echo = stdin, out, echo

    def name(self, check_name: Callable[[str], str]) -> str:
        while True:
            line = self._read(f"{NAME_PROMPT} ")
            try:
                return check_name(line)
            except UsageError as error:
                self._say(f"{error.message} {error.hint}")

    def choose(self, menu: Menu) -> str:
        self._say(menu.title, "", *(f"    {n}) {c.label}" for n, c in enumerate(menu.choices, 1)), "")
        while True:
            line = self._read(menu.prompt) or "1"
            number = int(line) if line.isascii() and line.isdigit() and len(line) < 4 else 0
            if not 1 <= number <= len(menu.choices):
                self._say(f"Please type a number from 1 to {len(menu.choices)}.")
                continue
            choice = menu.choices[number - 1]
            if choice.value is not None:
                self._say("")
                return choice.value
            self._say(f"{choice.label}: {ELSEWHERE}. Please choose another.")

    def _read(self, prompt: str) -> str:
        self.out.write(prompt)
        self.out.flush()
        line = self.stdin.readline()
        if not line:
            self._say("")
            raise EOFError
        # What is not UTF-8 becomes U+FFFD, which no answer may contain.
        answer = line.decode("utf-8", "replace").strip()
        if self.echo:
            self._say(answer)
        return answer

    def _say(self, *lines: str) -> None:
        for line in lines:
            # A terminal in a legacy encoding must not end the dialogue over a character.
            encoding = getattr(self.out, "encoding", None) or "utf-8"
            self.out.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self.out.flush()


class TerminalAsker(Asker):
    """Arrow keys and number shortcuts on a terminal."""

    def name(self, check_name: Callable[[str], str]) -> str:
        import questionary

        def validate(name: str) -> bool | str:
            try:
                check_name(name.strip())
            except UsageError as error:
                return f"{error.message} {error.hint}"
            return True

        answer = questionary.text(NAME_PROMPT, qmark="", validate=validate, validate_while_typing=False)
        return str(answer.unsafe_ask()).strip()

    def choose(self, menu: Menu) -> str:
        import questionary

        choices = [
            questionary.Choice(f"{number}) {choice.label}", disabled=ELSEWHERE)
            if choice.value is None
            else questionary.Choice(choice.label, value=str(number), shortcut_key=str(number))
            for number, choice in enumerate(menu.choices, 1)
        ]
        number = questionary.select(menu.title, choices, qmark="", use_shortcuts=True).unsafe_ask()
        return menu.choices[int(number) - 1].value or ""


def _input_ended(answers: Answers) -> UsageError:
    missing = [
        text
        for text, value in [
            ("NAME", answers.name),
            ("--rendering ssr|csr", answers.rendering),
            ("--mfa standard|redirect", answers.mfa),
        ]
        if value is None
    ]
    return UsageError(
        "The input ended before the answers did.",
        f"Give the rest as arguments: q2mfa create {' '.join(missing)} (or --no-input for the defaults).",
        "input_ended",
    )
