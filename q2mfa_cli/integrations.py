"""The table of integrations: what each is called, what it needs, and what is left to configure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from q2mfa_cli.errors import Q2mfaError, shown

Value = str | tuple[str, ...]
"""An answer: one string, or several."""

# The External MFA calls of the backend and the page. An extension with neither call is not External MFA.
EXTERNAL_MFA_CALLS = ("set_external_mfa_token", "verifyMFA")
CODE = (".py", ".js", ".ts", ".jsx", ".tsx", ".html", ".jinja2")
NOT_CODE = frozenset({"node_modules", "dist", "tests", "__pycache__"})

PLACEHOLDER_ISSUER = "https://idp.example.com"


@dataclass(frozen=True)
class Integration:
    """A kind of External MFA extension.

    :param id: The value of ``--mfa``, and the name of the template's folder.
    :param label: Its name in reports.
    :param menu_label: Its name in the menu of ``q2 create_extension``.
    :param marker_file: The file in an extension's folder that identifies this integration.
    :param requirements: Maps answers to the requirements (PEP 508) of the extension, without the SDK.
    :param modules: The modules that ``q2mfa test`` and ``q2mfa preview`` need besides the SDK.
    :param outbound_hosts: Maps answers to the hosts that ``OUTBOUND_WHITELIST`` must list.
    :param configuration_steps: Maps answers to the remaining configuration steps, one sentence each.
    :param filled_in: Maps answers to the paths of the files that these steps edit.
    """

    id: str
    label: str
    menu_label: str
    marker_file: str
    requirements: Callable[[Mapping[str, Value]], tuple[str, ...]]
    modules: tuple[str, ...]
    outbound_hosts: Callable[[Mapping[str, Value]], list[str]]
    configuration_steps: Callable[[Mapping[str, Value]], list[str]]
    filled_in: Callable[[Mapping[str, Value]], list[str]]


def _no_hosts(answers: Mapping[str, Value]) -> list[str]:
    return []


def _provider_hosts(answers: Mapping[str, Value]) -> list[str]:
    """Return the host of the issuer, unless it is the placeholder, and the other outbound hosts."""
    issuer = str(answers["issuer"])
    hosts = [] if issuer == PLACEHOLDER_ISSUER else [urlsplit(issuer).hostname or ""]
    return list(dict.fromkeys([*hosts, *answers["outbound_hosts"]]))


def _factor_requirements(answers: Mapping[str, Value]) -> tuple[str, ...]:
    # The first version that rejects secrets under 112 bits. The generated code rejects secrets under 128 bits.
    return ("pyotp>=2.12",) if answers["factor"] == "totp" else ()


def _provider_requirements(answers: Mapping[str, Value]) -> tuple[str, ...]:
    return ("pyjwt[crypto]>=2.12",)


def _factor_settings(answers: Mapping[str, Value]) -> list[str]:
    name = str(answers["name"])
    if answers["factor"] == "totp":
        return [f"Set the registration value (a base32 TOTP secret) of {name}'s users: see {name}/README.md"]
    return [
        f"Implement deliver() in {name}/factor.py: until then it sends nothing and denies MFA",
        f"Set 32 random characters in the server's environment: {name.upper()}_HASH_SECRET",
        f"Set the registration value (a phone number) of {name}'s users: see {name}/README.md",
    ]


def _provider_settings(answers: Mapping[str, Value]) -> list[str]:
    name = str(answers["name"])
    configuration = f"configuration/{name}.py"
    steps = []
    if answers["issuer"] == PLACEHOLDER_ISSUER:
        steps.append(
            f"Set ISSUER in {configuration} to the identity provider's issuer, and add its host to "
            'configuration/settings.py: OUTBOUND_WHITELIST.append("idp.your-bank.com")'
        )
    if not answers["client_id"]:
        steps.append(f"Set CLIENT_ID in {configuration}")
    steps.append(
        f"Set the client secret in the server's environment: {name.upper()}_CLIENT_SECRET; "
        f"{name}/README.md lists what to register at the identity provider"
    )
    return steps


def _configuration(answers: Mapping[str, Value]) -> list[str]:
    return [f"configuration/{answers['name']}.py"]


def _factor_files(answers: Mapping[str, Value]) -> list[str]:
    own = [f"{answers['name']}/factor.py"] if answers["factor"] == "message" else []
    return [*_configuration(answers), *own]


STANDARD = Integration(
    id="standard",
    label="standard",
    menu_label="Standard (Default)",
    marker_file="factor.py",
    requirements=_factor_requirements,
    modules=("pyotp",),
    outbound_hosts=_no_hosts,
    configuration_steps=_factor_settings,
    filled_in=_factor_files,
)

REDIRECT = Integration(
    id="redirect",
    label="redirect-based",
    menu_label="Redirect-Based Authentication",
    marker_file="oidc.py",
    requirements=_provider_requirements,
    modules=("jwt",),
    outbound_hosts=_provider_hosts,
    configuration_steps=_provider_settings,
    filled_in=_configuration,
)

INTEGRATIONS = (STANDARD, REDIRECT)


def integration_named(identifier: str) -> Integration:
    """Return the integration with the id *identifier*.

    :raises KeyError: There is no such integration.
    """
    return {integration.id: integration for integration in INTEGRATIONS}[identifier]


def generated_integration(folder: Path) -> Integration | None:
    """Return the integration whose marker file is in *folder*; ``None`` if q2mfa did not generate the extension."""
    return next((each for each in INTEGRATIONS if (folder / each.marker_file).is_file()), None)


def integration_of(folder: Path) -> Integration:
    """Return the integration of the extension in *folder*; standard if it has no marker file."""
    return generated_integration(folder) or STANDARD


def kind_of(folder: Path) -> str:
    """Return a phrase that describes the extension in *folder*: its integration, or that q2mfa did not generate it."""
    if integration := generated_integration(folder):
        return f"{integration.label} integration"
    if is_external_mfa(folder):
        return "External MFA, not generated by q2mfa"
    return "not an External MFA extension"


def is_external_mfa(folder: Path) -> bool:
    """Return whether the code of the extension in *folder*, without its tests, makes an External MFA call.

    A file that cannot be read counts as one that makes the call.
    """
    calls = [call.encode() for call in EXTERNAL_MFA_CALLS]
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in NOT_CODE]
        for path in (Path(parent, name) for name in names if name.endswith(CODE)):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except OSError:
                return True
            if any(call in content for call in calls):
                return True
    return False


def refuse_other_extensions(name: str, folder: Path) -> None:
    """Check that the extension *name* in *folder* is an External MFA extension.

    :raises Q2mfaError: The extension is not External MFA.
    """
    if not is_external_mfa(folder):
        raise Q2mfaError(
            f"{shown(name)} is not an External MFA extension: its code does not call {' or '.join(EXTERNAL_MFA_CALLS)}.",
            "q2mfa tests only External MFA extensions; run its tests with `q2 test`.",
            "not_external_mfa",
        )
