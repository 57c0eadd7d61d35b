"""The menus of ``q2 create_extension`` as data, and two ways to ask them: line by line, and with arrow keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from q2mfa_cli.errors import UsageError
from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.questions import QUESTIONS
from q2mfa_cli.request import Answers

NAME_PROMPT = "New Extension Name:"
ELSEWHERE = "`q2 create_extension` builds those; q2mfa builds Online extensions for External MFA"


@dataclass(frozen=True)
class Choice:
    """One line of a menu.

    :param value: The answer it stands for; ``""`` if it only leads to the next menu; ``None`` if q2mfa does not build it.
    """

    label: str
    value: str | None = None


@dataclass(frozen=True)
class Menu:
    """One menu, with the texts of ``q2 create_extension``. The first choice is the default.

    :param answers: The name of the question it answers; empty if it only leads to the next menu.
    """

    title: str
    choices: tuple[Choice, ...]
    answers: str = ""
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
    tuple(Choice(integration.menu_label, integration.id) for integration in INTEGRATIONS),
    answers="mfa",
)


def open_menus(answers: Answers) -> list[Menu]:
    """Return the menus still to be asked, in the order of ``q2 create_extension``. An answer skips its menu."""
    if RENDERING.answers in answers and MFA.answers in answers:
        return []
    menus = [TYPE]
    if RENDERING.answers not in answers:
        menus.append(RENDERING)
    if MFA.answers not in answers:
        menus += [INTEGRATION, MFA]
    return menus


def ask(answers: Answers, prompter: Prompter, check_name: Callable[[str], str]) -> Answers:
    """Complete *answers* by asking the open questions.

    :param check_name: Returns an acceptable name, or raises :class:`UsageError`.
    :raises UsageError: The input ended early.
    :raises KeyboardInterrupt: The user pressed Ctrl-C.
    """
    complete = dict(answers)
    try:
        if "name" not in complete:
            complete["name"] = prompter.name(check_name)
        for menu in open_menus(complete):
            value = prompter.choose(menu)
            if menu.answers:
                complete[menu.answers] = value
    except EOFError:
        raise _input_ended(complete) from None
    return complete


class Prompter:
    """A way to ask. Both methods raise :class:`EOFError` when the input has ended."""

    def name(self, check_name: Callable[[str], str]) -> str:
        raise NotImplementedError

    def choose(self, menu: Menu) -> str:
        raise NotImplementedError


class LinePrompter(Prompter):
    """Numbered menus, answered by lines.

    :param stdin: Where the lines come from; ``None`` if standard input is closed.
    :param echo: Repeat each answer, because no terminal does.
    """

    def __init__(self, stdin: BinaryIO | None, out: TextIO, echo: bool) -> None:
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
        line = self.stdin.readline() if self.stdin else b""
        if not line:
            self._say("")
            raise EOFError
        # Bytes that are not UTF-8 become U+FFFD, which no answer may contain.
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


class TerminalPrompter(Prompter):
    """Arrow keys and number shortcuts on a terminal."""

    def name(self, check_name: Callable[[str], str]) -> str:
        import questionary  # only on a terminal: it takes longer to import than the rest

        def validate(name: str) -> bool | str:
            try:
                check_name(name.strip())
            except UsageError as error:
                return f"{error.message} {error.hint}"
            return True

        answer = questionary.text(NAME_PROMPT, qmark="", validate=validate, validate_while_typing=False)
        return str(answer.unsafe_ask()).strip()

    def choose(self, menu: Menu) -> str:
        import questionary  # only on a terminal: it takes longer to import than the rest

        choices = [
            questionary.Choice(f"{number}) {choice.label}", disabled=ELSEWHERE)
            if choice.value is None
            else questionary.Choice(choice.label, value=str(number), shortcut_key=str(number))
            for number, choice in enumerate(menu.choices, 1)
        ]
        number = questionary.select(menu.title, choices, qmark="", use_shortcuts=True).unsafe_ask()
        return menu.choices[int(number) - 1].value or ""


def _input_ended(answers: Answers) -> UsageError:
    asked = ["name", *(menu.answers for menu in (RENDERING, MFA))]
    missing = [
        question.usage for question in QUESTIONS if question.name in asked and question.name not in answers
    ]
    return UsageError(
        "The input ended before the answers did.",
        f"Give the rest as arguments: q2mfa create {' '.join(missing)} (or --no-input for the defaults).",
        "input_ended",
    )
