"""Validators of answers. Each returns a valid value, or raises :class:`UsageError` with a hint."""

from __future__ import annotations

import ipaddress
import keyword
import re
import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

from q2mfa_cli.errors import UsageError, shown

NAME_MAX = 80
VALUE_MAX = 500
ISSUER_HINT = "Use the identity provider's issuer URL, such as https://idp.example.com/realms/bank."
METADATA_PATH = re.compile(r"(.*)/\.well-known/(?:openid-configuration|oauth-authorization-server)(/.+?)?/?")

# A folder with one of these names would shadow a package of the workspace or the SDK.
PACKAGE_NAMES = frozenset(
    {
        *("configuration", "settings", "q2_sdk", "q2_cores", "tests", "tornado", "pytest", "jinja2", "jwt"),
        *("pyotp", "venv", "env", "node_modules"),
    }
)
# Extensions that the SDK includes. Each serves the URL with its name (Q2's developer documentation).
BUILT_IN_EXTENSIONS = frozenset({"cache", "changelog", "healthcheck", "inspect", "logging", "status"})
# Windows reserves these names, with any file extension (Microsoft, "Naming Files, Paths, and Namespaces").
WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)


def check_name(name: str) -> str:
    """Return *name* if it is valid. It becomes the name of a Python package, a class and a URL path.

    :raises UsageError: The name is not valid. The hint suggests a valid one.
    """
    if len(name) > NAME_MAX:
        raise UsageError(
            f"The extension name has {len(name):,} characters; the limit is {NAME_MAX}.",
            "Choose a shorter name, for example MyExternalMFA.",
            "bad_name",
        )
    # ASCII only, because look-alike letters would be misleading in a URL path and a folder name.
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name) or name.startswith("__"):
        raise UsageError(
            f"{shown(name)} is not a valid extension name: it must be a Python identifier "
            "(ASCII letters, digits and _), and not a keyword.",
            f"Use a name such as {suggest_name(name)}.",
            "bad_name",
        )
    folded = name.lower()
    reserved = {
        "an extension that the SDK includes": BUILT_IN_EXTENSIONS,
        "a device on Windows, which cannot name a folder": WINDOWS_DEVICES,
        "a package that the workspace, the SDK or Python already has": PACKAGE_NAMES
        | {module.lower() for module in sys.stdlib_module_names},
    }
    for what, names in reserved.items():
        if folded in names:
            raise UsageError(
                f"{shown(name)} is the name of {what}.",
                f"Use another name, such as {suggest_name(name + '_mfa')}.",
                "name_taken",
            )
    return name


def suggest_name(name: str) -> str:
    """Return the nearest valid extension name: ``my-mfa`` → ``MyMfa``."""
    words = re.findall(r"[A-Za-z0-9]+", name[:NAME_MAX])
    camel = "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")
    if not camel or keyword.iskeyword(camel):
        return f"{camel}Mfa" if camel else "MyExternalMFA"
    return camel[0].upper() + camel[1:]


def check_issuer(issuer: str) -> str:
    """Return *issuer* unchanged if it is valid. The URL of a provider's metadata is shortened to the issuer.

    A valid issuer is an https URL without query or fragment (OpenID Connect Discovery 1.0, section 3), or an http URL on
    loopback.

    :raises UsageError: The issuer is not valid.
    """

    def bad(why: str, hint: str = ISSUER_HINT) -> UsageError:
        return UsageError(f"{shown(issuer)} is not a valid issuer: {why}.", hint, "bad_issuer")

    if len(issuer) > VALUE_MAX:
        raise bad(f"it has more than {VALUE_MAX} characters")
    if not re.fullmatch(r"[A-Za-z0-9._~:/\[\]@!$&()*+,;=%-]+", issuer):
        raise bad("it has characters that an issuer cannot have, such as those of a query or a fragment")
    if re.fullmatch(r"(//)?[A-Za-z0-9._-]+(:[0-9]+)?(/.*)?", issuer):
        likely = f"https://{issuer.lstrip('/')}"
        try:
            hint = f"Did you mean {check_issuer(likely)}?"
        except UsageError:
            hint = ISSUER_HINT
        raise bad("it must start with https://", hint)
    try:
        url = urlsplit(issuer)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise bad("it is not a well-formed URL") from None
    if not host or not re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-fA-F:.]+", host) or port == 0:
        raise bad("it has no host")
    if url.username is not None or url.password is not None:
        raise bad("it contains a user name or a password")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise bad("it must start with https:// (http:// is for loopback only)")
    return _without_metadata_path(issuer)


def _without_metadata_path(url: str) -> str:
    """Return the issuer if *url* is the URL of its metadata; otherwise, return *url*.

    OpenID Connect Discovery 1.0, section 4, appends the well-known path to the issuer. RFC 8414, section 3.1, inserts it before
    the issuer's path.
    """
    found = METADATA_PATH.fullmatch(url)
    return f"{found[1]}{found[2] or ''}" if found else url


def check_client_id(client_id: str) -> str:
    """Return *client_id* if it has only visible ASCII characters and spaces (RFC 6749, appendix A.1), and is not blank.

    :raises UsageError: The client ID is not valid.
    """
    if not re.fullmatch(rf"[\x20-\x7e]{{1,{VALUE_MAX}}}", client_id) or not client_id.strip():
        raise UsageError(
            f"{shown(client_id)} is not a valid client ID: it must be 1 to {VALUE_MAX} visible ASCII characters.",
            "Copy it from the client's registration at the identity provider.",
            "bad_client_id",
        )
    return client_id


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct scope tokens (RFC 6749, section 3.3) of *scopes*, with ``openid`` first.

    OpenID Connect requires ``openid`` (Core 1.0, section 3.1.2.1). An entry may hold several tokens, separated by spaces.

    :raises UsageError: A scope token is not valid, or the scopes are too long.
    """
    tokens = [token for scope in scopes for token in (scope.split(" ") if scope.strip(" ") else [scope])]
    for token in filter(None, tokens):
        if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", token):
            raise UsageError(
                f"{shown(token)} is not a valid scope: use visible ASCII characters, no quotes and no backslashes.",
                "Use one --scope for each, for example --scope openid --scope profile.",
                "bad_scope",
            )
    distinct = tuple(dict.fromkeys(["openid", *filter(None, tokens)]))
    if len(" ".join(distinct)) > VALUE_MAX:
        raise UsageError(
            f"The scopes have more than {VALUE_MAX} characters in total.", "Use fewer scopes.", "bad_scope"
        )
    return distinct


def check_hosts(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct hosts: names or IP addresses, without scheme and port.

    :raises UsageError: A host is not valid.
    """
    for host in hosts:
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}|[0-9a-fA-F:.]{2,45}", host):
            raise UsageError(
                f"{shown(host)} is not a valid host.",
                "Use the host name without scheme and port, for example keys.idp.example.com.",
                "bad_host",
            )
    return tuple(dict.fromkeys(hosts))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_tecton_version(version: str) -> str:
    """Return *version* if it is a version of the Tecton SDK: numbers separated by dots.

    :raises UsageError: The version is not valid.
    """
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}", version):
        raise UsageError(
            f"{shown(version)} is not a valid Tecton version: use numbers and dots.",
            "Use the version that your online banking environment serves, for example 1.62.0.",
            "bad_tecton_version",
        )
    return version
