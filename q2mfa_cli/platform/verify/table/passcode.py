"""One-time passcodes, from an authenticator app or delivered."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check, Precision, Severity

DYNAMIC = ("dynamic",)
BOTH = ("static", "dynamic")

CHECKS: tuple[Check, ...] = (
    Check(
        id="otp-replay",
        title="A code that is good twice",
        requirement="A code proves something once.",
        risk="An attacker who has seen a code being typed uses it again.",
        remedy="Delete a code that was sent; remember the time step of one from an authenticator app, and take only later ones.",
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
        title="A used code that is good in another session",
        requirement="A code that was used in one session of a customer is used up in all of them.",
        risk="A phishing page passes on a code that the customer has already typed.",
        remedy="Remember what was used in cache, under a hash of the customer's registration value, not in session_cache.",
        sources=("NIST SP 800-63B-4, 3.1.4.2", "ASVS 6.5.1", "RTS (EU) 2018/389, 4(1)", "CWE-294"),
        severity=Severity.CRITICAL,
        seen=DYNAMIC,
        is_quick=True,
        wrong='self.session_cache.set("used", code, 90)',
        right='self.cache.add("used_" + digest, "1", expire=90, noreply=False)',
    ),
    Check(
        id="otp-tries",
        title="Any number of wrong codes",
        requirement="After at most 100 wrong codes in a row, the right one is refused.",
        risk="A program tries codes until one is right.",
        remedy="Count wrong codes, and refuse every code for a while after some of them.",
        sources=("NIST SP 800-63B-4, 3.2.2", "ASVS 6.3.1", "RTS (EU) 2018/389, 4(3)(b)", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
    ),
    Check(
        id="otp-tries-account",
        title="A new session forgets the wrong codes",
        requirement="Wrong codes count for the customer, in all sessions.",
        risk="A program opens a new session after some tries, and goes on.",
        remedy="Count in cache, under a hash of the customer's registration value, not in session_cache.",
        sources=("NIST SP 800-63B-4, 3.2.2", "ASVS 6.3.1", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
        once=True,
        wrong='tries = self.session_cache.get("tries", 0)',
        right='tries = self.cache.get("tries_" + digest, 0)',
    ),
    Check(
        id="otp-tries-race",
        title="Wrong codes at once count as one",
        requirement="Wrong codes that come at once, at several workers, are all counted.",
        risk="A program sends many codes at the same time, and only one of them counts.",
        remedy="Count with one atomic step of the cache: incr, or cas with another try if it fails.",
        sources=("ASVS 15.4.2", "CWE-362", "CWE-307"),
        severity=Severity.HIGH,
        seen=DYNAMIC,
        once=True,
        wrong="self.cache.set(key, self.cache.get(key, 0) + 1, 300)",
        right='self.cache.add(key, "0", expire=300, noreply=False)\nself.cache.incr(key, 1)',
    ),
    Check(
        id="otp-window",
        title="Codes of long ago, or of the future",
        requirement="A code of an authenticator app is good in its time step, and in the one before and after it.",
        risk="A code that an attacker has seen is good for minutes, and a guess is right more often.",
        remedy="Compare with one step before and after at most: totp.verify(code, valid_window=1).",
        sources=("RFC 6238, 5.2", "ASVS 6.5.5", "CWE-613"),
        severity=Severity.MEDIUM,
        seen=DYNAMIC,
        once=True,
        wrong="totp.verify(code, valid_window=10)",
        right="totp.verify(code, valid_window=1)",
    ),
    Check(
        id="otp-weak-secret",
        title="A short secret of an authenticator app",
        requirement="A secret of fewer than 112 bits is refused; 128 are better.",
        risk="An attacker who has seen some codes computes the secret.",
        remedy="Check the length: len(totp.byte_secret()) >= 16.",
        sources=("NIST SP 800-63B-4, 3.1.4.1", "RFC 4226, R6", "CWE-326"),
        severity=Severity.MEDIUM,
        seen=DYNAMIC,
        once=True,
    ),
    Check(
        id="otp-unicode",
        title="A code that is no text of ASCII digits",
        requirement="A code is a text of the digits 0 to 9.",
        risk="The same code in other characters gets past what counts or remembers codes.",
        remedy='Check it first: isinstance(code, str) and re.fullmatch("[0-9]{6}", code). str.isdigit() takes other digits too.',
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
        title="A code that is sent, and is weak",
        requirement="A code is random, has six digits or more, is good for ten minutes at most, only where it was asked for, and is not sent without limit.",
        risk="A code is guessed, used in another session, or costs money for each message.",
        remedy="Make it with secrets, keep its hash and its time in session_cache, and count what was sent to a customer.",
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
