"""The general dynamic checks' corpus: for each check a defect in generated code, and the same in a hand-written style."""

from __future__ import annotations

from verifying import GENERATED, Defect

EXTENSION, FACTOR, CUSTOMER = (f"{GENERATED}/{name}.py" for name in ("extension", "factor", "customer"))
TOKEN = "token = secrets.token_urlsafe(32)"
SET = "result = await self.set_external_mfa_token(token)"
ATTEMPT = "        if denied := self.change(count):\n"
NO_SESSION_HANDLER = """

class Status(RequestHandler):
    def get(self):
        self.write({"ok": True})


URL_PATTERNS.append(url(r"/status", Status))
"""

# By the golden tree that the defect is put into.
IN_GENERATED: dict[str, list[Defect]] = {
    "standard-ssr": [
        Defect("right-user", EXTENSION, ((TOKEN, 'token = ""'),), "def submit", "does not complete MFA"),
        Defect(
            "token-without-proof",
            FACTOR,
            (("        Customer(self.handler.cache, digest).attempt(check)\n", ""),),
            "def submit",
            "an empty body",
        ),
        Defect(
            "fail-open",
            CUSTOMER,
            (
                (
                    ATTEMPT,
                    (
                        "        try:\n            denied = self.change(count)\n"
                        "        except Denied:  # the cache is down\n            denied = None\n        if denied:\n"
                    ),
                ),
            ),
            "def submit",
            "A wrong proof gets a token when the cache fails.",
        ),
        Defect(
            "token-guessable",
            EXTENSION,
            ((TOKEN, "token = str(secrets.randbelow(10**9))"),),
            "def submit",
            "fewer than 22 characters",
        ),
        Defect(
            "token-reused",
            EXTENSION,
            ((TOKEN, "token = TOKEN"), ("SECRETS = [", "TOKEN = secrets.token_urlsafe(32)\nSECRETS = [")),
            "def submit",
            "the same token",
        ),
        Defect(
            "token-leak",
            EXTENSION,
            (
                (
                    'self.logger.info("External MFA: the factor is proven")',
                    'self.logger.info("External MFA: %s", self.request_body["passcode"])',
                ),
            ),
            'self.logger.info("External MFA: %s"',
            'The log has "passcode" of the proof.',
        ),
        Defect(
            "no-session",
            f"{GENERATED}/urls.py",
            (
                ("from tornado.web import url", "from tornado.web import RequestHandler, url"),
                ("MyExternalMFAHandler),\n]\n", f"MyExternalMFAHandler),\n]\n{NO_SESSION_HANDLER}"),
            ),
            "class Status",
            "GET /status is answered without a session.",
        ),
        Defect(
            "missing-mfa-info",
            FACTOR,
            (
                (
                    'getattr(self.handler.mfa_info, "registration_value", None)',
                    "self.handler.mfa_info.registration_value",
                ),
            ),
            "self.handler.mfa_info.registration_value",
            "AttributeError in a route if mfa_info.registration_value is absent.",
        ),
        Defect(
            "error-detail",
            CUSTOMER,
            (
                (
                    'raise Denied(code, f"{reason}: {type(error).__name__}")',
                    'raise Denied(f"{code}: {error}", reason)',
                ),
            ),
            "def submit",
            "with the cache down",
        ),
        Defect(
            "token-not-kept",
            EXTENSION,
            (
                (
                    SET,
                    (
                        'result = {"token": token}\n        try:\n            await self.set_external_mfa_token(token)\n'
                        "        except Exception:\n            pass"
                    ),
                ),
            ),
            "def submit",
            "although HQ refused it",
        ),
        Defect(
            "audit-trail",
            EXTENSION,
            (
                ('        self.logger.info("External MFA: the factor is proven")\n', ""),
                ('denied: %s: %s", code, reason)', 'denied: %s", self.request_body.get("passcode"))'),
            ),
            "External MFA denied",
            "adds a line to the log",
        ),
        Defect(
            "body-abuse",
            FACTOR,
            (("isinstance(passcode, str) and ", ""),),
            're.fullmatch("[0-9]{6}", passcode)',
            'TypeError in route "submit" if "passcode" is a number.',
        ),
        Defect(
            "cache-key",
            FACTOR,
            (
                (
                    "digest = hashlib.sha256(totp.byte_secret()).hexdigest()",
                    "digest = self.handler.mfa_info.registration_value",
                ),
            ),
            "self.cache.gets(self.key)",
            "holds mfa_info.registration_value",
        ),
    ],
    "standard-message-ssr": [
        Defect(
            "process-state",
            FACTOR,
            (
                ("self.handler.session_cache.set(SALT_KEY, salt, CODE_SECONDS)", "SALTS[SALT_KEY] = salt"),
                ("self.handler.session_cache.get(SALT_KEY)", "SALTS.get(SALT_KEY)"),
                ("\n\nclass Factor", "\nSALTS = {}\n\n\nclass Factor"),
            ),
            "def submit",
            "another process answers",
        ),
        Defect(
            "cross-session",
            FACTOR,
            (
                ("self.handler.session_cache.set(SALT_KEY", "self.handler.cache.set(SALT_KEY"),
                ("self.handler.session_cache.get(SALT_KEY)", "self.handler.cache.get(SALT_KEY)"),
            ),
            "def submit",
            "another session of the same customer",
        ),
        Defect(
            "txn-bound",
            FACTOR,
            (("request = [getattr(self.handler.mfa_info, name, None) for name in names]", "request = []"),),
            "def submit",
            "approves another one",
            "transaction",
        ),
    ],
    "redirect-ssr": [
        Defect(
            "cross-session",
            f"{GENERATED}/oidc.py",
            (("handler.cache, handler.session_cache", "handler.cache, handler.cache"),),
            "def token_handler",
            "in another's session",
        ),
        Defect(
            "config-fail-open",
            EXTENSION,
            (
                (
                    "await OidcClient(self).finish(self.request_body)",
                    "if self.config.SCOPES:\n            await OidcClient(self).finish(self.request_body)",
                ),
            ),
            "SCOPES =",
            "SCOPES is empty",
        ),
    ],
}

OWN, TICKETS, URLS = "bank_code/extension.py", "bank_code/tickets.py", "bank_code/urls.py"
MINT = "return secrets.token_urlsafe(32)"
COMPARED = 'if not hmac.compare_digest(pending["code"], self.seal(typed)):'

IN_HAND_WRITTEN: list[Defect] = [
    Defect(
        "right-user",
        OWN,
        (('pending["for"] != ', 'pending["for"] is not '),),
        "def complete",
        "does not complete MFA",
    ),
    Defect(
        "token-without-proof",
        OWN,
        (('return {"sent": True}', "return await grant(self)"),),
        "def begin",
        'Route "begin" sets a token for an empty body.',
    ),
    Defect("token-without-proof", OWN, ((COMPARED, "if not typed:"),), "def complete", "a wrong proof"),
    Defect(
        "fail-open",
        OWN,
        (
            (
                '        self.session_cache.delete("pending")\n',
                (
                    '        try:\n            self.session_cache.delete("pending")\n'
                    "        except OSError:\n            pass\n"
                ),
            ),
        ),
        "def complete",
        "A proof gets a second token after the cache failed.",
    ),
    Defect(
        "token-guessable",
        TICKETS,
        ((MINT, "return str(uuid.uuid1())"), ("import secrets", "import uuid")),
        "def complete",
        "version 1 UUID",
    ),
    Defect(
        "token-reused",
        TICKETS,
        (("def mint", "@functools.cache\ndef mint"), ("import secrets", "import functools\nimport secrets")),
        "def complete",
        "the same token",
    ),
    Defect(
        "token-leak",
        OWN,
        (('return {"sent": True}', 'return {"sent": code}'),),
        "def complete",
        'route "begin"',
    ),
    Defect(
        "token-leak",
        TICKETS,
        ((MINT, 'token = secrets.token_urlsafe(32)\n    print("made", token)\n    return token'),),
        "def complete",
        "The log has the token.",
    ),
    Defect(
        "no-session",
        URLS,
        (
            ("from tornado.web import url", "from tornado.web import RequestHandler, url"),
            ("BankCode)]\n", f"BankCode)]\n{NO_SESSION_HANDLER}"),
        ),
        "class Status",
        "GET /status",
    ),
    Defect(
        "cross-session",
        OWN,
        (
            ("self.session_cache.set", "self.cache.set"),
            ("self.session_cache.get", "self.cache.get"),
            ("self.session_cache.delete", "self.cache.delete"),
        ),
        "def complete",
        "in another's session",
    ),
    Defect(
        "process-state",
        OWN,
        (
            ("    CONFIG_FILE_NAME", "    waiting = {}\n    CONFIG_FILE_NAME"),
            ('self.session_cache.set("pending", {', 'self.waiting.__setitem__("pending", {'),
            ("self.confirms()}, 300)", "self.confirms()})"),
            ("self.session_cache.get", "self.waiting.get"),
            ("self.session_cache.delete", "self.waiting.pop"),
        ),
        "def complete",
        "another process answers",
    ),
    Defect(
        "missing-mfa-info",
        OWN,
        (('getattr(self.mfa_info, "registration_value", None)', "self.mfa_info.registration_value"),),
        "self.mfa_info.registration_value",
        "AttributeError",
    ),
    Defect(
        "error-detail",
        OWN,
        (
            (
                '        pending = self.session_cache.get("pending")\n',
                (
                    '        try:\n            pending = self.session_cache.get("pending")\n'
                    "        except Exception as error:\n            raise TectonError(str(error), {})\n"
                ),
            ),
        ),
        "def complete",
        "with the cache down",
    ),
    Defect(
        "token-not-kept",
        OWN,
        (
            (
                "    return await handler.set_external_mfa_token(mint())\n",
                (
                    "    token = mint()\n    try:\n        await handler.set_external_mfa_token(token)\n"
                    '    except OSError:\n        handler.logger.warning("HQ is down")\n    return {"token": token}\n'
                ),
            ),
        ),
        "def complete",
        "although HQ refused it",
    ),
    Defect(
        "config-fail-open",
        OWN,
        ((COMPARED, 'if self.config.DIGITS and pending["code"] != self.seal(typed):'),),
        "DIGITS =",
        "DIGITS is empty",
    ),
    Defect(
        "txn-bound",
        OWN,
        ((' or pending["for"] != self.confirms()', ""),),
        "def complete",
        "approves another one",
        "transaction",
    ),
    Defect(
        "audit-trail",
        OWN,
        (('    handler.logger.info("bank code accepted")\n', ""),),
        "def complete",
        "A success is not logged",
    ),
    Defect(
        "audit-trail",
        OWN,
        (('    handler.logger.warning("bank code denied: %s", why)\n', ""),),
        "def complete",
        "A denial is not logged",
    ),
    Defect(
        "body-abuse",
        OWN,
        (('self.request_body.get("typed")', 'self.request_body["typed"].strip()'),),
        'self.request_body["typed"].strip()',
        'AttributeError in route "complete" if "typed" is a number.',
    ),
    Defect(
        "cache-key",
        OWN,
        (
            (
                '        pending = self.session_cache.get("pending")\n',
                (
                    '        self.session_cache.get(f"tries_{typed}")\n'
                    '        pending = self.session_cache.get("pending")\n'
                ),
            ),
        ),
        'self.session_cache.get(f"tries_{typed}")',
        '"typed" of the request',
    ),
]
