"""A complete, validated request for one extension."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from q2mfa_cli.errors import UsageError
from q2mfa_cli.integrations import Integration, Value, integration_named
from q2mfa_cli.questions import QUESTIONS, Question

Answers = Mapping[str, Value]
"""The answers so far, by the question's name. An open question has no entry."""


@dataclass(frozen=True, slots=True)
class ExtensionRequest:
    """One External MFA extension to generate (see :func:`make_request`).

    :param answers: A valid answer to each question that applies to the integration.
    :param notes: Changes to the answers that the user should check, one sentence each.
    """

    answers: Answers
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.answers["name"])

    @property
    def rendering(self) -> str:
        return str(self.answers["rendering"])

    @property
    def integration(self) -> Integration:
        return integration_named(str(self.answers["mfa"]))


def make_request(answers: Answers, questions: Sequence[Question] = QUESTIONS) -> ExtensionRequest:
    """Validate *answers*, and return a request. An open question gets its default.

    :raises UsageError: An answer is missing, invalid, or for another integration.
    """
    integration = _integration(answers, questions)
    refuse_answers_of_others(answers, integration, questions)
    accepted = {
        question.name: _answer(question, answers) for question in questions if question.concerns(integration)
    }
    cut = [
        f"Check the {name}: {answers[name]} was shortened to {value}"
        for name, value in accepted.items()
        if isinstance(answers.get(name, value), str) and answers.get(name, value) != value
    ]
    return ExtensionRequest(accepted, tuple(cut))


def variants(request: ExtensionRequest, questions: Sequence[Question] = QUESTIONS) -> list[ExtensionRequest]:
    """Return a request for each combination of choices, such as ssr and csr, with the other answers of *request*."""
    choosing = [question for question in questions if question.choices]
    found: list[ExtensionRequest] = []
    for choices in itertools.product(*(question.choices for question in choosing)):
        chosen = {question.name: choice for question, choice in zip(choosing, choices, strict=True)}
        integration = _integration(chosen, questions)
        answers = {**request.answers, **chosen}
        given = {
            question.name: answers[question.name]
            for question in questions
            # A default may be a value that the validator rejects.
            if question.concerns(integration)
            and answers.get(question.name, question.default) != question.default
        }
        variant = make_request(given, questions)
        found += [] if variant in found else [variant]
    return found


def refuse_answers_of_others(
    answers: Answers, integration: Integration, questions: Sequence[Question] = QUESTIONS
) -> None:
    """Check that all *answers* apply to *integration*.

    :raises UsageError: An answer is for another integration.
    """
    for question in questions:
        if question.name in answers and question.integration not in (None, integration):
            assert question.integration is not None
            raise UsageError(
                f"{question.flag} belongs to the {question.integration.label} integration, "
                f"not to the {integration.label} one.",
                f"Add --mfa {question.integration.id}, or remove {question.flag}.",
                f"{question.integration.id}_only",
            )


def _integration(answers: Answers, questions: Sequence[Question]) -> Integration:
    mfa = next(question for question in questions if question.name == "mfa")
    return integration_named(str(_answer(mfa, answers)))


def _answer(question: Question, answers: Answers) -> Value:
    if question.name in answers:
        return question.validate(answers[question.name])
    if question.default is None:
        raise UsageError(
            f"The extension has no {question.name}.",
            "Add one: q2mfa create MyExternalMFA …",
            f"{question.name}_missing",
        )
    return question.default
