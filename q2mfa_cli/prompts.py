"""The menus of ``q2 create_extension`` as data, and two kinds of prompts: line by line, and with arrow keys."""

from __future__ import annotations

import contextlib
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from q2mfa_cli.errors import UsageError, allowed_color, shown
from q2mfa_cli.integrations import INTEGRATIONS, integration_named
from q2mfa_cli.questions import QUESTIONS, Question
from q2mfa_cli.request import Answers
from q2mfa_cli.validators import suggest_name

if TYPE_CHECKING:
    import asyncio

    from prompt_toolkit.key_binding import KeyPressEvent

Check = Callable[[str], object]
"""Accepts an answer, or raises :class:`UsageError`."""

NAME_PROMPT = "New Extension Name:"
SKIP = "(press Return to add it later):"
# How many invalid answers a script may give to one question: the same answer, and any answers.
SAME_REFUSED, ANY_REFUSED = 3, 10
# How long a menu waits for Return after a digit.
RETURN_SECONDS = 0.4
ELSEWHERE = "`q2 create_extension` builds those; q2mfa builds Online extensions for External MFA"


@dataclass(frozen=True)
class Choice:
    """One line of a menu.

    :param value: The answer; ``""`` if the choice only leads to the next menu; ``None`` if q2mfa does not support it.
    """

    label: str
    value: str | None = None


@dataclass(frozen=True)
class Menu:
    """One menu, with the texts of ``q2 create_extension``. The first choice is the default.

    :param answers: The name of the question that the menu answers; empty if it only leads to the next menu.
    :param shows_default: Whether the prompt shows the default.
    :param note: The reason why some choices are disabled. Shown on a terminal only.
    """

    title: str
    choices: tuple[Choice, ...]
    answers: str = ""
    shows_default: bool = True
    note: str = ""

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
    note="q2mfa builds Online extensions. For the others, run `q2 create_extension`.",
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
    note="q2mfa builds External MFA. For the others, run `q2 create_extension`; Authenticated is its default.",
)
MFA = Menu(
    "Select type of MFA integration to generate",
    tuple(Choice(integration.menu_label, integration.id) for integration in INTEGRATIONS),
    answers="mfa",
)


def open_menus(answers: Answers) -> list[Menu]:
    """Return the menus without an answer, in the order of ``q2 create_extension``."""
    if RENDERING.answers in answers and MFA.answers in answers:
        return []
    menus = [TYPE]
    if RENDERING.answers not in answers:
        menus.append(RENDERING)
    if MFA.answers not in answers:
        menus += [INTEGRATION, MFA]
    return menus


def is_complete(answers: Answers) -> bool:
    """Return whether *answers* leave no required question open."""
    return "name" in answers and not open_menus(answers)


def ask(answers: Answers, prompter: Prompter, check_name: Callable[[str], str]) -> Answers:
    """Ask the open questions, and return *answers* with the new answers added.

    On a terminal, this also asks the questions of the chosen integration, which Return skips. Piped input is not asked
    these questions, because its next lines may answer other questions.

    :param check_name: Returns a valid name, or raises :class:`UsageError`.
    :raises UsageError: The input ended early, or too many of its answers were invalid.
    :raises KeyboardInterrupt: The user pressed Ctrl-C.
    """
    complete = dict(answers)
    try:
        if "name" not in complete:
            complete["name"] = prompter.text(NAME_PROMPT, check_name, _name_like(check_name))
        for menu in open_menus(complete):
            value = prompter.choose(menu)
            if menu.answers:
                complete[menu.answers] = value
        if prompter.is_typed and not is_complete(answers):
            for question in _details(complete):
                if answer := prompter.text(f"{question.prompt} {SKIP}", _or_nothing(question.validate)):
                    complete[question.name] = answer
    except EOFError:
        raise _not_answered(
            complete, "The input ended before all questions were answered.", "input_ended"
        ) from None
    except Refused as refused:
        raise _not_answered(
            complete, f"Too many answers were invalid. {refused}", "answers_refused"
        ) from None
    return complete


def _details(answers: Answers) -> list[Question]:
    """Return the unanswered questions that a terminal asks about the chosen integration."""
    integration = integration_named(str(answers["mfa"]))
    return [
        question
        for question in QUESTIONS
        if question.prompt and question.concerns(integration) and question.name not in answers
    ]


def _or_nothing(check: Check) -> Check:
    return lambda answer: check(answer) if answer else answer


def _name_like(check_name: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that suggests a valid name for an invalid one, or returns ``""``."""

    def suggest(name: str) -> str:
        for candidate in (name, f"{name}_mfa", f"{name}2", "MyExternalMFA"):
            with contextlib.suppress(UsageError):
                return check_name(suggest_name(candidate))
        return ""

    return suggest


class Refused(Exception):
    """Too many answers to one question were invalid. The message names the last one and the reason."""


class Prompter:
    """Asks questions. Each method raises :class:`EOFError` when the input has ended.

    :ivar is_typed: Whether a person types the answers.
    """

    is_typed = True

    def text(self, prompt: str, check: Check, suggest: Callable[[str], str] = lambda answer: "") -> str:
        """Ask for a text until one passes *check*, and return it.

        :param suggest: Maps an invalid answer to a valid one to offer; ``""`` for none.
        """
        raise NotImplementedError

    def choose(self, menu: Menu) -> str:
        """Show *menu*, and return the value of the user's choice."""
        raise NotImplementedError

    def confirm(self, text: str, prompt: str) -> bool:
        """Show *text*, and return whether the user confirms. Return alone confirms."""
        raise NotImplementedError


class LinePrompter(Prompter):
    """Numbered menus, answered line by line.

    :param stdin: The source of the answers; ``None`` if standard input is closed.
    :param echo: Print each answer, because no terminal shows it.
    """

    def __init__(self, stdin: BinaryIO | None, out: TextIO, echo: bool) -> None:
        self.stdin, self.out, self.echo = stdin, out, echo
        self.is_typed = not echo
        self.refused: list[str] = []

    def text(self, prompt: str, check: Check, suggest: Callable[[str], str] = lambda answer: "") -> str:
        self.refused.clear()
        default = ""
        while True:
            answer = self._read(f"{prompt} [{default}] " if default else f"{prompt} ") or default
            try:
                check(answer)
            except UsageError as error:
                self._refuse(answer, f"{error.message} {error.hint}")
                # An empty line from a script must not accept a suggestion that no person saw.
                default = suggest(answer) if self.is_typed else ""
            else:
                return answer

    def choose(self, menu: Menu) -> str:
        self.refused.clear()
        self._say(menu.title, "", *(f"    {n}) {c.label}" for n, c in enumerate(menu.choices, 1)), "")
        while True:
            answer = self._read(menu.prompt)
            line = answer or "1"
            number = int(line) if line.isascii() and line.isdigit() and len(line) < 4 else 0
            if not 1 <= number <= len(menu.choices):
                self._refuse(answer, f"Please type a number from 1 to {len(menu.choices)}.")
                continue
            choice = menu.choices[number - 1]
            if choice.value is not None:
                self._say("")
                return choice.value
            self._refuse(answer, f"{choice.label}: {ELSEWHERE}. Please choose another.")

    def confirm(self, text: str, prompt: str) -> bool:
        self._say("", click.unstyle(text), "")
        return self._read(f"{prompt} [Y/n] ").lower() in ("", "y", "yes")

    def _refuse(self, answer: str, why: str) -> None:
        """Print why *answer* is invalid. Stop at repeating input, such as the output of ``yes``."""
        self._say(*(wrapped(why) if self.is_typed else [why]))
        self.refused.append(answer)
        if not self.is_typed and (
            self.refused.count(answer) == SAME_REFUSED or len(self.refused) == ANY_REFUSED
        ):
            raise Refused(f"The last one was {shown(answer)}: {why}")

    def _read(self, prompt: str) -> str:
        self.out.write(prompt)
        self.out.flush()
        line = self.stdin.readline() if self.stdin else b""
        if not line:
            self._say("")
            raise EOFError
        # PowerShell 5 starts piped input with a BOM. Invalid UTF-8 becomes U+FFFD, which no valid answer contains.
        answer = line.decode("utf-8-sig", "replace").strip()
        if self.echo:
            self._say(answer)
        return answer

    def _say(self, *lines: str) -> None:
        for line in lines:
            # One character that a legacy terminal cannot encode must not stop the dialogue.
            encoding = getattr(self.out, "encoding", None) or "utf-8"
            self.out.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self.out.flush()


class TerminalPrompter(Prompter):
    """Menus with arrow keys and digits on a terminal."""

    @staticmethod
    def is_possible() -> bool:
        """Return whether the menus can be drawn here."""
        from prompt_toolkit.output import create_output

        try:
            create_output()
        except Exception:  # noqa: BLE001 - NoConsoleScreenBufferError exists on Windows only
            return False
        return True

    def text(self, prompt: str, check: Check, suggest: Callable[[str], str] = lambda answer: "") -> str:
        import questionary  # only on a terminal: this import takes longer than everything else

        default = ""
        while True:
            answer = str(questionary.text(prompt, default, qmark="").unsafe_ask()).strip()
            try:
                check(answer)
            except UsageError as error:
                print(textwrap.indent("\n".join(wrapped(f"{error.message} {error.hint}")), " "))
                default = suggest(answer)
            else:
                return answer

    def choose(self, menu: Menu) -> str:
        import questionary  # only on a terminal: this import takes longer than everything else

        lines: list[questionary.Choice] = [
            questionary.Separator(f"{number}) {choice.label.removesuffix(' (Default)')}")
            if choice.value is None
            else questionary.Choice(choice.label, value=str(number), shortcut_key=str(number))
            for number, choice in enumerate(menu.choices, 1)
        ]
        lines += [questionary.Separator(line) for line in [" ", *wrapped(menu.note)] if menu.note]
        question = questionary.select(
            menu.title, lines, qmark="", use_shortcuts=True, instruction="(number, or arrows and Return)"
        )
        _let_digits_choose(question.application)
        number = question.unsafe_ask()
        return menu.choices[int(number) - 1].value or ""

    def confirm(self, text: str, prompt: str) -> bool:
        import questionary  # only on a terminal: this import takes longer than everything else

        click.echo(f"\n{text}\n", color=allowed_color())
        return bool(questionary.confirm(prompt, qmark="").unsafe_ask())


def _let_digits_choose(application: Any) -> None:
    """Make a digit select its choice in a questionary menu. By default, a digit only moves the pointer.

    The selection waits for ``RETURN_SECONDS``: users of `q2 create_extension` press Return after the digit, and the next
    prompt must not receive that Return.
    """
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
    from prompt_toolkit.keys import Keys

    handlers = {binding.keys[0]: binding for binding in application.key_bindings.bindings}
    bindings = KeyBindings()
    soon: list[asyncio.Task[None]] = []

    def bind(key: Keys | str) -> None:
        @bindings.add(key, eager=True)
        def handle(event: KeyPressEvent) -> None:
            while soon:
                soon.pop().cancel()
            handlers[key].call(event)
            if str(key).isdigit():
                soon.append(event.app.create_background_task(accept(event)))

    async def accept(event: KeyPressEvent) -> None:
        import asyncio  # prompt_toolkit has imported it by now

        await asyncio.sleep(RETURN_SECONDS)
        if not event.app.is_done:
            handlers[Keys.ControlM].call(event)

    for key in handlers.keys() - {Keys.Any}:
        bind(key)
    application.key_bindings = merge_key_bindings([application.key_bindings, bindings])


def wrapped(text: str) -> list[str]:
    """Return *text* as lines that fit the width of the terminal."""
    return textwrap.wrap(text, max(20, shutil.get_terminal_size().columns - 4))


def _not_answered(answers: Answers, what: str, code: str) -> UsageError:
    asked = ["name", *(menu.answers for menu in (RENDERING, MFA))]
    missing = [
        question.usage for question in QUESTIONS if question.name in asked and question.name not in answers
    ]
    return UsageError(
        what,
        f"Pass the remaining answers as arguments: q2mfa create {' '.join(missing)} (or --no-input for the defaults).",
        code,
    )
