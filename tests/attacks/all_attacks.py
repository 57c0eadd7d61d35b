"""Every attack, in the order of docs/explanation/redirect-attacks.md."""

from __future__ import annotations

from attacks.attack import Attack
from attacks.callback_attacks import CALLBACK
from attacks.conforming_logins import CONFORMING_LOGINS
from attacks.endpoint_attacks import CLIENTS, KEYS, METADATA, PUSHED, TOKENS
from attacks.id_token_attacks import CLAIMS, SIGNATURES
from attacks.identity_attacks import IDENTITIES
from attacks.session_attacks import SESSIONS

ATTACKS: list[Attack] = [
    *METADATA,
    *PUSHED,
    *CALLBACK,
    *CLIENTS,
    *TOKENS,
    *SIGNATURES,
    *KEYS,
    *CLAIMS,
    *IDENTITIES,
    *SESSIONS,
]

assert len({attack.name for attack in [*ATTACKS, *CONFORMING_LOGINS]}) == len([*ATTACKS, *CONFORMING_LOGINS])
