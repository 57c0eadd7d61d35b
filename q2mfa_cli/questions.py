"""The table of questions about an extension.

The options of ``q2mfa create``, the keys of an answers file and its JSON Schema (docs/answers.schema.json), the checks of
a request, and the variables of the Cookiecutter templates all derive from :data:`QUESTIONS`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.integrations import (
    INTEGRATIONS,
    PLACEHOLDER_ISSUER,
    REDIRECT,
    STANDARD,
    Integration,
    Value,
)
from q2mfa_cli.validators import (
    check_client_id,
    check_hosts,
    check_issuer,
    check_name,
    check_scopes,
    check_tecton_version,
)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that ``q2mfa create`` needs to know.

    :param name: The key of its answer.
    :param help: The text in ``--help``.
    :param prompt: The prompt on a terminal, after the menus; empty if the terminal does not ask.
    :param validate: Returns a valid answer, or raises :class:`UsageError`.
    :param default: The answer if the user gives none; ``None`` if an answer is required.
    :param flag: The option; empty for the positional argument.
    :param metavar: The name of the option's value in ``--help``.
    :param choices: The possible answers, if they are fixed.
    :param repeatable: Whether there can be several answers.
    :param integration: The only integration that the question applies to; ``None`` for all.
    :param variable: The Cookiecutter variable that receives the answer; empty for none.
    :param example: The default in plain Cookiecutter, if ``default`` is ``None``.
    """

    name: str
    help: str
    validate: Callable[[Any], Value]
    default: Value | None = None
    flag: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    integration: Integration | None = None
    variable: str = ""
    example: str = ""
    prompt: str = ""

    def concerns(self, integration: Integration) -> bool:
        return self.integration in (None, integration)

    @property
    def usage(self) -> str:
        """The argument or option on the command line, for example ``--issuer URL``."""
        if not self.flag:
            return self.name.upper()
        return f"{self.flag} {'|'.join(self.choices) or self.metavar}"


def _one_of(what: str, choices: tuple[str, ...], value: str) -> str:
    if value not in choices:
        raise UsageError(
            f"{shown(value)} is not a valid value for {what}.",
            f"Choose from: {', '.join(choices)}.",
            f"bad_{what}",
        )
    return value


RENDERINGS = ("ssr", "csr")
FACTORS = ("totp", "message")
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
PAR = ("auto", "required", "off")
# The newest version in Q2's developer documentation. A platform may serve a different one.
TECTON_VERSION = "1.62.0"
_INTEGRATION_IDS = tuple(integration.id for integration in INTEGRATIONS)

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="name",
        help="The extension's name.",
        validate=check_name,
        variable="extension_name",
        example="MyExternalMFA",
    ),
    Question(
        name="rendering",
        flag="--rendering",
        help="Server-side or client-side rendering.",
        choices=RENDERINGS,
        validate=functools.partial(_one_of, "rendering", RENDERINGS),
        default=RENDERINGS[0],
        variable="rendering",
    ),
    Question(
        name="mfa",
        flag="--mfa",
        help="A form in the page, or OpenID Connect at an identity provider.",
        choices=_INTEGRATION_IDS,
        validate=functools.partial(_one_of, "mfa", _INTEGRATION_IDS),
        default=STANDARD.id,
    ),
    Question(
        name="factor",
        flag="--factor",
        help="Standard only: an authenticator app, or a code sent to the customer.",
        choices=FACTORS,
        validate=functools.partial(_one_of, "factor", FACTORS),
        default=FACTORS[0],
        integration=STANDARD,
        variable="factor",
    ),
    Question(
        name="tecton_version",
        flag="--tecton-version",
        metavar="VERSION",
        help=f"The version of the Tecton SDK that the page loads.  [default: {TECTON_VERSION}]",
        validate=check_tecton_version,
        default=TECTON_VERSION,
        variable="tecton_version",
    ),
    Question(
        name="issuer",
        flag="--issuer",
        metavar="URL",
        help="Redirect only: the identity provider's issuer, an https URL.",
        validate=check_issuer,
        default=PLACEHOLDER_ISSUER,
        integration=REDIRECT,
        variable="issuer",
        prompt="Issuer URL of the identity provider",
    ),
    Question(
        name="client_id",
        flag="--client-id",
        metavar="TEXT",
        help="Redirect only: the client ID registered with the provider.",
        validate=check_client_id,
        default="",
        integration=REDIRECT,
        variable="client_id",
        prompt="Client ID",
    ),
    Question(
        name="scopes",
        flag="--scope",
        metavar="TEXT",
        help="Redirect only: a scope to request; repeatable. openid is always included.",
        validate=check_scopes,
        default=("openid",),
        repeatable=True,
        integration=REDIRECT,
        variable="scopes",
    ),
    Question(
        name="client_auth_method",
        flag="--client-auth-method",
        metavar="METHOD",
        help=f"Redirect only: {', '.join(AUTH_METHODS)}.  [default: what the provider announces]",
        validate=functools.partial(_one_of, "client_auth_method", ("", *AUTH_METHODS)),
        default="",
        integration=REDIRECT,
        variable="client_auth_method",
    ),
    Question(
        name="par",
        flag="--par",
        help="Redirect only: pushed authorization requests.  [default: auto]",
        choices=PAR,
        validate=functools.partial(_one_of, "par", PAR),
        default=PAR[0],
        integration=REDIRECT,
        variable="par",
    ),
    Question(
        name="outbound_hosts",
        flag="--outbound-host",
        metavar="HOST",
        help="Redirect only: another host of the provider's endpoints, for OUTBOUND_WHITELIST; repeatable.",
        validate=check_hosts,
        default=(),
        repeatable=True,
        integration=REDIRECT,
    ),
)


def as_options(questions: Sequence[Question] = QUESTIONS) -> Callable[[Any], Any]:
    """Return a decorator that gives a click command one parameter for each question."""

    def decorate(command: Any) -> Any:
        for question in reversed(questions):
            if not question.flag:
                command = click.argument(question.name, required=False)(command)
                continue
            command = click.option(
                question.flag,
                question.name,
                type=click.Choice(question.choices) if question.choices else str,
                metavar=question.metavar,
                multiple=question.repeatable,
                help=question.help,
            )(command)
        return command

    return decorate


def cookiecutter_variables(
    answers: Mapping[str, Value], questions: Sequence[Question] = QUESTIONS
) -> dict[str, str]:
    """Return the Cookiecutter variables for *answers*. Several answers to one question are joined with spaces."""
    values = {question.variable: answers.get(question.name) for question in questions if question.variable}
    return {
        variable: value if isinstance(value, str) else " ".join(value)
        for variable, value in values.items()
        if value is not None
    }


def cookiecutter_defaults(
    integration: Integration, questions: Sequence[Question] = QUESTIONS
) -> dict[str, Any]:
    """Return the ``cookiecutter.json`` of the integration's template, without private variables."""
    defaults: dict[str, Any] = {"workspace": "workspace"}
    for question in questions:
        if question.variable and question.concerns(integration):
            value = question.example if question.default is None else question.default
            defaults[question.variable] = (
                list(question.choices)
                or cookiecutter_variables({question.name: value}, [question])[question.variable]
            )
    return defaults


def answers_schema(questions: Sequence[Question] = QUESTIONS) -> dict[str, Any]:
    """Return the JSON Schema of an answers file."""
    properties: dict[str, Any] = {}
    for question in questions:
        text: dict[str, Any] = {"type": "string"}
        if question.choices:
            text["enum"] = list(question.choices)
        value = {"anyOf": [text, {"type": "array", "items": text}]} if question.repeatable else text
        properties[question.name] = {"description": question.help, **value}
    rules = [
        {
            "if": {
                "not": {"properties": {"mfa": {"const": integration.id}}, "required": ["mfa"]},
            },
            "then": {"not": {"anyOf": [{"required": [name]} for name in names]}},
        }
        for integration in INTEGRATIONS
        if (names := [question.name for question in questions if question.integration is integration])
    ]
    request = {
        "type": "object",
        "additionalProperties": False,
        "required": [question.name for question in questions if question.default is None],
        "properties": properties,
        "allOf": rules,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `q2mfa create --answers` reads: one request, or several under `extensions`",
        "anyOf": [
            {"$ref": "#/$defs/request"},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["extensions"],
                "properties": {
                    "extensions": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/request"}}
                },
            },
        ],
        "$defs": {"request": request},
    }
