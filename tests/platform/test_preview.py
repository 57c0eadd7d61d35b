"""`q2mfa preview` from a terminal and over HTTP: what it serves to whom, how it ends, and what it refuses."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
import requests
import segno
from command import contents, q2mfa_process
from preview_process import (
    REDIRECT,
    STANDARD,
    VARIANTS,
    PreviewProcess,
    create_variant,
    make_workspace,
    start_preview,
)
from waiting import wait_until

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

PreviewOf = Callable[[str], PreviewProcess]


def idp_of(preview: PreviewProcess) -> str:
    note = " ".join(preview.platform()["changed_for_this_run"])
    return re.findall(r"http://127\.0\.0\.1:\d+", note)[0]


# ---- --check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STANDARD[0], REDIRECT[1]])
def test_check_of_generated_extension_passes(name: str, variants: Path) -> None:
    before = contents(variants)
    run = q2mfa_process("preview", "--check", name, "-o", variants, cwd=variants)
    assert run.status == 0, run
    assert re.search(r"^\d+ checks passed, 0 failed, \d not applicable\.$", run.out, re.MULTILINE)
    for workflow in ("Log in", "Approve a transaction", "Patrol event"):
        steps = run.out.split(f"\n{workflow}: the right user completes MFA\n")[1].split("\n\n")[0]
        assert re.findall(r"^  (\d) ", steps, re.MULTILINE) == list("12345678")
    assert contents(variants) == before


# Each takes one check out of a generated file; the check of verify that has to notice is beside it. tests/verify has the others.
LEAKS = [
    ("StandardSsr", "factor.py", "default=None", "default=now", "token-without-proof"),
    (
        "RedirectCsr",
        "protocol.py",
        "claims.get(settings.IDENTITY_CLAIM) == settings.identity",
        "True",
        "rp-right-user",
    ),
]


@pytest.mark.parametrize(("name", "file", "line", "instead", "noticed"), LEAKS)
def test_check_of_extension_without_a_check_fails(
    name: str, file: str, line: str, instead: str, noticed: str, variants: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(variants, workspace)
    source = workspace / name / file
    text = source.read_text("utf-8")
    assert text.count(line) == 1
    source.write_text(text.replace(line, instead))
    run = q2mfa_process("preview", "--check", name, "-o", workspace, cwd=workspace)
    assert run.status == 1
    found = run.out.split(f"[{noticed}]: ")[1]
    assert "= note: seen in Log in, Approve a transaction, Patrol event\n" in found, run


def test_check_of_factor_that_sends_a_code_passes(tmp_path: Path) -> None:
    name, workspace = STANDARD[1], make_workspace(tmp_path / "workspace")
    create_variant(workspace, name, "--factor", "message")
    run = q2mfa_process("preview", "--check", name, "-o", workspace, cwd=workspace)
    assert run.status == 0, run
    assert "8 checks passed, 0 failed" in run.out
    assert "\npassed: right-user, token-without-proof, " in run.out


def test_message_is_delivered_to_the_phone_of_its_challenge_only(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, "StandardCsr", "--factor", "message")
    with start_preview(workspace, "StandardCsr") as preview:
        assert preview.platform()["phone"] is True
        first, second = (
            preview.challenge("transaction", registration_value=number, transaction_ids=[7, 8])
            for number in ("+1 555 0100", "+1 555 0101")
        )
        answer = preview.call(f"challenges/{first}/extension", {"route": "submit", "body": {"send": True}})
        assert answer.json()["data"]["sent_to"] == "•••• 0100"
        [message] = requests.get(f"{preview.url}/api/challenges/{first}/messages", timeout=10).json()[
            "messages"
        ]
        assert message["to"] == "+1 555 0100"
        assert re.fullmatch(r"\d{6} is your code to confirm 2 transactions\. .*", message["text"])
        nothing = requests.get(f"{preview.url}/api/challenges/{second}/messages", timeout=10).json()
        assert nothing == {"messages": []}


def test_check_of_extension_without_token_fails(variants: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(variants, workspace)
    extension = workspace / "StandardSsr" / "extension.py"
    text = extension.read_text("utf-8")
    extension.write_text(text.replace("result = await self.set_external_mfa_token(token)", "return {}"))
    run = q2mfa_process("preview", "--check", "StandardSsr", "-o", workspace, cwd=workspace)
    assert run.status == 1
    assert "high[right-user]: The right user does not complete MFA: " in run.out


# ---- starting and stopping -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["StandardSsr", "RedirectSsr"])
def test_preview_on_ctrl_c_exits_with_0_and_leaves_no_files(name: str, variants: Path) -> None:
    before = contents(variants)
    with start_preview(variants, name) as preview:
        preview.challenge()
        status, out, err = preview.interrupt()
        assert (status, err) == (0, "")
        assert out.endswith("Stopped.\n")
        with pytest.raises(requests.ConnectionError):
            requests.get(preview.url, timeout=5)
    assert contents(variants) == before


def test_preview_of_redirect_lists_values_of_this_run(preview_of: PreviewOf) -> None:
    said = preview_of("RedirectSsr").output
    assert "a local fake; no Q2 system" in said
    assert "ISSUER is the embedded identity provider, http://127.0.0.1:" in said
    assert "OUTBOUND_WHITELIST also contains 127.0.0.1." in said


def test_preview_on_taken_port_fails(variants: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = q2mfa_process(
            "preview",
            "StandardSsr",
            "-o",
            variants,
            "--no-browser",
            "--port",
            str(min(port, 65533)),
            cwd=variants,
        )
    assert run.status == 1
    assert "cannot be used" in run.err and "--port" in run.err
    assert "Traceback" not in run.err


NEEDED = "and 'https://idp.example.com' needs it."


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Missing"], "'Missing' is not in INSTALLED_EXTENSIONS"),
        (["StandardSsr", "--issuer", "https://idp.example.com"], "has no identity provider"),
        (["RedirectSsr", "--issuer", "https://idp.example.com"], "CLIENT_ID is empty"),
        (["RedirectSsr", "--issuer", "https://idp.example.com/.well-known/openid-configuration"], NEEDED),
        (["RedirectSsr", "--issuer", "idp.example.com"], "it must start with https://"),
        (
            ["RedirectSsr", "--check", "--issuer", "https://idp.example.com"],
            "only with the embedded provider",
        ),
    ],
)
def test_preview_with_wrong_arguments_fails_on_two_lines(
    arguments: list[str], says: str, variants: Path
) -> None:
    run = q2mfa_process("preview", *arguments, "-o", variants, "--no-browser", "--port", "0", cwd=variants)
    assert run.status in (1, 2)
    assert says in run.err
    assert len(run.err.splitlines()) == 2 and run.out == ""


BROKEN = [
    ("StandardSsr/factor.py", "import nowhere", "ModuleNotFoundError: No module named 'nowhere'", 1),
    ("StandardSsr/extension.py", "import sys\nsys.exit(3)", "SystemExit: 3", 2),
    ("configuration/StandardSsr.py", "FEATURE = [\n", "SyntaxError: '[' was never closed", 1),
    ("configuration/settings.py", "INSTALLED_EXTENSIONS = 1 / 0", "ZeroDivisionError: division by zero", 1),
]


@pytest.mark.parametrize(("file", "text", "what", "line"), BROKEN)
def test_preview_of_broken_extension_names_the_line_and_works_after_the_fix(
    file: str, text: str, what: str, line: int, variants: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(variants, workspace)
    source = workspace / file
    original = source.read_text("utf-8")
    source.write_text(text)
    with start_preview(workspace, "StandardSsr") as preview:
        challenge = preview.challenge()
        failure = preview.call(f"challenges/{challenge}/outlet", {}).json()["failure"]
        assert (failure["what"], failure["where"]) == (what, f"{file}:{line}")
        assert [line, text.splitlines()[line - 1]] in failure["source"]
        source.write_text(original)
        wait_until(lambda: preview.call(f"challenges/{challenge}/outlet", {}).json()["failure"] is None)
        status, _, err = preview.interrupt()
        assert status == 0
        assert err.splitlines() == [f"ERROR q2mfa preview: {what} ({file}:{line}, import)"]


def test_check_of_broken_extension_fails_on_two_lines(variants: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(variants, workspace)
    (workspace / "StandardSsr" / "factor.py").write_text("import nowhere_to_be_found\n")
    run = q2mfa_process("preview", "--check", "StandardSsr", "-o", workspace, cwd=workspace)
    assert run.status == 3
    assert "No module named 'nowhere_to_be_found' (StandardSsr/factor.py:1, import)" in run.err
    assert "Traceback" not in run.err


def test_preview_of_a_feature_without_a_page_names_the_feature(variants: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(variants, workspace)
    configuration = workspace / "configuration" / "StandardCsr.py"
    original = configuration.read_text("utf-8")
    configuration.write_text(original.replace("index.html", "missing.html"))
    with start_preview(workspace, "StandardCsr") as preview:
        challenge = preview.challenge()

        def failure() -> str:
            found = preview.call(f"challenges/{challenge}/outlet", {}).json()["failure"]
            return str((found or {}).get("what", ""))

        assert (
            failure()
            == "The page that FEATURE opens does not exist: StandardCsr/frontend/public/missing.html"
        )
        configuration.write_text(original.replace("FEATURE =", "NO_FEATURE ="))
        wait_until(lambda: 'has no url in FEATURE["modules"]["Main"]' in failure())


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_preview_with_real_sdk_installed_fails(options: list[str], variants: Path, tmp_path: Path) -> None:
    (tmp_path / "sdk" / "q2_sdk").mkdir(parents=True)
    (tmp_path / "sdk" / "q2_sdk" / "__init__.py").write_bytes(b"")
    env = {"PYTHONPATH": str(tmp_path / "sdk")}
    run = q2mfa_process(
        "preview", "StandardSsr", *options, "-o", variants, "--no-browser", cwd=variants, env=env
    )
    assert run.status == (3 if options else 1)
    assert "The Q2 SDK is installed here" in run.err


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_preview_without_segno_names_the_missing_package(
    options: list[str], variants: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['segno'] = None\n")
    env = {"PYTHONPATH": str(tmp_path)}
    run = q2mfa_process(
        "preview", "StandardSsr", *options, "-o", variants, "--no-browser", cwd=variants, env=env
    )
    assert run.status == (3 if options else 1)
    assert re.search("needs? segno", run.err) and 'pip install "q2mfa-cli[sandbox]"' in run.err


# ---- who is answered ---------------------------------------------------------------------------------------


def origins(preview: PreviewProcess) -> list[str]:
    platform = preview.platform()
    return [preview.url, platform["extension_origin"], idp_of(preview)]


def test_preview_listens_on_loopback_only(preview_of: PreviewOf) -> None:
    # All of 127.0.0.0/8 is this machine; a server on every interface would answer there.
    for origin in origins(preview_of("RedirectCsr")):
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", urlsplit(origin).port or 0), 5):
            pass


@pytest.mark.parametrize("path", ["", "/api/platform", "/assets/RedirectCsr/index.html", "/jwks"])
def test_request_with_foreign_host_is_refused(path: str, preview_of: PreviewOf) -> None:
    for origin in origins(preview_of("RedirectCsr")):
        for host in ("evil.example", f"evil.example:{urlsplit(origin).port}", "127.0.0.1:1"):
            answer = requests.get(origin + path, headers={"Host": host}, timeout=10)
            assert answer.status_code == 403
            assert "on your machine" in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_request_from_foreign_origin_is_refused(origin: str, preview_of: PreviewOf) -> None:
    preview = preview_of("RedirectCsr")
    at_uux, at_extension, at_idp = origins(preview)
    for address in (f"{at_uux}/api/challenges", f"{at_extension}/RedirectCsr/start", f"{at_idp}/login"):
        assert requests.post(address, json={}, headers={"Origin": origin}, timeout=10).status_code == 403
    # Nor may the extension's page, or the provider's, do what UUX's page does.
    for other in (at_extension, at_idp):
        answer = preview.call("challenges", {"workflow": "login", "mfa_info": {}}, Origin=other)
        assert answer.status_code == 403


def test_api_request_from_form_is_refused(preview_of: PreviewOf) -> None:
    preview = preview_of("StandardSsr")
    answer = requests.post(
        f"{preview.url}/api/challenges",
        data='{"workflow": "login"}',
        headers={"Origin": preview.url},
        timeout=10,
    )
    assert answer.status_code == 415


def test_pages_forbid_foreign_frames(preview_of: PreviewOf) -> None:
    preview = preview_of("StandardCsr")
    policy = requests.get(preview.url, timeout=10).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "script-src 'self';" in policy
    page = requests.get(f"{preview.platform()['extension_origin']}/assets/StandardCsr/index.html", timeout=10)
    assert page.headers["Content-Security-Policy"] == f"frame-ancestors {preview.url}"


def test_localhost_redirects_to_the_loopback_address(preview_of: PreviewOf) -> None:
    preview = preview_of("RedirectCsr")
    named = preview.url.replace("127.0.0.1", "localhost")
    answer = requests.get(f"{named}/?a=b", timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{preview.url}/?a=b")
    outside = requests.get(f"{named}//evil.example", timeout=10, allow_redirects=False)
    assert outside.headers["Location"] == f"{preview.url}/evil.example"
    foreign = {"Origin": "https://evil.example"}
    assert requests.get(named, headers=foreign, timeout=10).status_code == 403
    assert requests.post(f"{named}/api/challenges", json={}, timeout=10).status_code == 403


def test_preview_responses_forbid_embedding_by_other_origins(preview_of: PreviewOf) -> None:
    preview = preview_of("RedirectCsr")
    extension, idp = origins(preview)[1:]
    page = requests.get(preview.url, timeout=10)
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    for url in (page.url, f"{extension}/assets/RedirectCsr/index.js", f"{idp}/idp.css"):
        assert requests.get(url, timeout=10).headers["Cross-Origin-Resource-Policy"] == "same-origin"


DEEP = [b"[" * 100_000, b'{"a":' * 100 + b"1" + b"}" * 100, b'{"a":' * 50_000]
MALFORMED = [
    *DEEP,
    b'{"route": "\\ud800"}',
    b'{"workflow": "\\ud800"}',
    b"\xff",
    b"NaN",
    b"{}x",
    b'{"a": "' + b"x" * 2**20,
]


def test_malformed_requests_are_refused_without_a_traceback(variants: Path) -> None:
    with start_preview(variants, "StandardCsr") as preview:
        extension, challenge = preview.platform()["extension_origin"], preview.challenge()
        paths = [f"/api/challenges/{challenge}/{each}" for each in ("extension", "verify", "failures")]
        targets = [(preview.url, path) for path in ("/api/challenges", *paths)]
        for origin, path in [*targets, (extension, "/StandardCsr/submit")]:
            for body in MALFORMED:
                assert status_of(origin, path, body, preview.url) in (400, 0), (path, body[:20])
        for origin in (preview.url, extension):
            for path in (
                "/%00",
                "/assets/StandardCsr/%00",
                "/assets/StandardCsr/a%00.html",
                "/StandardCsr/%00",
            ):
                assert requests.get(origin + path, timeout=10).status_code == 400
        status, _, err = preview.interrupt()
    assert status == 0
    assert "Traceback" not in err and "Uncaught" not in err


def status_of(origin: str, path: str, body: bytes, sender: str) -> int:
    """The status of a POST; 0 if the server closed the connection because the body is too long."""
    headers = {"Content-Type": "application/json", "Origin": sender}
    try:
        return requests.post(origin + path, data=body, headers=headers, timeout=10).status_code
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return 0


# ---- the outlet -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STANDARD[0], REDIRECT[0]])
def test_outlet_opens_with_its_ticket_and_not_with_a_guessed_one(name: str, preview_of: PreviewOf) -> None:
    preview = preview_of(name)
    challenge = preview.challenge(sso_identifier="jane.doe")
    outlet = preview.call(f"challenges/{challenge}/outlet", {}).json()
    form = {"q2_ticket": outlet["ticket"]}
    for ticket, status in [(form, 200), (form, 200), ({"q2_ticket": "guessed"}, 400)]:
        page = requests.post(outlet["url"], data=ticket, headers={"Origin": preview.url}, timeout=10)
        assert page.status_code == status
        assert ("Confirm it is you" in page.text) is (status == 200)


@pytest.mark.parametrize("name", VARIANTS)
def test_outlet_page_differs_only_by_the_cdn_and_the_report_script(
    name: str, variants: Path, preview_of: PreviewOf
) -> None:
    preview = preview_of(name)
    challenge = preview.challenge(sso_identifier="jane.doe")
    outlet = preview.call(f"challenges/{challenge}/outlet", {}).json()
    origin = preview.platform()["extension_origin"]
    report = f'<script src="{origin}/_cdn/q2mfa-report.js"></script>'
    local = f"{origin}/_cdn/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"
    if outlet["method"] == "get":
        page = requests.get(outlet["url"], timeout=10).text
        file = (variants / name / "frontend" / "public" / "index.html").read_text("utf-8")
        assert page.count(report) == 1
        page = page.replace(report, "")
        assert page.replace(f"{origin}/_cdn/", "https://cdn1.onlineaccess1.com/") == file
    else:
        page = requests.post(outlet["url"], data={"q2_ticket": outlet["ticket"]}, timeout=10).text
    assert "onlineaccess1.com" not in page
    assert f'src="{local}"' in page
    assert "tecton.connected" in requests.get(local, timeout=10).text
    assert "does not have this script" in requests.get(f"{origin}/_cdn/other.js", timeout=10).text


def test_path_outside_of_assets_is_not_served(preview_of: PreviewOf) -> None:
    origin = preview_of("StandardCsr").platform()["extension_origin"]
    for path in ("../package.json", "..%2f..%2fextension.py", "%2e%2e/%2e%2e/extension.py"):
        with requests.Session() as session:
            request = requests.Request("GET", origin).prepare()
            request.url = f"{origin}/assets/StandardCsr/{path}"
            assert session.send(request, timeout=10).status_code in (400, 403, 404, 405)


# ---- challenges ---------------------------------------------------------------------------------------------------


def test_authenticator_app_shows_code_of_the_challenge(preview_of: PreviewOf) -> None:
    preview = preview_of("StandardSsr")
    challenge = preview.challenge(registration_value=SECRET)
    shown = requests.get(f"{preview.url}/api/challenges/{challenge}/passcode", timeout=10).json()
    assert pyotp.TOTP(SECRET).verify(shown["passcode"], valid_window=1)
    drawn = requests.get(f"{preview.url}/api/challenges/{challenge}/qr.svg", timeout=10).text
    uri = f"otpauth://totp/StandardSsr:preview?secret={SECRET}&issuer=StandardSsr"
    paths = re.compile(r' d="([^"]+)"')
    expected = segno.make(uri, error="m").svg_inline(border=2, omitsize=True, light="#fff", dark="#000")
    assert paths.findall(drawn) == paths.findall(expected) != []
    challenge = preview.challenge(registration_value="no secret!")
    assert requests.get(f"{preview.url}/api/challenges/{challenge}/passcode", timeout=10).status_code == 404


def test_registration_value_differs_in_each_run(variants: Path, preview_of: PreviewOf) -> None:
    def secret(preview: PreviewProcess) -> str:
        return str(preview.platform()["workflows"][0]["mfa_info"]["registration_value"])

    with start_preview(variants, "StandardSsr") as another:
        assert secret(another) != secret(preview_of("StandardSsr"))
    assert len(secret(preview_of("StandardSsr"))) == 32


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"workflow": "pizza", "mfa_info": {}}, "the workflows are login, transaction, patrol"),
        ({"workflow": "login", "mfa_info": {"a pizza": 1}}, "'a pizza' cannot be an attribute of mfa_info"),
        (
            {"workflow": "patrol", "mfa_info": {"transaction_ids": [1], "audit_action_id": 1}},
            "belongs to a transaction or to Patrol",
        ),
    ],
)
def test_challenge_with_wrong_workflow_or_mfa_info_is_refused(
    asked: object, says: str, preview_of: PreviewOf
) -> None:
    answer = preview_of("StandardSsr").call("challenges", asked)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_switch_of_hq_applies_to_one_challenge(preview_of: PreviewOf) -> None:
    preview = preview_of("StandardCsr")
    mine = preview.challenge(registration_value=SECRET)
    other = preview.challenge(registration_value=SECRET)
    assert preview.call(f"challenges/{mine}/switches", {"on": ["session_lost"]}, "PUT").ok
    statuses = [
        preview.call(f"challenges/{each}/extension", {"route": "default", "body": {}}).json()["status"]
        for each in (mine, other)
    ]
    assert statuses == [400, 200]
    answer = preview.call(f"challenges/{mine}/switches", {"on": ["pizza"]}, "PUT")
    assert answer.status_code == 400 and "hq_rejects" in answer.json()["error"]


def test_unknown_challenge_gets_404(preview_of: PreviewOf) -> None:
    preview = preview_of("StandardCsr")
    for path in ("report", "passcode", "qr.svg"):
        assert requests.get(f"{preview.url}/api/challenges/guessed/{path}", timeout=10).status_code == 404
    for path in ("outlet", "extension", "verify"):
        assert preview.call(f"challenges/guessed/{path}", {}).status_code == 404


# ---- the README's pictures -------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_screenshots_of_readme_are_taken(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(root / "docs" / "screenshots.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(root / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pictures = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert (
        set(pictures)
        == {"preview-light.png", "preview-dark.png"}
        <= set(os.listdir(root / "docs" / "images"))
    )
    for picture in pictures.values():
        # The PNG header's width: 1280 pixels of the page at one and a half.
        assert int.from_bytes(picture[16:20], "big") == 1920
    assert pictures["preview-light.png"] != pictures["preview-dark.png"]
