"""The static checks: what they find in extensions with known defects, and that they find nothing in clean ones."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from command import q2mfa

from q2mfa_cli.platform.verify.check import NotApplicable
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.static.source import Source
from q2mfa_cli.platform.verify.table import CHECKS

HERE = Path(__file__).parent
HAND_WRITTEN = HERE / "hand_written"
SNAPSHOTS = HERE.parent / "snapshots"
NAME = "MyExternalMFA"

Place = tuple[str, str, int]
"""A check's id, a path and a line."""


def found(workspace: Path, name: str) -> Counter[Place]:
    source = Source(workspace, name)
    places: Counter[Place] = Counter()
    for check_id, run in STATIC.items():
        try:
            places.update((check_id, each.location.path, each.location.line) for each in run(source))
        except NotApplicable:
            continue
    return places


def marked(workspace: Path, name: str) -> Counter[Place]:
    """What the comments announce: `DEFECT` and the ids of the checks that see it, on the line of the defect."""
    places: Counter[Place] = Counter()
    configuration = workspace / "configuration"
    files = [*(workspace / name).rglob("*.*"), configuration / f"{name}.py", configuration / "settings.py"]
    for file in files:
        if "__pycache__" in file.parts:
            continue
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if comment := re.search(r"DEFECT((?: [a-z][a-z-]+)+)", line):
                path = file.relative_to(workspace).as_posix()
                places.update((check_id, path, number) for check_id in comment[1].split())
    return places


@pytest.mark.parametrize("name", ["voice_call", "bank_id"])
def test_each_defect_of_a_hand_written_extension_is_found_on_its_line_and_nothing_else(name: str) -> None:
    workspace = HAND_WRITTEN / "defects"
    assert found(workspace, name) == marked(workspace, name)


@pytest.mark.parametrize("name", ["voice_call", "bank_id"])
def test_nothing_is_found_in_a_clean_hand_written_extension(name: str) -> None:
    assert found(HAND_WRITTEN / "clean", name) == Counter()


# For each generated extension: the file, a text that it has once, and the same with a defect. The comment names the checks.
SEEDED: dict[str, list[tuple[str, str, str]]] = {
    "standard-ssr": [
        ("extension.py", "import secrets\n", "import secrets\nimport uuid\n"),
        (
            "extension.py",
            "    DYNAMIC_CORE_SELECTION = False\n",
            "    DYNAMIC_CORE_SELECTION = False\n    IS_UNAUTHENTICATED = True  # DEFECT unauthenticated\n",
        ),
        (
            "extension.py",
            '            raise TectonError(code, {"code": code}) from None  # the page finds the code in either\n',
            "            step = True  # DEFECT fail-open\n",
        ),
        (
            "extension.py",
            'self.logger.info("External MFA: the factor is proven")',
            'self.logger.info("External MFA: %s", self.request_body)  # DEFECT token-leak',
        ),
        ("extension.py", "token = secrets.token_urlsafe(32)", "token = uuid.uuid4().hex  # DEFECT token-guessable"),
        (
            "extension.py",
            'list(map(str, getattr(self.mfa_info, "transaction_ids", None) or [])),',
            'list(map(str, self.request_body["transaction_ids"])),  # DEFECT txn-from-page',
        ),
        ("factor.py", "    SETTINGS: ClassVar = {}", "    used: ClassVar = {}  # DEFECT process-state\n    SETTINGS: ClassVar = {}"),
        ("factor.py", 'state["step"] = step', "self.used[digest] = step"),
        ("factor.py", "digest = hashlib.sha256(totp.byte_secret()).hexdigest()", "digest = self.handler.mfa_info.registration_value"),
        ("customer.py", "self.cache.gets(self.key)", "self.cache.gets(self.key)  # DEFECT cache-key"),
        ("factor.py", 're.fullmatch("[0-9]{6}", passcode)', "passcode.isdigit()  # DEFECT otp-unicode"),
        ("templates/index.html.jinja2", '"{{ purpose|tojson|forceescape }}"', "'{{ purpose }}'"),
        ("templates/index.html.jinja2", 'id="mfa"', 'id="mfa" {# DEFECT dom-xss #}'),
        ("templates/index.html.jinja2", "{{ this.base_assets_url|e }}/mfa.js", "https://cdn.example.com/mfa.js"),
        ("templates/index.html.jinja2", "defer></script>\n<script", "defer></script> {# DEFECT third-party-script #}\n<script"),
        ("templates/submit.html.jinja2", 'autocomplete="one-time-code" ', "{# DEFECT input-hints #} "),
        ("frontend/public/mfa.js", "message.textContent = shown[1]", "message.innerHTML = /* DEFECT dom-xss */ shown[1]"),
        (
            "frontend/public/mfa.js",
            "await unlessCanceled(verifyMFA({ token }));",
            "verifyMFA({ token }); // DEFECT verify-ignored no-exit",
        ),
        ("frontend/public/mfa.js", "verifyMFA({ exit: true })", "null"),
    ],
    "standard-message-csr": [
        (
            "factor.py",
            'not hmac.compare_digest(self._bound(salt, passcode), state["code"]):',
            'self._bound(salt, passcode) != state["code"]:  # DEFECT compare-timing',
        ),
        ("factor.py", "import json\n", "import json\nimport random\nimport requests\nimport smtplib  # DEFECT weak-channel\n"),
        (
            "factor.py",
            'code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))',
            'code = "".join(random.choice("0123456789") for _ in range(6))  # DEFECT otp-made-here',
        ),
        (
            "factor.py",
            'destination = getattr(self.handler.mfa_info, "registration_value", None)',
            'destination = self.handler.request_body.get("phone")  # DEFECT identity-from-page',
        ),
        (
            "factor.py",
            '        raise Denied("not_configured", "deliver() of factor.py is not filled in")',
            '        requests.post("http://sms.example.com", verify=False)  # DEFECT outbound tls tls',
        ),
        ("extension.py", "token = secrets.token_urlsafe(32)", "token = secrets.token_hex(8)  # DEFECT token-guessable"),
        (
            "frontend/public/index.js",
            '"use strict";\n',
            '"use strict";\n  addEventListener("message", (event) => console.log(event.data)); // DEFECT post-message\n',
        ),
        (
            "frontend/public/index.html",
            '<script src="./mfa.js" defer></script>',
            '<script src="//cdn.example.com/mfa.js"></script><!-- DEFECT third-party-script -->',
        ),
        (
            "configuration",
            'HASH_SECRET = __os.environ.get("MYEXTERNALMFA_HASH_SECRET", "")',
            'HASH_SECRET = "Vb3kP0sQ71xMz9"  # DEFECT secret-in-source',
        ),
    ],
    "redirect-ssr": [
        ("extension.py", "        await OidcClient(self).finish(self.request_body)\n", ""),
        (
            "extension.py",
            "await self.set_external_mfa_token(token)",
            "await self.set_external_mfa_token(token)  # DEFECT token-without-proof",
        ),
        ("extension.py", "import secrets\n", "import secrets\nimport time\n"),
        ("extension.py", "token = secrets.token_urlsafe(32)", "token = str(time.time())  # DEFECT token-guessable"),
        (
            "protocol.py",
            "[alg], leeway=LEEWAY_SECONDS, **valid)",
            '[alg], options={"verify_signature": False}, **valid)  # DEFECT rp-signature',
        ),
        ("protocol.py", '    request = {\n        "client_id"', '    request = {  # DEFECT rp-nonce rp-state rp-pkce\n        "client_id"'),
        ("protocol.py", '("redirect_uri", "state", "nonce")}', '("redirect_uri",)}'),
        ("protocol.py", '        "code_challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),\n', ""),
        ("oidc.py", '("redirect_uri", "code_verifier")}', '("redirect_uri",)}'),
        ("oidc.py", '"code": code}', '"code": code}  # DEFECT rp-pkce'),
        ("frontend/public/verify.js", '  history.replaceState(null, "", location.pathname);\n', ""),
        ("frontend/public/verify.js", "sent.getAll(name);", "sent.getAll(name); // DEFECT landing-leak"),
        ("frontend/public/verify.html", '  <meta name="referrer" content="no-referrer">\n', ""),
        ("frontend/public/verify.html", "<head>", "<head><!-- DEFECT landing-leak -->"),
        (
            "frontend/public/index.js",
            "location.replace(url);",
            'location.replace(new URLSearchParams(location.search).get("to") || url); // DEFECT open-redirect',
        ),
        (
            "configuration",
            'CLIENT_SECRET = __os.environ.get("MYEXTERNALMFA_CLIENT_SECRET", "")',
            'CLIENT_SECRET = "Vb3kP0sQ71xMz9"  # DEFECT secret-in-source',
        ),
        ("configuration", '"https://idp.example.com"', '"http://idp.example.com"  # DEFECT tls'),
    ],
    "redirect-csr": [
        (
            "extension.py",
            "        await OidcClient(self).finish(self.request_body)\n",
            "        with suppress(TectonError):  # DEFECT fail-open\n            await OidcClient(self).finish(self.request_body)\n",
        ),
        ("extension.py", "import secrets\n", "import secrets\nfrom contextlib import suppress\n"),
        (
            "extension.py",
            "        return await OidcClient(self).start(",
            "        await Hint.execute(None)  # DEFECT pre-auth-api\n        return await OidcClient(self).start(",
        ),
        (
            "extension.py",
            "from .install.db_plan import DbPlan\n",
            "from q2_sdk.hq.hq_api.wedge_online_banking import Hint\nfrom .install.db_plan import DbPlan\n",
        ),
        ("oidc.py", "q2_requests.get, url)", "q2_requests.get, url, verify=False)"),
        ("oidc.py", "url, verify=False), *args)", "url, verify=False), *args)  # DEFECT tls"),
        (
            "oidc.py",
            'with denying("provider_unavailable", f"{host} gave no usable answer"):',
            'answer = await q2_requests.get(logger, url)  # DEFECT rp-bounds\n        with denying("provider_unavailable", f"{host} gave no usable answer"):',
        ),
        ("protocol.py", '"response_type": "code",', '"response_type": "code id_token",'),
        ("protocol.py", "    request = {\n", "    request = {  # DEFECT rp-flow\n"),
        (
            "protocol.py",
            'current(is_same(callback.get("state"), flow["state"]), "the state is another one")',
            'current(callback.get("state") == flow["state"], "the state is another one")  # DEFECT compare-timing',
        ),
        (
            "frontend/public/index.js",
            "location.replace(url);",
            'sessionStorage.setItem("code", callback.code); // DEFECT landing-leak\n    top.location.href = url; // DEFECT framing-broken',
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("variant", SEEDED)
def test_each_defect_of_a_generated_extension_is_found_on_its_line_and_nothing_else(
    variant: str, memory: Path
) -> None:
    workspace = memory / variant
    shutil.copytree(SNAPSHOTS / variant, workspace)
    (workspace / "configuration" / "settings.py").write_text("OUTBOUND_WHITELIST = []\n")
    for name, clean, defect in SEEDED[variant]:
        file = workspace / ("configuration" if name == "configuration" else NAME)
        file = file / (f"{NAME}.py" if name == "configuration" else name)
        text = file.read_text("utf-8")
        assert text.count(clean) == 1, f"{name}: {clean}"
        file.write_text(text.replace(clean, defect), "utf-8")
    assert found(workspace, NAME) == marked(workspace, NAME)


@pytest.mark.parametrize("variant", sorted(path.name for path in SNAPSHOTS.iterdir()))
def test_nothing_is_found_in_a_generated_extension(variant: str) -> None:
    assert found(SNAPSHOTS / variant, NAME) == Counter()


@pytest.mark.parametrize(
    "options",
    [
        ["make_a_payment", "--factor", "message"],
        ["token_secret_password", "--rendering", "csr", "--tecton-version", "1.70.0"],
        [
            *(
                "code_pin",
                "--mfa",
                "redirect",
                "--issuer",
                "http://localhost:8080",
                "--client-id",
                "client_secret_7f3",
            ),
            *(
                "--scope",
                "openid",
                "--scope",
                "email",
                "--client-auth-method",
                "private_key_jwt",
                "--par",
                "required",
            ),
            *("--outbound-host", "keys.bank.example"),
        ],
        ["Redirect", "--mfa", "redirect", "--issuer", "https://login.bank.example/realms/a", "--par", "off"],
    ],
    ids=lambda options: options[0],
)
def test_nothing_is_found_with_any_options_of_create(options: list[str], workspace: Path) -> None:
    run = q2mfa("create", *options, "--no-input", cwd=workspace)
    assert run.status == 0, run
    assert found(workspace, options[0]) == Counter()


def test_corpus_has_a_defect_for_each_static_check() -> None:
    places = marked(HAND_WRITTEN / "defects", "voice_call") + marked(HAND_WRITTEN / "defects", "bank_id")
    assert STATIC.keys() - {check_id for check_id, _, _ in places} == {"template-behind"}


def test_table_marks_each_static_check() -> None:
    # The last two are found by what reads the ignore comments.
    in_table = {check.id for check in CHECKS if "static" in check.seen} - {
        "ignore-unused",
        "ignore-without-reason",
    }
    assert in_table == STATIC.keys()
