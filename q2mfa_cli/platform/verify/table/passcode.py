"""One-time passcodes, from an authenticator app or delivered."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check, Precision, Severity

DYNAMIC = ("dynamic",)
BOTH = ("static", "dynamic")

CHECKS: tuple[Check, ...] = (
    Check(
        id="otp-replay",
        title="Code accepted twice",
        requirement="A code is accepted once.",
        risk="An attacker who sees a customer type a code uses it again.",
        remedy="Delete a delivered code after use. For an authenticator app, store the time step of the last code and accept only later ones.",
        sources=(
            "NIST SP 800-63B-4, 3.1.4.2",
            "RFC 6238, 5.2",
            "ASVS 6.5.1",
            "RTS (EU) 2018/389, 4(1)",
            "CWE-294",
        ),
        severity=Severity.CRITICAL,
        seen=DYNAMIC,
        is_quick=True,
        wrong="if not totp.verify(code): deny()",
        right=(
            "step = matching_step(totp, code)\n"
            'if step is None or step <= state.get("step", -1): deny()\n'
            'state["step"] = step'
        ),
    ),
    Check(
        id="otp-replay-account",
        title="Used code accepted in another session",
        requirement="A code that a customer used in one session is refused in all of that customer's sessions.",
        risk="A phishing page relays a code that the customer has already used.",
        remedy="Store used codes in cache under a hash of the customer's registration value, not in session_cache.",
        sources=("NIST SP 800-63B-4, 3.1.4.2", "ASVS 6.5.1", "RTS (EU) 2018/389, 4(1)", "CWE-294"),
        severity=Severity.CRITICAL,
        seen=DYNAMIC,
        is_quick=True,
        wrong='self.session_cache.set("used", code, 90)',
        right='self.cache.add("used_" + digest, "1", expire=90, noreply=False)',
    ),
    Check(
        id="otp-tries",
        title="Unlimited wrong codes",
        requirement="After at most 100 consecutive wrong codes, the extension refuses even the right one.",
        risk="An attacker's program tries codes until one is right.",
        remedy="Count wrong codes, and lock the customer out for a while after a few of them.",
        sources=("NIST SP 800-63B-4, 3.2.2", "ASVS 6.3.1", "RTS (EU) 2018/389, 4(3)(b)", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
    ),
    Check(
        id="otp-tries-account",
        title="Wrong codes not counted across sessions",
        requirement="Wrong codes count per customer, across all sessions.",
        risk="An attacker's program opens a new session after a few tries and continues.",
        remedy="Count in cache under a hash of the customer's registration value, not in session_cache.",
        sources=("NIST SP 800-63B-4, 3.2.2", "ASVS 6.3.1", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
        once=True,
        wrong='tries = self.session_cache.get("tries", 0)',
        right='tries = self.cache.get("tries_" + digest, 0)',
    ),
    Check(
        id="otp-tries-race",
        title="Simultaneous wrong codes not all counted",
        requirement="Wrong codes that arrive at the same time at several workers all count.",
        risk="An attacker's program sends many codes at the same time, and only one counts.",
        remedy="Count with an atomic cache operation: incr, or cas with a retry.",
        sources=("ASVS 15.4.2", "CWE-362", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
        once=True,
        wrong="self.cache.set(key, self.cache.get(key, 0) + 1, 300)",
        right='self.cache.add(key, "0", expire=300, noreply=False)\nself.cache.incr(key, 1)',
    ),
    Check(
        id="otp-window",
        title="Old or future codes accepted",
        requirement="An authenticator app's code is accepted only in its own time step, the one before and the one after.",
        risk="A code that an attacker has seen stays valid for minutes, and guesses succeed more often.",
        remedy="Accept at most one step before and after: totp.verify(code, valid_window=1).",
        sources=("RFC 6238, 5.2", "ASVS 6.5.5", "CWE-613"),
        severity=Severity.MEDIUM,
        seen=DYNAMIC,
        once=True,
        wrong="totp.verify(code, valid_window=10)",
        right="totp.verify(code, valid_window=1)",
    ),
    Check(
        id="otp-weak-secret",
        title="Short authenticator secret",
        requirement="The extension refuses a secret of fewer than 112 bits. 128 bits are better.",
        risk="An attacker who has seen some codes can compute the secret.",
        remedy="Check the length: len(totp.byte_secret()) >= 16.",
        sources=("NIST SP 800-63B-4, 3.1.4.1", "RFC 4226, R6", "CWE-326"),
        severity=Severity.MEDIUM,
        seen=DYNAMIC,
        once=True,
    ),
    Check(
        id="otp-unicode",
        title="Code with other characters than ASCII digits",
        requirement="The extension accepts only strings of the digits 0 to 9 as a code.",
        risk="The same code in other characters gets past the code that counts tries or remembers used codes.",
        remedy='Check first: isinstance(code, str) and re.fullmatch("[0-9]{6}", code). str.isdigit() accepts other digits too.',
        sources=("ASVS 2.2.1", "CWE-20"),
        severity=Severity.LOW,
        seen=BOTH,
        precision=Precision.HIGH,
        once=True,
        wrong="if code.isdigit() and totp.verify(code): …",
        right='if re.fullmatch("[0-9]{6}", code) and totp.verify(code): …',
    ),
    Check(
        id="otp-made-here",
        title="Weak delivered code",
        requirement="A delivered code is random, has at least six digits, expires within ten minutes, works only in the session that asked for it, and cannot be requested without limit.",
        risk="An attacker guesses a code, uses it in another session, or runs up messaging costs.",
        remedy="Generate it with the secrets module, keep its hash and expiry in session_cache, and count the messages per customer.",
        sources=(
            "ASVS 6.5.3",
            "ASVS 6.5.4",
            "ASVS 6.5.5",
            "ASVS 6.6.2",
            "ASVS 6.6.3",
            "NIST SP 800-63B-4, 3.1.3.2",
            "CWE-330",
        ),
        severity=Severity.HIGH,
        seen=BOTH,
        once=True,
        wrong='code = str(random.randint(1000, 9999))\nself.cache.set("code", code)',
        right=(
            'code = "".join(secrets.choice("0123456789") for _ in range(6))\n'
            'self.session_cache.set("code", digest(code), 300)'
        ),
    ),
)
