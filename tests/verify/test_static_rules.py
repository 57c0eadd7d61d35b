"""Where the static checks draw the line: small pieces of code on either side of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from q2mfa_cli.errors import ToolFailed
from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity, Skipped
from q2mfa_cli.platform.verify.static import STATIC, record
from q2mfa_cli.platform.verify.static import script as javascript
from q2mfa_cli.platform.verify.static.source import Source

HANDLER = """
import secrets, time, uuid, random, hmac, hashlib, itertools, jwt, requests, json
from contextlib import suppress
from q2_sdk.core import q2_requests
from q2_sdk.hq.hq_api.wedge_online_banking import Terms
from other import verify_code, audit, Client

class Handler:
    tries = {}
    jwks_by_issuer = {}

    @property
    def router(self):
        return {**super().router, "go": self.go}

    async def go(self):
        code = self.request_body.get("code")
"""


def problems(workspace: Path, check_id: str, files: dict[str, str]) -> list[Problem]:
    for name, text in {"extension.py": "x = 1\n", **files}.items():
        path = workspace / "Mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found: list[Problem] = []
    try:
        found.extend(STATIC[check_id](Source(workspace, "Mine")))
    except NotApplicable:
        assert found == []
    return found


def in_handler(lines: str) -> dict[str, str]:
    return {"extension.py": HANDLER + "".join(f"        {line}\n" for line in lines.strip("\n").splitlines())}


GRANT = "await self.set_external_mfa_token(secrets.token_urlsafe(32))"

PYTHON_DEFECTS = [
    ("token-guessable", "token = uuid.uuid1()\nawait self.set_external_mfa_token(token=token)"),
    ("token-guessable", "await self.set_external_mfa_token(f'{random.random()}-{time.time()}')"),
    ("token-guessable", "await self.set_external_mfa_token(hashlib.sha256(code.encode()).hexdigest())"),
    ("token-guessable", "await self.set_external_mfa_token(secrets.token_urlsafe(32) if code else 'none')"),
    ("token-guessable", "await self.set_external_mfa_token(secrets.token_hex()[:8])"),
    ("token-guessable", "await self.set_external_mfa_token(str(secrets.randbelow(10**6)))"),
    ("token-guessable", "t = ''.join(secrets.choice('abc') for _ in range(9))\nawait self.set_external_mfa_token(t)"),
    (
        "token-guessable",
        "t = ''.join(secrets.choice('0123456789') for _ in range(90, 99))\nawait self.set_external_mfa_token(t)",
    ),
    ("token-without-proof", f"self.logger.info('x')\n{GRANT}"),
    ("token-without-proof", f"answer = await q2_requests.get(self.logger, 'https://a.example')\n{GRANT}"),
    ("token-without-proof", f"with suppress(KeyError):\n    code = code.strip()\n{GRANT}"),
    ("fail-open", f"try:\n    verify_code(code)\nexcept ValueError:\n    pass\n{GRANT}"),
    ("fail-open", f"try:\n    verify_code(code)\nfinally:\n    {GRANT}"),
    ("fail-open", f"good = False\ntry:\n    good = verify_code(code)\nexcept OSError:\n    good = True\nif good:\n    {GRANT}"),
    ("fail-open", f"if self.is_locked():\n    raise OSError\nwith suppress(Exception):\n    verify_code(code)\n{GRANT}"),
    ("compare-timing", "if code != self.session_cache.get('sent'):\n    raise OSError"),
    ("compare-timing", "entered = self.request_body['passcode']\nif entered == self.sent:\n    return"),
    ("compare-timing", "if pyotp.TOTP(self.secret).now() == self.code:\n    return"),
    ("otp-unicode", "if not code.isnumeric():\n    raise OSError"),
    ("otp-unicode", "number = int(code)"),
    ("process-state", "type(self).tries[code] = 1"),
    ("pre-auth-api", "await Terms.execute(None)"),
    ("pre-auth-api", "if not self.is_authenticated:\n    await Terms.execute(None)"),
    ("outbound", "requests.Session().get('https://a.example')"),
    ("tls", "await q2_requests.get(self.logger, 'http://a.example', timeout=1)"),
    ("tls", "await q2_requests.get(self.logger, f'http://a.example/{code}', timeout=1)"),
    ("rp-bounds", "await q2_requests.get(self.logger, 'https://a.example', timeout=None)"),
    ("rp-signature", "id_token = code\njwt.decode(id_token, 'k', algorithms=['none'])"),
    ("rp-signature", "id_token = code\njwt.decode(id_token, options={'verify_signature': False, 'verify_aud': True})"),
    ("cache-key", "self.session_cache.set('tries_' + code, 1)"),
    ("cache-key", "key = f'k{code}'\nself.cache.add(key, 1)"),
    ("token-leak", "token = secrets.token_hex()\nself.logger.debug('token %s', token)"),
    ("token-leak", "print(json.dumps(self.request_body))"),
    ("secret-in-source", "client_secret = 'Zm9vYmFyMTIz'"),
    ("secret-in-source", "Client(password='hunter22')"),
    ("secret-in-source", "totp = pyotp.TOTP('JBSWY3DPEHPK3PXP')"),
    ("identity-from-page", "user = self.form_fields['user_id']"),
    ("txn-from-page", "body = self.request_body\namount = body['amount']"),
]  # fmt: skip

PYTHON_CLEAN = [
    ("token-guessable", "prefix = 'v1.'\nawait self.set_external_mfa_token(prefix + secrets.token_urlsafe(32))"),
    ("token-guessable", "await self.set_external_mfa_token(hashlib.sha256(secrets.token_bytes(32)).hexdigest())"),
    ("token-guessable", "await self.set_external_mfa_token(Client().token())"),
    ("token-without-proof", f"verify_code(code)\n{GRANT}"),
    ("token-without-proof", f"claims = Client().claims(code)\n{GRANT}"),
    ("token-without-proof", f"if code == '1':\n    {GRANT}"),
    ("token-without-proof", f"async with self.session() as proven:\n    {GRANT}"),
    ("fail-open", f"verify_code(code)\ntry:\n    audit(code)\nexcept Exception:\n    self.logger.exception('x')\n{GRANT}"),
    ("fail-open", f"verify_code(code)\ntry:\n    {GRANT}\nexcept TimeoutError:\n    {GRANT}"),
    ("fail-open", f"try:\n    verify_code(code)\nexcept ValueError as error:\n    raise OSError from error\n{GRANT}"),
    ("fail-open", f"try:\n    good = verify_code(code)\nexcept ValueError:\n    good = False\nif good:\n    {GRANT}"),
    ("fail-open", f"try:\n    verify_code(code)\nexcept ValueError:\n    return {{}}\nelse:\n    {GRANT}"),
    ("compare-timing", "if self.state == State.READY or code == '' or response.status_code == OK:\n    return"),
    ("compare-timing", "if len(code) == self.length and self.name == self.other:\n    return"),
    ("otp-unicode", "if code.isascii():\n    number = int(self.config.SECONDS)"),
    ("process-state", "tries = {}\ntries[code] = 1"),
    ("process-state", "Handler.jwks_by_issuer[code] = 1"),
    ("pre-auth-api", "if not self.is_authenticated:\n    return\nawait Terms.execute(None)"),
    ("pre-auth-api", "if self.is_authenticated and code:\n    await Terms.execute(None)"),
    ("outbound", "try:\n    pass\nexcept requests.exceptions.Timeout:\n    raise requests.RequestException('x')"),
    ("tls", "url = 'http://localhost:8080'\nawait q2_requests.get(self.logger, 'http://127.0.0.1/', timeout=1)"),
    ("rp-bounds", "await q2_requests.get(self.logger, 'https://a.example', **self.options)"),
    ("rp-signature", "id_token = code\njwt.decode(id_token, 'k', ['RS256'], options={'require': ['exp']})"),
    ("cache-key", "self.cache.set(hashlib.sha256(code.encode()).hexdigest(), code)"),
    ("token-leak", "self.logger.info('token set for %s', len(code))"),
    ("secret-in-source", "client_secret = self.config.CLIENT_SECRET\nCLIENT_SECRET = '<your client secret>'"),
    ("secret-in-source", "PASSWORD = ''\nfield = {'password': 'BANK_PASSWORD'}"),
    ("identity-from-page", "user = self.mfa_info.registration_value\nother = {'user_id': 1}['user_id']"),
    ("txn-from-page", "ids = self.mfa_info.transaction_ids\nrows = self.form_fields['note']"),
]  # fmt: skip


@pytest.mark.parametrize(("check_id", "lines"), PYTHON_DEFECTS)
def test_defect_in_python_is_one_finding(check_id: str, lines: str, memory: Path) -> None:
    [problem] = problems(memory, check_id, in_handler(lines))
    assert problem.message.endswith(".") and problem.location.path == "Mine/extension.py"


@pytest.mark.parametrize(("check_id", "lines"), PYTHON_CLEAN)
def test_clean_python_is_no_finding(check_id: str, lines: str, memory: Path) -> None:
    assert problems(memory, check_id, in_handler(lines)) == []


SCRIPT_DEFECTS = [
    ("dom-xss", "element.outerHTML += name;"),
    ("dom-xss", "element.insertAdjacentHTML('beforeend', `<b>${name}</b>`);"),
    ("dom-xss", "document.write(name);"),
    ("dom-xss", "const run = new Function(name);"),
    ("dom-xss", "$('#a').html(data.text);"),
    ("post-message", "window.onmessage = ({ data }) => use(data);"),
    ("post-message", "function got(e) { use(e.data); }\nself.addEventListener('message', got);"),
    ("post-message", "parent.postMessage(x, { targetOrigin: '*' });"),
    ("open-redirect", "const p = new URL(location.href).searchParams;\nlocation = p.get('to');"),
    ("open-redirect", "const { hash } = window.location;\nwindow.open(decodeURIComponent(location.hash.slice(1)));"),
    ("open-redirect", "location.assign(`${new URLSearchParams(location.search).get('to')}`);"),
    ("verify-ignored", "async function go() { api.actions.verifyMFA({ token }); }"),
    ("verify-ignored", "api.actions.verifyMFA({ token }).then(done);"),
    ("verify-ignored", "button.addEventListener('click', () => api.actions.verifyMFA({ token }));"),
    ("no-exit", "verifyMFA({ token }).catch(fail);"),
    ("framing-broken", "if (top !== self) top.location.replace(location.href);"),
    ("third-party-script", "import('https://cdn.example.com/a.js');"),
    ("third-party-script", "import x from 'https://esm.example.com/x';"),
    ("landing-leak", "const q = new URLSearchParams(location.search);\nconst accessToken = 1;\nsessionStorage.setItem('t', accessToken);"),
    ("input-hints", "input.addEventListener('paste', (e) => e.preventDefault());"),
    ("secret-in-source", "const options = { apiKey: 'k9-1a2b3c' };"),
]  # fmt: skip

SCRIPT_CLEAN = [
    ("dom-xss", "element.innerHTML = ''; element.innerHTML = '<b>' + 'x' + '</b>';"),
    ("dom-xss", "element.innerHTML = DOMPurify.sanitize(name); const innerHTML = name;"),
    ("dom-xss", "setTimeout(() => go(name), 10); map.html(name);"),
    ("post-message", "addEventListener('message', ({ origin, data }) => origin === OURS && use(data));"),
    ("post-message", "worker.addEventListener('message', (e) => use(e.data)); worker.postMessage(x, '*');"),
    ("post-message", "parent.postMessage(x, 'https://online.bank.example');"),
    ("open-redirect", "const to = new URLSearchParams(location.search).get('to');\nif (KNOWN.includes(to)) location.href = to;"),
    ("open-redirect", "location.href = `/help?from=${new URLSearchParams(location.search).get('to')}`;"),
    ("open-redirect", "location.replace(data.url); location.href = 'https://help.example.com';"),
    ("open-redirect", "location.href = PAGES[new URLSearchParams(location.search).get('to')];"),
    ("verify-ignored", "async function go() { try { await api.actions.verifyMFA({ token }); } catch { fail(); } }"),
    ("verify-ignored", "api.actions.verifyMFA({ token }).then(done, fail); actions.verifyMFA({ exit: true });"),
    ("verify-ignored", "const finish = (token) => api.actions.verifyMFA({ token });"),
    ("verify-ignored", "connected.then((api) => api.actions.verifyMFA({ token })).then(done).catch(fail);"),
    ("no-exit", "verifyMFA({ token }); const leave = { exit: true }; verifyMFA(leave);"),
    ("framing-broken", "const { location } = window.top; if (top === self) fail();"),
    ("third-party-script", "import x from './x.js'; image.src = 'https://cdn.example.com/a.png';"),
    ("input-hints", "input.addEventListener('paste', (e) => { e.preventDefault(); set(e.clipboardData.getData('text')); });"),
    ("secret-in-source", "const texts = { password: 'Your password', label: 'Secret question' };"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["page.js", "page.html"])
@pytest.mark.parametrize(("check_id", "script"), SCRIPT_DEFECTS)
def test_defect_in_a_script_is_one_finding(check_id: str, script: str, name: str, memory: Path) -> None:
    is_page = name.endswith(".html")
    text = f'<!DOCTYPE html>\n<input id="code" aria-label="Code" autocomplete="one-time-code">\n<script>\n{script}\n</script>\n'
    [problem] = problems(memory, check_id, {f"frontend/public/{name}": text if is_page else script})
    assert problem.location.line <= script.count("\n") + 1 + 3 * is_page
    assert problem.location.source in script.replace("k9-1a2b3c", "•••")


@pytest.mark.parametrize("suffix", ["ts", "tsx", "jsx"])
def test_defect_in_a_built_front_end_is_found_in_its_source(suffix: str, memory: Path) -> None:
    typed = "(name as string)" if suffix.startswith("ts") else "name"
    files = {
        f"frontend/src/page.{suffix}": f"element.innerHTML = {typed};",
        "frontend/dist/page.js": "eval(name);",
    }
    [problem] = problems(memory, "dom-xss", files)
    assert problem.location.path == f"Mine/frontend/src/page.{suffix}"


@pytest.mark.parametrize(("check_id", "script"), SCRIPT_CLEAN)
def test_clean_script_is_no_finding(check_id: str, script: str, memory: Path) -> None:
    page = '<input id="code" aria-label="Code" autocomplete="one-time-code">'
    files = {"frontend/public/page.js": script, "frontend/public/page.html": page}
    assert problems(memory, check_id, files) == []


@pytest.mark.parametrize(
    ("markup", "count"),
    [
        ("{{ name }}", 1),
        ("{{ name|upper }}", 1),
        ("{{ name|safe|e }}", 1),
        ("{% if name %}{{ user.name }}{% endif %}", 1),
        ("{{ name|upper|e }}{{ items|tojson }}{{ 'text' }}{{ this.base_assets_url }}", 0),
        ("{% macro row(x) %}{{ x|e }}{% endmacro %}{{ row(name) }}", 0),
        ("{% raw %}{{ name }}{% endraw %}{# {{ name }} #}", 0),
        ("{% autoescape true %}{% if a %}{{ a }}{% endif %}{% endautoescape %}", 0),
        (
            "{% autoescape true %}{% autoescape false %}{{ a }}{% endautoescape %}{{ b }}{% endautoescape %}",
            1,
        ),
    ],
)
def test_template_has_to_escape_what_it_writes(markup: str, count: int, memory: Path) -> None:
    assert len(problems(memory, "dom-xss", {"templates/index.html.jinja2": markup})) == count


@pytest.mark.parametrize(
    ("tag", "count"),
    [
        ('<script src="https://cdn.example.com/a.js"></script>', 1),
        ('<script src="//cdn.example.com/a.js"></script>', 1),
        ('<link rel="stylesheet" href="https://fonts.example.com/a.css">', 1),
        ('<script src="https://cdn.example.com/a.js" integrity="sha384-x"></script>', 0),
        (
            '<script src="https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"></script>',
            0,
        ),
        ('<script src="a.js"></script><link rel="icon" href="https://cdn.example.com/a.png">', 0),
    ],
)
def test_script_or_style_of_another_host_needs_integrity(tag: str, count: int, memory: Path) -> None:
    assert len(problems(memory, "third-party-script", {"frontend/public/index.html": tag})) == count


@pytest.mark.parametrize(
    ("tag", "count"),
    [
        ('<input name="otp">', 2),
        ('<input id="securityCode" aria-label="Code">', 1),
        ('<label for="pin">PIN</label><input id="pin" autocomplete="one-time-code" onpaste="return false">', 1),
        ('<label>Code <input id="code" autocomplete="one-time-code"></label>', 0),
        ('<input id="zip_code"><input type="hidden" name="token"><input name="q2token"><input type="checkbox" id="code">', 0),
    ],
)  # fmt: skip
def test_field_for_a_code_needs_its_hints(tag: str, count: int, memory: Path) -> None:
    assert len(problems(memory, "input-hints", {"frontend/public/index.html": tag})) == count


def test_location_counts_characters_and_lines_from_one(memory: Path) -> None:
    files = {
        "extension.py": "ä = 'ö'; requests.get('x')\n".replace("ä", "import requests; ä"),
        "frontend/public/page.js": "// ü\n/* ü */ element.innerHTML = name;\n",
    }
    [python] = problems(memory, "outbound", files)
    [script] = problems(memory, "dom-xss", files)
    assert (python.location.line, python.location.column) == (1, 27)
    assert (script.location.line, script.location.column) == (2, 9)
    assert script.location.source == "/* ü */ element.innerHTML = name;"


def test_report_does_not_repeat_a_secret(memory: Path) -> None:
    [problem] = problems(memory, "secret-in-source", in_handler("api_key = 'k9-1a2b3c'"))
    assert "k9-1a2b3c" not in problem.message + problem.location.source
    assert problem.location.source.strip() == "api_key = '•••'"


def test_secret_of_a_known_format_is_found_in_tests_too_and_others_are_not(memory: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----"
    files = {"tests/keys.py": f"KEY = '''{key}'''\nSECRET = 'JBSWY3DPEHPK3PXP'\n"}
    [problem] = problems(memory, "secret-in-source", files)
    assert problem.location.line == 1


def test_severity_depends_on_how_weak_the_token_is(memory: Path) -> None:
    def severity(value: str) -> Severity | None:
        [problem] = problems(
            memory, "token-guessable", in_handler(f"await self.set_external_mfa_token({value})")
        )
        return problem.severity

    assert severity("time.time()") is None
    assert severity("secrets.token_hex(8)") is Severity.HIGH
    assert severity("uuid.uuid4().hex") is Severity.NOTE


def test_python_that_cannot_be_parsed_is_an_error_with_its_line(memory: Path) -> None:
    with pytest.raises(ToolFailed, match=r"Mine/extension\.py, line 2"):
        problems(memory, "outbound", {"extension.py": "x = 1\nif x\n"})


def test_template_that_cannot_be_parsed_is_an_error_with_its_line(memory: Path) -> None:
    with pytest.raises(ToolFailed, match=r"a\.jinja2, line 2"):
        problems(memory, "dom-xss", {"templates/a.jinja2": "<p>\n{% if %}"})


def test_missing_parser_skips_only_the_checks_of_scripts(memory: Path, monkeypatch) -> None:
    javascript._parser.cache_clear()
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    files = {"templates/a.jinja2": "{{ name }}", "frontend/public/page.js": "element.innerHTML = name;"}
    for name, text in files.items():
        (memory / "Mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (memory / "Mine" / name).write_text(text)
    (memory / "Mine" / "extension.py").write_text("")
    found: list[Problem] = []
    with pytest.raises(Skipped, match=r"q2mfa-cli\[verify\]"):
        found.extend(STATIC["dom-xss"](Source(memory, "Mine")))
    assert [problem.message for problem in found] == ['"name" is not escaped.']


def test_extension_without_python_is_an_error(memory: Path) -> None:
    (memory / "Mine").mkdir()
    with pytest.raises(ToolFailed, match="no Python file"):
        Source(memory, "Mine")


def test_security_fix_since_the_version_that_made_it_is_found(memory: Path, monkeypatch) -> None:
    class Old:
        version = "0.0.1"

        def request(self):
            return self

        integration = None

    monkeypatch.setattr(record, "read_record", lambda *_: Old())
    monkeypatch.setattr(
        record, "security_fixes", lambda since, _: [f"Codes count per account (after {since})"]
    )
    [problem] = problems(memory, "template-behind", {})
    assert problem.message == "A security fix is missing: Codes count per account (after 0.0.1)."
    assert problem.location.path == ".q2mfa/Mine.json"
