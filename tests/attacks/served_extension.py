"""A generated redirect extension, served on the fake platform, and a user's login through it over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER

from q2mfa_cli.platform.cache import RECENT_KEYS
from q2mfa_cli.platform.verify.hostile import Client

CLIENT_ID = "q2-mfa"
# What RFC 6749, 2.3.1 wants form-encoded before it goes into a Basic header; a plain one hides the mistake.
CLIENT_SECRET = "a secret of the tests with / + and % in it"
CLIENT = Client(CLIENT_ID, CLIENT_SECRET)

# Copied once: attacks run in threads, and pytest changes os.environ between tests in the main thread.
ENVIRONMENT = dict(os.environ)

# An answer that has not come by then is a hang: oidc.py gives each of at most four calls ten seconds.
PATIENCE = 45


def create_workspace(root: Path, issuer: str = "http://127.0.0.1:1") -> Path:
    """A workspace with two generated extensions, Ssr and Csr, of *issuer*."""
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").touch()
    (root / "configuration" / "settings.py").write_text(
        "from q2_sdk.core.default_settings import *\nINSTALLED_EXTENSIONS = []\n"
    )
    for rendering in ("ssr", "csr"):
        run = q2mfa(
            *("create", rendering.title(), "--mfa", "redirect", "--rendering", rendering, "--no-input"),
            *("--issuer", issuer, "--client-id", CLIENT_ID),
            cwd=root,
        )
        assert run.status == 0, run
    return root


@dataclass(frozen=True)
class Answer:
    """An answer to the page: the status, and the JSON or HTML.

    :param reason: of the last denial so far in this session, from the log.
    """

    status: int
    body: Any
    reason: str = ""

    @property
    def token(self) -> str | None:
        """The token for verifyMFA, if there is one."""
        token = self.body.get("data", {}).get("token")
        return None if token is None else str(token)

    @property
    def code(self) -> str:
        """The code that the page shows a message for. Empty if nothing was denied."""
        return str(self.body.get("data", {}).get("code", ""))


class Extension:
    """One generated extension in a process of its own.

    :param folder: a workspace from :func:`create_workspace`. :param name: Ssr or Csr.
    :param settings: values of its configuration that are changed, as its owner would by hand.
    :param arguments: further arguments of ``extension_server.py``.
    :ivar logins: every session that was begun, in turn.
    """

    def __init__(
        self, folder: Path, name: str, settings: Mapping[str, Any], secret: str, arguments: Sequence[str]
    ) -> None:
        self.folder, self.name = folder, name
        self._secret, self._arguments = secret, arguments
        self.logins: list[Login] = []
        self._http = requests.Session()
        self._http.trust_env = False
        self._configure(settings)
        self._start()

    def empty_cache(self) -> None:
        """Make it forget everything that it learned from its provider, as after an hour."""
        assert self._http.delete(f"{self.url}/_hq/cache", timeout=PATIENCE).ok

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def login(self, **mfa_info: Any) -> Login:
        """Open a session at HQ."""
        status, answer = self.post("/_hq/sessions", {"mfa_info": mfa_info})
        assert status == 200, answer
        self.logins.append(Login(self, answer["session"]))
        return self.logins[-1]

    @property
    def redirect_uri(self) -> str:
        return f"{self.url}/assets/{self.name}/verify.html"

    def log(self, start: int) -> list[str]:
        """Return what its process logged after the first *start* lines, at every level."""
        lines: list[str] = self.get(f"/_hq/log?from={start}")["lines"]
        return lines

    @property
    def log_length(self) -> int:
        """The number of lines that its process logged so far."""
        count: int = self.get("/_hq/log?from=-1")["count"]
        return count

    @property
    def cache_keys(self) -> list[str]:
        """The keys that were used in the cache, with prefix."""
        keys: list[str] = self.get("/_hq/cache_keys")["keys"]
        assert len(keys) < RECENT_KEYS, "the first keys are lost"
        return keys

    def get(self, path: str) -> Any:
        return self._http.get(self.url + path, timeout=PATIENCE).json()

    def post(self, path: str, body: Any, session: str = "") -> tuple[int, Any]:
        answer = self._http.post(
            self.url + path, json=body, headers={"X-Q2-Session": session}, timeout=PATIENCE
        )
        is_json = answer.headers["Content-Type"].startswith("application/json")
        return answer.status_code, answer.json() if is_json else answer.text

    def put(self, path: str, body: Any) -> None:
        answer = self._http.put(self.url + path, json=body, timeout=PATIENCE)
        assert answer.ok, answer.text

    def _configure(self, settings: Mapping[str, Any]) -> None:
        file = self.folder / "configuration" / f"{self.name}.py"
        text = file.read_text("utf-8")
        for name, value in settings.items():
            line = f"{name} = {value!r}".replace("\\", r"\\")
            text, times = re.subn(rf"(?m)^{name} = .*$", line, text)
            assert times == 1, f"{file.name} has {name} {times} times"
        file.write_text(text, "utf-8")

    def _start(self) -> None:
        with tempfile.TemporaryFile("w+") as said:
            self._process = subprocess.Popen(
                [sys.executable, EXTENSION_SERVER, str(self.folder), self.name, *self._arguments],
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env={**ENVIRONMENT, f"{self.name.upper()}_CLIENT_SECRET": self._secret},
            )
            assert self._process.stdout is not None
            first = self._process.stdout.readline()
            if not first:
                said.seek(0)
                raise RuntimeError(f"the server does not start: {said.read()}")
        self.url: str = json.loads(first)["url"]


@contextmanager
def serving(
    workspace: Path,
    folder: Path,
    name: str = "Csr",
    settings: Mapping[str, Any] | None = None,
    secret: str = CLIENT_SECRET,
    arguments: Sequence[str] = (),
) -> Iterator[Extension]:
    """Copy *workspace* to *folder* and serve its extension *name* with *settings* until the block ends.

    :param arguments: further arguments of ``extension_server.py``.
    """
    shutil.copytree(workspace, folder)
    extension = Extension(folder, name, settings or {}, secret, arguments)
    try:
        yield extension
    finally:
        extension.stop()


class Login:
    """One user's session at HQ, and their login in it.

    :ivar answers: what the page got, in turn.
    """

    def __init__(self, extension: Extension, session: str) -> None:
        self.extension, self.session = extension, session
        self.answers: list[Answer] = []
        self._logged_before = extension.log_length

    def start(self) -> Answer:
        """Start the login, as the page of either rendering does."""
        if self.extension.name == "Ssr":
            self.answers.append(_read_from_the_page(self._call("")))
        else:
            self.answers.append(self._call("/start"))
        return self.answers[-1]

    def finish(self, callback: Mapping[str, Any]) -> Answer:
        """Post *callback*, the parameters that verify.js reads from the address."""
        answer = self._call("/token_handler", callback)
        self.answers.append(answer)
        return answer

    @property
    def log(self) -> list[str]:
        """Everything logged since this session began."""
        return self.extension.log(self._logged_before)

    @property
    def denials(self) -> list[str]:
        """The reasons in :attr:`log`."""
        found = [re.fullmatch(r"External MFA denied: \w+: (.*)", line) for line in self.log]
        return [match[1] for match in found if match]

    @property
    def tokens(self) -> list[str]:
        """All tokens that were set with HQ for this session."""
        tokens: list[str] = self._at_hq["tokens"]
        return tokens

    @property
    def verified(self) -> bool:
        return bool(self._at_hq["verified"])

    def request_mfa(self, mfa_info: Mapping[str, Any], extension: Extension | None = None) -> None:
        """Request MFA for something else in this session, on this server or another one."""
        where = extension or self.extension
        where.put(f"/_hq/sessions/{self.session}", {"mfa_info": mfa_info})

    def verify(self, token: str) -> bool:
        """Hand *token* to HQ, as UUX does on verifyMFA."""
        _, answer = self.extension.post(f"/_hq/sessions/{self.session}/verify", {"token": token})
        return bool(answer["verified"])

    @property
    def _at_hq(self) -> Any:
        return self.extension.get(f"/_hq/sessions/{self.session}")

    def _call(self, route: str, body: Mapping[str, Any] | None = None) -> Answer:
        status, answer = self.extension.post(f"/{self.extension.name}{route}", body or {}, self.session)
        return Answer(status, answer, (self.denials or [""])[-1])


def _read_from_the_page(answer: Answer) -> Answer:
    """The answer of a start route, read from the attributes of the server-side rendered page."""
    if answer.status != 200:
        return answer
    found = {name: unescape(value) for name, value in re.findall(r'\bdata-(\w+)="([^"]*)"', answer.body)}
    if found["error"]:
        return Answer(400, {"data": {"code": found["error"]}}, answer.reason)
    return Answer(200, {"data": {"authorization_url": found["url"], "expires_in": int(found["seconds"])}})
