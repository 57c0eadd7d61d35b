"""Glewlwyd, from its Debian package: a process on loopback with a database of its own."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.installation import debian_packages
from providers.user_agent import TIMEOUT, UserAgent

PACKAGES = ("dbconfig-no-thanks", "glewlwyd")
DEADLINE = 30
ADMINISTRATOR = {"username": "admin", "password": "password"}  # of a new database
USERS = ("ada", "mallory")
PASSWORD = "password"

# What the administration page calls "Glewlwyd OpenID Connect plugin".
PLUGIN = {
    "jwt-type": "rsa",
    "jwt-key-size": "256",
    "jwks-show": True,
    "code-duration": 60,
    "access-token-duration": 300,
    "refresh-token-duration": 300,
    "allow-non-oidc": False,
    "auth-type-code-enabled": True,
    "auth-type-implicit-enabled": True,
    "pkce-allowed": True,
    "pkce-required": True,
    "oauth-par-allowed": True,
    "oauth-par-request_uri-prefix": "urn:ietf:params:oauth:request_uri:",
    "oauth-par-duration": 90,
    "claims": [{"name": "username", "user-property": "username", "type": "string", "mandatory": True}],
}


class Glewlwyd:
    def __init__(self, url: str) -> None:
        self.url = url
        self.issuer = f"{url}/api/oidc"
        self._administrator = requests.Session()

    def set_up(self) -> None:
        """Add the users and the plugin that makes it an OpenID provider, as its administrator does."""
        self.call("POST", "auth/", ADMINISTRATOR)
        for name in USERS:
            self.call(
                "POST", "user/", {"username": name, "password": PASSWORD, "scope": ["openid", "g_profile"]}
            )
        key = rsa.generate_private_key(65537, 2048)
        pair = {
            "key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
            "cert": key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode(),
        }
        plugin = {"module": "oidc", "name": "oidc", "display_name": "oidc"}
        self.call("POST", "mod/plugin/", {**plugin, "parameters": {"iss": self.issuer, **PLUGIN, **pair}})
        self.set_password_age(60)

    def set_password_age(self, seconds: int) -> None:
        """Let it ask for the password again *seconds* after a login."""
        scope = {
            "display_name": "Sign in",
            "password_required": True,
            "password_max_age": seconds,
            "scheme": {},
        }
        self.call("PUT", "scope/openid", scope)

    def register(self, client_id: str, client_secret: str, redirect_uri: str) -> None:
        client = {
            "client_id": client_id,
            "name": "Online banking",
            "enabled": True,
            "confidential": True,
            "client_secret": client_secret,
            "redirect_uri": [redirect_uri],
            "authorization_type": ["code"],
            "token_endpoint_auth_method": ["client_secret_basic"],
            "scope": [],
        }
        known = self._administrator.get(f"{self.url}/api/client/{client_id}", timeout=TIMEOUT).ok
        self.call("PUT" if known else "POST", f"client/{client_id if known else ''}", client)

    def call(self, method: str, path: str, body: Any) -> None:
        answer = self._administrator.request(method, f"{self.url}/api/{path}", json=body, timeout=TIMEOUT)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"


class GlewlwydUser(UserAgent):
    """A user at Glewlwyd's login page. Its script calls the same API."""

    def _act(self, answer: requests.Response) -> requests.Response:
        asked = dict(parse_qsl(urlsplit(answer.url).query, keep_blank_values=True))
        api = answer.url.partition("/login.html")[0] + "/api/auth"
        scopes = self._cookies.get(f"{api}/scheme/", params={"scope": asked["scope"]}, timeout=TIMEOUT)
        if not (
            scopes.ok
            and all(scope.get("password_authenticated") for scope in scopes.json().values())
            and asked.keys().isdisjoint({"prompt", "refresh_login"})
        ):
            self.shown.append("login")
            body = {"username": self.name, "password": self.password}
            assert self._cookies.post(f"{api}/", json=body, timeout=TIMEOUT).ok
        grant = f"{api}/grant/{asked['client_id']}/"
        granted = self._cookies.get(grant + asked["scope"], timeout=TIMEOUT).json()
        if not all(scope["granted"] for scope in granted["scope"]):
            self.shown.append("consent")
            assert self._cookies.put(grant, json={"scope": asked["scope"]}, timeout=TIMEOUT).ok
        return self._get(asked["callback_url"] + "&g_continue")


@contextlib.contextmanager
def running() -> Iterator[Glewlwyd]:
    """Start Glewlwyd; it ends with the block."""
    root = debian_packages(*PACKAGES)
    with tempfile.TemporaryDirectory() as folder, _started(root, Path(folder)) as url:
        glewlwyd = Glewlwyd(url)
        glewlwyd.set_up()
        yield glewlwyd


@contextlib.contextmanager
def _started(root: Path, folder: Path) -> Iterator[str]:
    """Glewlwyd on a free port. It cannot choose one itself, so it starts again if another program was faster."""
    schema = root / "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
    with contextlib.closing(sqlite3.connect(folder / "glewlwyd.db")) as database:
        database.executescript(schema.read_text("utf-8"))
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        (folder / "glewlwyd.conf").write_text(_configuration(root, folder, port, url), "utf-8")
        with _process(root, folder) as process:
            try:
                if _answers(process, f"{url}/config/"):
                    yield url
                    return
            finally:
                process.terminate()
    raise RuntimeError(f"Glewlwyd does not start: {(folder / 'log').read_text('utf-8')}")


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    """Wait until *process* answers at *url*. False: it ended, or takes too long."""
    deadline = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=TIMEOUT).ok and process.poll() is None:
                return True
        time.sleep(0.02)
    return False


def _process(root: Path, folder: Path) -> subprocess.Popen[bytes]:
    libraries = ":".join(map(str, (root / "usr" / "lib").glob("*-linux-gnu*")))
    # The kernel ends it with the test process, however that one ends.
    command = ["setpriv", "--pdeathsig", "TERM", str(root / "usr/bin/glewlwyd")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--config-file", str(folder / "glewlwyd.conf")],
            env={"LD_LIBRARY_PATH": libraries},
            stdout=log,
            stderr=log,
        )


def _configuration(root: Path, folder: Path, port: int, url: str) -> str:
    modules = root / "usr" / "lib" / "glewlwyd"
    return f"""
port = {port}
bind_address = "127.0.0.1"
external_url = "{url}"
login_url = "login.html"
api_prefix = "api"
static_files_path = "{root}/usr/share/glewlwyd/webapp/"
static_files_mime_types = ( {{ extension = ".html"; mime_type = "text/html"; compress = 0 }} )
log_mode = "console"
log_level = "WARNING"
cookie_domain = "127.0.0.1"
cookie_secure = false
session_expiration = 600
session_key = "GLEWLWYD2_SESSION_ID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "{modules}/user"
user_middleware_module_path = "{modules}/user_middleware"
client_module_path = "{modules}/client"
user_auth_scheme_module_path = "{modules}/scheme"
plugin_module_path = "{modules}/plugin"
hash_algorithm = "SHA512"
database = {{ type = "sqlite3"; path = "{folder}/glewlwyd.db" }};
"""
