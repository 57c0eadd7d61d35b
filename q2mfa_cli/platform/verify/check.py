"""``q2mfa preview --check NAME``: the workflows without a browser. The right user gets through, and nobody else does."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.platform.preview.extension import use_fake_sdk
from q2mfa_cli.platform.preview.preview import NEEDED, Preview, previewing
from q2mfa_cli.platform.preview.workflows import CUSTOMER, WORKFLOWS, Workflow

if TYPE_CHECKING:
    from tornado.httpclient import HTTPResponse

    from q2mfa_cli.platform.preview.uux import Challenge

STRANGER = "mallory"
MADE_UP_TOKEN = "a-token-that-nobody-has-set-with-HQ-0123456789"


class Deviation(Exception):
    """What an extension did that it should not have done, or did not do that it should have."""


@dataclass
class Finding:
    """One thing that was tried.

    :param wrong: what was wrong; empty where all was as it should be. :param said: how a refusal was put.
    """

    workflow: Workflow
    what: str
    wrong: str
    said: str = ""
    sequence: list[str] = field(default_factory=list)


def run_check(workspace: Path, name: str, say: Callable[[str], None]) -> None:
    """Try every workflow, and print what happened.

    :param say: what prints a line.
    :raises Q2mfaError: the extension cannot be served, or is not as it should be.
    """
    use_fake_sdk(workspace, NEEDED)
    findings = asyncio.run(_check(workspace, name, say))
    failed = sum(1 for finding in findings if finding.wrong)
    say("")
    say(f"{len(findings) - failed} passed, {failed} failed")
    if failed:
        raise Q2mfaError(
            f"{shown(name)} does not do what External MFA is for: see what FAILED above.",
            f"Look at it in a browser: q2mfa preview {name}",
            "check_failed",
        )


async def _check(workspace: Path, name: str, say: Callable[[str], None]) -> list[Finding]:
    findings = []
    async with previewing(workspace, name, 0) as preview:
        kind = preview.extension.integration
        say(f"{name}, {kind} integration, on a local stand-in (no Q2 system is involved).")
        for note in preview.notes:
            say(note)
        # What is refused on purpose is said below, each on its own line.
        logging.getLogger("q2_sdk").setLevel(logging.ERROR)
        customer_of = _Passcode if kind == "standard" else _Login
        for workflow in WORKFLOWS:
            say("")
            say(workflow.label)
            for what, attempt in customer_of.ATTEMPTS.items():
                finding = await _tried(customer_of(preview, workflow), what, attempt)
                for line in finding.sequence:
                    say(f"  {line}")
                say(f"  {'FAILED' if finding.wrong else 'ok':<6} {what}{_because(finding)}")
                findings.append(finding)
    return findings


def _because(finding: Finding) -> str:
    why = finding.wrong or finding.said
    return f" ({why})" if why else ""


async def _tried(
    customer: _Customer, what: str, attempt: Callable[[Any], Awaitable[list[str] | str]]
) -> Finding:
    said: list[str] | str = ""
    wrong = ""
    try:
        said = await attempt(customer)
    except Deviation as deviation:
        wrong = str(deviation)
    except (OSError, KeyError, TypeError, ValueError) as error:
        # What a page of another make answers cannot be driven; that is no success either.
        wrong = f"not understood: {type(error).__name__}: {error}"
    if isinstance(said, list):
        return Finding(customer.workflow, what, wrong, "", said)
    return Finding(customer.workflow, what, wrong, said, customer.sequence if wrong else [])


class _Customer:
    """A customer with a browser that has no script: what the page would ask, asked over HTTP."""

    def __init__(self, preview: Preview, workflow: Workflow) -> None:
        self.preview, self.workflow = preview, workflow
        self.challenges: list[Challenge] = []

    @property
    def sequence(self) -> list[str]:
        return [line for challenge in self.challenges for line in challenge.trace.as_text()]

    # ---- what UUX's page does ---------------------------------------------------------------------

    async def challenged(self, without: str = "") -> Challenge:
        """Asked for MFA, with the outlet open; *without* an attribute that ``mfa_info`` usually has."""
        platform = json.loads((await self._http(f"{self.preview.url}/api/platform")).body)
        mfa_info = next(each for each in platform["workflows"] if each["id"] == self.workflow.id)["mfa_info"]
        mfa_info.pop(without, None)
        answer = await self._api("challenges", {"workflow": self.workflow.id, "mfa_info": mfa_info})
        challenge = self.preview.uux.challenge(answer["id"])
        self.challenges.append(challenge)
        outlet = await self._api(f"challenges/{challenge.id}/outlet", {})
        form = {"q2_ticket": outlet["ticket"]} if outlet["method"] == "post" else None
        page = await self._http(outlet["url"], form, self.preview.url, urlencode)
        if page.code != 200 or not page.headers.get("Content-Type", "").startswith("text/html"):
            raise Deviation(f"the outlet got no page but {page.code}")
        return challenge

    async def ask(self, challenge: Challenge, route: str, body: dict[str, Any]) -> dict[str, Any]:
        """``requestExtensionData``"""
        return await self._api(f"challenges/{challenge.id}/extension", {"route": route, "body": body})

    async def verify(self, challenge: Challenge, token: object) -> str:
        """``verifyMFA``: why it rejects."""
        answer = await self._api(f"challenges/{challenge.id}/verify", {"token": token})
        return str(answer["why"])

    async def _api(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = await self._http(f"{self.preview.url}/api/{path}", body, self.preview.url)
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    async def _http(
        self,
        url: str,
        body: dict[str, Any] | None = None,
        origin: str = "",
        encode: Callable[[dict[str, Any]], str] = json.dumps,
    ) -> HTTPResponse:
        """As a browser asks: *origin* is that of the page that posts."""
        from tornado.httpclient import AsyncHTTPClient

        if body is None:
            return await AsyncHTTPClient().fetch(url, follow_redirects=False, raise_error=False)
        kind = "application/json" if encode is json.dumps else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, "Origin": origin}
        return await AsyncHTTPClient().fetch(
            url,
            method="POST",
            headers=headers,
            body=encode(body),
            follow_redirects=False,
            raise_error=False,
        )

    # ---- what every extension is tried with -------------------------------------------------------------

    route: str

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        """What the right user's page sends to :attr:`route`."""
        raise NotImplementedError

    async def token(self, challenge: Challenge, proof: dict[str, Any] | None = None) -> str:
        """The token that the right user gets."""
        answer = await self.ask(
            challenge, self.route, await self.proof(challenge) if proof is None else proof
        )
        if answer["status"] != 200:
            raise Deviation(f"the right user was refused: {answer['status']}: {answer['message']}")
        data = answer["data"]
        return str(data if isinstance(data, str) else data["token"])

    async def refused(self, challenge: Challenge, proof: dict[str, Any], tokens: int = 0) -> str:
        """What the extension said to *proof*, which it refused, and HQ got no further token."""
        answer = await self.ask(challenge, self.route, proof)
        if answer["status"] < 400:
            raise Deviation(f"not refused: {answer['status']}")
        return self._nothing_happened(challenge, tokens, f"{answer['status']}: {answer['message']}")

    def _nothing_happened(self, challenge: Challenge, tokens: int, said: str) -> str:
        if len(challenge.session.tokens) != tokens:
            raise Deviation("HQ was given a token")
        if challenge.session.mfa_complete and not tokens:
            raise Deviation("HQ says that MFA is complete")
        return said

    async def right_user(self) -> list[str]:
        challenge = await self.challenged()
        why = await self.verify(challenge, await self.token(challenge))
        if why or not challenge.session.mfa_complete:
            raise Deviation(f"verifyMFA rejects: {why}")
        return self.sequence

    async def no_proof(self) -> str:
        return await self.refused(await self.challenged(), {})

    async def used_proof(self) -> str:
        challenge = await self.challenged()
        proof = await self.proof(challenge)
        await self.token(challenge, proof)
        return await self.refused(challenge, proof, tokens=1)

    async def made_up_token(self) -> str:
        challenge = await self.challenged()
        return await self._token_refused(challenge, MADE_UP_TOKEN)

    async def token_of_another(self) -> str:
        mine, other = await self.challenged(), await self.challenged()
        token = await self.token(mine)
        await self.token(other)
        return await self._token_refused(other, token)

    async def used_token(self) -> str:
        challenge = await self.challenged()
        token = await self.token(challenge)
        await self.verify(challenge, token)
        return await self._token_refused(challenge, token)

    async def _token_refused(self, challenge: Challenge, token: str) -> str:
        why = await self.verify(challenge, token)
        if not why:
            raise Deviation("verifyMFA resolves")
        return why

    async def no_session(self) -> str:
        challenge = await self.challenged()
        proof = await self.proof(challenge)
        uux = self.preview.uux
        url = f"{uux.extension_origin}/{self.preview.extension.name}/{self.route}"
        answer = await self._http(url, proof, uux.extension_origin)
        if answer.code < 400:
            raise Deviation(f"not refused: {answer.code}")
        return self._nothing_happened(challenge, 0, f"{answer.code}")

    ATTEMPTS: dict[str, Callable[[Any], Awaitable[list[str] | str]]]


class _Passcode(_Customer):
    """The customer of a standard extension: an authenticator app and its code."""

    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        response = await self._http(f"{self.preview.url}/api/challenges/{challenge.id}/passcode")
        return {"passcode": json.loads(response.body)["passcode"]}

    async def wrong_code(self) -> str:
        import time

        import pyotp

        challenge = await self.challenged()
        totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
        # No code of the last or the next minutes, which an extension may take on purpose.
        right = {totp.at(int(time.time()) + 30 * step) for step in range(-10, 11)}
        wrong = next(code for code in map("{:06}".format, range(100)) if code not in right)
        return await self.refused(challenge, {"passcode": wrong})

    async def not_registered(self) -> str:
        registered, challenge = (
            await self.challenged(),
            await self.challenged(without="registration_value"),
        )
        return await self.refused(challenge, await self.proof(registered))

    ATTEMPTS = {  # noqa: RUF012 - a table, read only
        "the right user completes MFA": _Customer.right_user,
        "refused: no code": _Customer.no_proof,
        "refused: a wrong code": wrong_code,
        "refused: a code that was used": _Customer.used_proof,
        "refused: a user without an authenticator app": not_registered,
        "refused: no session": _Customer.no_session,
        "refused: a made-up token": _Customer.made_up_token,
        "refused: another session's token": _Customer.token_of_another,
        "refused: a token that was used": _Customer.used_token,
    }


class _Login(_Customer):
    """The customer of a redirect extension: the embedded provider's login form."""

    route = "token_handler"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        return await self._back(challenge, CUSTOMER)

    async def _back(self, challenge: Challenge, user: str, decision: str = "approve") -> dict[str, Any]:
        """What verify.html finds in its address after the login."""
        started = await self.ask(challenge, "start", {})
        if started["status"] != 200:
            raise Deviation(f"the way to the provider is refused: {started['message']}")
        url = started["data"]["authorization_url"]
        page = await self._http(url)
        form = _Form.of(page.body.decode())
        address = urlsplit(url)
        issuer = f"{address.scheme}://{address.netloc}"
        typed = {**form.fields, "user": user, "decision": decision}
        sent = await self._http(issuer + form.action, typed, issuer, urlencode)
        there = sent.headers.get("Location", "")
        landed = await self._http(there)
        if landed.code != 200:
            raise Deviation(f"verify.html answers {landed.code}")
        return {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}

    async def stranger(self) -> str:
        challenge = await self.challenged()
        return await self.refused(challenge, await self._back(challenge, STRANGER))

    async def denied(self) -> str:
        challenge = await self.challenged()
        return await self.refused(challenge, await self._back(challenge, CUSTOMER, "deny"))

    async def answer_of_another(self) -> str:
        mine, other = await self.challenged(), await self.challenged()
        answer = await self._back(mine, CUSTOMER)
        await self._back(other, CUSTOMER)
        return await self.refused(other, answer)

    async def changed(self, name: str, value: str) -> str:
        challenge = await self.challenged()
        return await self.refused(challenge, {**await self._back(challenge, CUSTOMER), name: value})

    async def another_state(self) -> str:
        return await self.changed("state", "x" * 43)

    async def another_issuer(self) -> str:
        return await self.changed("iss", "https://idp.example.net")

    async def another_code(self) -> str:
        return await self.changed("code", "x" * 43)

    async def not_linked(self) -> str:
        attribute = getattr(self.preview.extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
        challenge = await self.challenged(without=attribute)
        return await self.refused(challenge, await self._back(challenge, CUSTOMER))

    ATTEMPTS = {  # noqa: RUF012 - a table, read only
        "the right user completes MFA": _Customer.right_user,
        "refused: no answer of the provider": _Customer.no_proof,
        "refused: another user at the provider": stranger,
        "refused: a login that was denied": denied,
        "refused: an answer that was used": _Customer.used_proof,
        "refused: another session's answer": answer_of_another,
        "refused: another state": another_state,
        "refused: another issuer": another_issuer,
        "refused: a made-up code": another_code,
        "refused: a user whom the provider does not know of": not_linked,
        "refused: no session": _Customer.no_session,
        "refused: a made-up token": _Customer.made_up_token,
        "refused: another session's token": _Customer.token_of_another,
        "refused: a token that was used": _Customer.used_token,
    }


class _Form(HTMLParser):
    """The one form of a page: where it goes, and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    @classmethod
    def of(cls, page: str) -> _Form:
        form = cls()
        form.feed(page)
        if not form.action:
            raise Deviation("the provider shows no login form")
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes.get("name") or ""] = attributes.get("value") or ""
