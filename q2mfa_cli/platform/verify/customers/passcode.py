"""Customers of the standard integration: one with an authenticator app, one who gets codes on a phone."""

from __future__ import annotations

import re
import time
from typing import Any

import pyotp

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation

CODE = re.compile(r"(?<!\d)\d{4,10}(?!\d)")


class PasscodeCustomer(Customer):
    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        return {"passcode": pyotp.TOTP(str(challenge.session.mfa_info.get("registration_value"))).now()}

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
        # Avoid codes of nearby time steps, which an extension may accept.
        right = {totp.at(int(time.time()) + 30 * step) for step in range(-10, 11)}
        return {"passcode": next(code for code in map("{:06}".format, range(100)) if code not in right)}


class MessageCustomer(Customer):
    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        """Request a code, and read it from the phone."""
        sent = await self.request_extension_data(challenge, self.route, {"send": True})
        if sent["status"] != 200:
            raise Deviation(f"no code was sent: {sent['status']}: {sent['error']}")
        codes = CODE.findall(challenge.messages[-1]["text"]) if challenge.messages else []
        if len(codes) != 1:
            raise Deviation("the last message does not have one code")
        return {"passcode": codes[0]}

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        code = (await self.proof(challenge))["passcode"]
        return {"passcode": f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"}
