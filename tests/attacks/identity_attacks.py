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


def identity_attack(
    name: str, wrong: str, denial: Denial, user: Mapping[str, Any] | None = None, **options: Any
) -> Attack:
    return Attack(f"identity-{name}", wrong, denial, user=user, **options)


IDENTITIES = [
    identity_attack("other", "someone else logged in at the provider", IDENTITY, {"sso_identifier": "bob"}),
    identity_attack("case", "the same name in capitals", IDENTITY, {"sso_identifier": USER.upper()}),
    identity_attack("space", "the same name and a space", IDENTITY, {"sso_identifier": f"{USER} "}),
    identity_attack(
        "longer", "a name that begins with the right one", IDENTITY, {"sso_identifier": f"{USER}m"}
    ),
    identity_attack("shorter", "a beginning of the right name", IDENTITY, {"sso_identifier": USER[:-1]}),
    identity_attack("unknown", "HQ has no identifier of the user", LINKED, {}),
    identity_attack(
        "empty",
        "HQ's identifier is empty, and the provider's too",
        LINKED,
        {"sso_identifier": ""},
        lie=Lie(claims=changed(sub="")),
    ),
    identity_attack(
        "null",
        "HQ's identifier is null, and so is the claim",
        LINKED,
        {"sso_identifier": None},
        lie=Lie(claims=changed(email=None)),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "list",
        "HQ's identifier is a list, and so is the claim",
        LINKED,
        {"sso_identifier": [EMAIL]},
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "registration-only", "HQ has a registration value only", LINKED, {"registration_value": USER}
    ),
    identity_attack(
        "registration-other",
        "the registration value decides, and is another's",
        IDENTITY,
        {"registration_value": "bob", "sso_identifier": USER},
        settings=REGISTRATION,
    ),
    identity_attack(
        "registration-none",
        "the registration value decides, and there is none",
        LINKED,
        {"sso_identifier": USER},
        settings=REGISTRATION,
    ),
    identity_attack(
        "claim-other",
        "another claim decides, and is another's",
        IDENTITY,
        {"sso_identifier": USER},
        settings=BY_EMAIL,
    ),
    identity_attack(
        "claim-missing",
        "another claim decides, and is not there",
        IDENTITY,
        {"sso_identifier": "None"},
        lie=Lie(claims=without("email")),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "claim-list",
        "another claim decides, and is a list with the right name in it",
        IDENTITY,
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "email-unverified",
        "the email decides, and is not verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified=False)),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "email-verified-text",
        'the email decides, and `email_verified` is `"true"`',
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified="true")),
        settings=BY_EMAIL,
    ),
    identity_attack(
        "email-unsaid",
        "the email decides, and nothing says that it is verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=without("email_verified")),
        settings=BY_EMAIL,
    ),
]
