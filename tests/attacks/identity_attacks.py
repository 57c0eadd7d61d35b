"""Logins of the wrong user, and of users whom Q2 does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attacks.attack import Attack
from attacks.denials import EMAIL_VERIFIED, IDENTITY, LINKED, Denial
from q2mfa_cli.platform.verify.hostile import EMAIL, USER, Lie
from q2mfa_cli.platform.verify.hostile.changes import changed, without

REGISTRATION = {"IDENTITY_ATTRIBUTE": "registration_value"}
BY_EMAIL = {"IDENTITY_CLAIM": "email"}


def person(
    name: str, wrong: str, denial: Denial, user: Mapping[str, Any] | None = None, **options: Any
) -> Attack:
    return Attack(f"person-{name}", wrong, denial, user=user, **options)


IDENTITIES = [
    person("other", "someone else logged in at the provider", IDENTITY, {"sso_identifier": "bob"}),
    person("case", "the same name in capitals", IDENTITY, {"sso_identifier": USER.upper()}),
    person("space", "the same name and a space", IDENTITY, {"sso_identifier": f"{USER} "}),
    person("longer", "a name that begins with the right one", IDENTITY, {"sso_identifier": f"{USER}m"}),
    person("shorter", "a beginning of the right name", IDENTITY, {"sso_identifier": USER[:-1]}),
    person("unknown", "HQ has no identifier of the user", LINKED, {}),
    person(
        "empty",
        "HQ's identifier is empty, and the provider's too",
        LINKED,
        {"sso_identifier": ""},
        lie=Lie(claims=changed(sub="")),
    ),
    person(
        "null",
        "HQ's identifier is null, and so is the claim",
        LINKED,
        {"sso_identifier": None},
        lie=Lie(claims=changed(email=None)),
        settings=BY_EMAIL,
    ),
    person(
        "list",
        "HQ's identifier is a list, and so is the claim",
        LINKED,
        {"sso_identifier": [EMAIL]},
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    person("registration-only", "HQ has a registration value only", LINKED, {"registration_value": USER}),
    person(
        "registration-other",
        "the registration value decides, and is another's",
        IDENTITY,
        {"registration_value": "bob", "sso_identifier": USER},
        settings=REGISTRATION,
    ),
    person(
        "registration-none",
        "the registration value decides, and there is none",
        LINKED,
        {"sso_identifier": USER},
        settings=REGISTRATION,
    ),
    person(
        "claim-other",
        "another claim decides, and is another's",
        IDENTITY,
        {"sso_identifier": USER},
        settings=BY_EMAIL,
    ),
    person(
        "claim-missing",
        "another claim decides, and is not there",
        IDENTITY,
        {"sso_identifier": "None"},
        lie=Lie(claims=without("email")),
        settings=BY_EMAIL,
    ),
    person(
        "claim-list",
        "another claim decides, and is a list with the right name in it",
        IDENTITY,
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    person(
        "email-unverified",
        "the email decides, and is not verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified=False)),
        settings=BY_EMAIL,
    ),
    person(
        "email-verified-text",
        'the email decides, and `email_verified` is `"true"`',
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified="true")),
        settings=BY_EMAIL,
    ),
    person(
        "email-unsaid",
        "the email decides, and nothing says that it is verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=without("email_verified")),
        settings=BY_EMAIL,
    ),
]
