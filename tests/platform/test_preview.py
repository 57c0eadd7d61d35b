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
from running_previews import REDIRECT, STANDARD, VARIANTS, Running, running

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

Previews = Callable[[str], Running]


def idp_of(preview: Running) -> str:
    note = " ".join(preview.platform()["changed_for_this_run"])
    return re.findall(r"http://127\.0\.0\.1:\d+", note)[0]


# ---- --check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_check_passes_what_is_generated(name: str, four: Path) -> None:
    before = contents(four)
    run = q2mfa_process("preview", "--check", name, "-o", four, cwd=four)
    assert run.status == 0, run
    assert re.search(r"^\d{2} passed, 0 failed$", run.out, re.MULTILINE)
    for workflow in ("Log in", "Approve a transaction", "Patrol event"):
        steps = run.out.split(f"\n{workflow}\n")[1].split("the right user completes MFA")[0]
        assert re.findall(r"^ +(\d)  \+", steps, re.MULTILINE) == list("12345678")
    assert contents(four) == before


# Each takes one check out of a generated file; what --check has to notice is beside it.
LEAKS = [
    ("StandardSsr", "extension.py", "await factor.verify(", "(", "a wrong code"),
    (
        "StandardCsr",
        "factor.py",
        "if step <= self.cache.get(USED_KEY, -1)",
        "if False",
        "a code that was used",
    ),
    ("RedirectSsr", "oidc.py", 'callback.get("iss") == metadata["issuer"]', "True", "another issuer"),
    ("RedirectSsr", "oidc.py", '_same(callback.get("state"), flow["state"])', "True", "another state"),
    (
        "RedirectCsr",
        "oidc.py",
        "claims.get(self.config.IDENTITY_CLAIM) == q2_identity",
        "True",
        "another user at the provider",
    ),
]


@pytest.mark.parametrize(("name", "file", "line", "instead", "noticed"), LEAKS)
def test_check_notices_a_check_that_is_gone(
    name: str, file: str, line: str, instead: str, noticed: str, four: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(four, workspace)
    source = workspace / name / file
    text = source.read_text("utf-8")
    assert text.count(line) == 1
    source.write_text(text.replace(line, instead))
    run = q2mfa_process("preview", "--check", name, "-o", workspace, cwd=workspace)
    assert run.status == 1
    failed = re.findall(r"^  FAILED refused: (.*?) \(", run.out, re.MULTILINE)
    assert failed.count(noticed) == 3, run
    assert "see what FAILED above" in run.err


def test_check_notices_that_nobody_gets_through(four: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(four, workspace)
    extension = workspace / "StandardSsr" / "extension.py"
    text = extension.read_text("utf-8")
    extension.write_text(text.replace("return await self.set_external_mfa_token(token)", "return {}"))
    run = q2mfa_process("preview", "--check", "StandardSsr", "-o", workspace, cwd=workspace)
    assert run.status == 1
    assert "FAILED the right user completes MFA" in run.out


# ---- starting and stopping -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["StandardSsr", "RedirectSsr"])
def test_ctrl_c_stops_it_cleanly_and_nothing_is_left(name: str, four: Path) -> None:
    before = contents(four)
    with running(four, name) as preview:
        preview.challenge()
        status, out, err = preview.interrupted()
        assert (status, err) == (0, "")
        assert out.endswith("Stopped.\n")
        with pytest.raises(requests.ConnectionError):
            requests.get(preview.url, timeout=5)
    assert contents(four) == before


def test_it_says_what_the_extension_is_given_for_the_run(four: Path) -> None:
    with running(four, "RedirectSsr") as preview:
        said = preview.said
    assert "a local stand-in" in said
    assert "ISSUER is the embedded identity provider, http://127.0.0.1:" in said
    assert "OUTBOUND_WHITELIST has 127.0.0.1 too." in said


def test_a_port_that_is_asked_for_is_used_and_one_that_is_taken_is_said(four: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = q2mfa_process(
            "preview", "StandardSsr", "-o", four, "--no-browser", "--port", str(min(port, 65533)), cwd=four
        )
    assert run.status == 1
    assert "cannot be used" in run.err and "--port" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Nobody"], "'Nobody' is not in INSTALLED_EXTENSIONS"),
        (["StandardSsr", "--issuer", "https://idp.example.com"], "has no identity provider"),
        (["RedirectSsr", "--issuer", "https://idp.example.com"], "CLIENT_ID is empty"),
        (["RedirectSsr", "--check", "--issuer", "https://idp.example.com"], "embedded provider only"),
    ],
)
def test_what_cannot_be_previewed_is_said_on_two_lines(arguments: list[str], says: str, four: Path) -> None:
    run = q2mfa_process("preview", *arguments, "-o", four, "--no-browser", "--port", "0", cwd=four)
    assert run.status in (1, 2)
    assert says in run.err
    assert len(run.err.splitlines()) == 2 and run.out == ""


def test_an_extension_that_cannot_be_imported_is_said_with_its_line(four: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(four, workspace)
    (workspace / "StandardSsr" / "factor.py").write_text("import nowhere_to_be_found\n")
    run = q2mfa_process("preview", "StandardSsr", "-o", workspace, "--no-browser", cwd=workspace)
    assert run.status == 1
    assert "No module named 'nowhere_to_be_found' (factor.py, line 1)" in run.err
    assert len(run.err.splitlines()) == 2


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_where_the_real_sdk_is_the_stand_in_is_not(options: list[str], four: Path, tmp_path: Path) -> None:
    (tmp_path / "sdk" / "q2_sdk").mkdir(parents=True)
    (tmp_path / "sdk" / "q2_sdk" / "__init__.py").write_bytes(b"")
    env = {"PYTHONPATH": str(tmp_path / "sdk")}
    run = q2mfa_process("preview", "StandardSsr", *options, "-o", four, "--no-browser", cwd=four, env=env)
    assert run.status == 1
    assert "The Q2 SDK is installed here" in run.err


@pytest.mark.parametrize("options", [[], ["--check"]])
def test_what_is_not_installed_is_said(options: list[str], four: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['segno'] = None\n")
    env = {"PYTHONPATH": str(tmp_path)}
    run = q2mfa_process("preview", "StandardSsr", *options, "-o", four, "--no-browser", cwd=four, env=env)
    assert run.status == 1
    assert "needs segno" in run.err and "pip install 'q2mfa-cli[sandbox]'" in run.err


# ---- who is answered ---------------------------------------------------------------------------------------


def origins(preview: Running) -> list[str]:
    platform = preview.platform()
    return [preview.url, platform["extension_origin"], idp_of(preview)]


def test_it_listens_on_loopback_only(preview_of: Previews) -> None:
    # All of 127.0.0.0/8 is this machine; a server on every interface would answer there.
    for origin in origins(preview_of("RedirectCsr")):
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", urlsplit(origin).port or 0), 5):
            pass


@pytest.mark.parametrize("path", ["", "/api/platform", "/assets/RedirectCsr/index.html", "/jwks"])
def test_a_name_that_was_made_to_resolve_to_loopback_is_refused(path: str, preview_of: Previews) -> None:
    for origin in origins(preview_of("RedirectCsr")):
        for host in ("evil.example", f"evil.example:{urlsplit(origin).port}", "127.0.0.1:1"):
            answer = requests.get(origin + path, headers={"Host": host}, timeout=10)
            assert answer.status_code == 403
            assert "local stand-in" in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_page_is_refused(origin: str, preview_of: Previews) -> None:
    preview = preview_of("RedirectCsr")
    at_uux, at_extension, at_idp = origins(preview)
    for address in (f"{at_uux}/api/challenges", f"{at_extension}/RedirectCsr/start", f"{at_idp}/login"):
        assert requests.post(address, json={}, headers={"Origin": origin}, timeout=10).status_code == 403
    # Nor may the extension's page, or the provider's, do what UUX's page does.
    for other in (at_extension, at_idp):
        answer = preview.call("challenges", {"workflow": "login", "mfa_info": {}}, Origin=other)
        assert answer.status_code == 403


def test_a_form_cannot_ask_what_the_page_asks(preview_of: Previews) -> None:
    preview = preview_of("StandardSsr")
    answer = requests.post(
        f"{preview.url}/api/challenges",
        data='{"workflow": "login"}',
        headers={"Origin": preview.url},
        timeout=10,
    )
    assert answer.status_code == 415


def test_no_page_may_be_framed_by_a_stranger(preview_of: Previews) -> None:
    preview = preview_of("StandardCsr")
    policy = requests.get(preview.url, timeout=10).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "script-src 'self';" in policy
    page = requests.get(f"{preview.platform()['extension_origin']}/assets/StandardCsr/index.html", timeout=10)
    assert page.headers["Content-Security-Policy"] == f"frame-ancestors {preview.url}"


# ---- the outlet -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STANDARD[0], REDIRECT[0]])
def test_a_ticket_is_good_once(name: str, preview_of: Previews) -> None:
    preview = preview_of(name)
    challenge = preview.challenge(sso_identifier="jane.doe")
    outlet = preview.call(f"challenges/{challenge}/outlet", {}).json()
    form = {"q2_ticket": outlet["ticket"]}
    first, second = (
        requests.post(outlet["url"], data=form, headers={"Origin": preview.url}, timeout=10) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (200, 400)
    assert "Confirm it is you" in first.text and "Confirm it is you" not in second.text


@pytest.mark.parametrize("name", VARIANTS)
def test_only_the_address_of_the_cdn_is_changed(name: str, four: Path, preview_of: Previews) -> None:
    preview = preview_of(name)
    challenge = preview.challenge(sso_identifier="jane.doe")
    outlet = preview.call(f"challenges/{challenge}/outlet", {}).json()
    origin = preview.platform()["extension_origin"]
    local = f"{origin}/_cdn/cdn/base/tecton/v1.40.0/q2-tecton-sdk.js"
    if outlet["method"] == "get":
        page = requests.get(outlet["url"], timeout=10).text
        file = (four / name / "frontend" / "public" / "index.html").read_text("utf-8")
        assert page.replace(f"{origin}/_cdn/", "https://cdn1.onlineaccess1.com/") == file
    else:
        page = requests.post(outlet["url"], data={"q2_ticket": outlet["ticket"]}, timeout=10).text
    assert "onlineaccess1.com" not in page
    assert f'src="{local}"' in page
    assert "tecton.connected" in requests.get(local, timeout=10).text
    assert "does not have this script" in requests.get(f"{origin}/_cdn/other.js", timeout=10).text


def test_files_outside_of_the_assets_are_not_served(preview_of: Previews) -> None:
    origin = preview_of("StandardCsr").platform()["extension_origin"]
    for path in ("../package.json", "..%2f..%2fextension.py", "%2e%2e/%2e%2e/extension.py"):
        with requests.Session() as session:
            request = requests.Request("GET", origin).prepare()
            request.url = f"{origin}/assets/StandardCsr/{path}"
            assert session.send(request, timeout=10).status_code in (400, 403, 404, 405)


# ---- challenges ---------------------------------------------------------------------------------------------------


def test_the_authenticator_app_is_that_of_the_challenge(preview_of: Previews) -> None:
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


def test_secrets_are_of_one_run(four: Path, preview_of: Previews) -> None:
    def secret(preview: Running) -> str:
        return str(preview.platform()["workflows"][0]["mfa_info"]["registration_value"])

    with running(four, "StandardSsr") as another:
        assert secret(another) != secret(preview_of("StandardSsr"))
    assert len(secret(preview_of("StandardSsr"))) == 32


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"workflow": "pizza", "mfa_info": {}}, "the workflows are login, transaction, patrol"),
        ({"workflow": "login", "mfa_info": {"pizza": 1}}, "mfa_info has no pizza"),
        (
            {"workflow": "patrol", "mfa_info": {"transaction_ids": [1], "audit_action_id": 1}},
            "of a transaction or of Patrol",
        ),
    ],
)
def test_a_challenge_that_cannot_be_is_refused(asked: object, says: str, preview_of: Previews) -> None:
    answer = preview_of("StandardSsr").call("challenges", asked)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_switch_breaks_its_own_challenge_only(preview_of: Previews) -> None:
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


def test_who_does_not_know_a_challenge_learns_nothing_of_it(preview_of: Previews) -> None:
    preview = preview_of("StandardCsr")
    for path in ("report", "passcode", "qr.svg"):
        assert requests.get(f"{preview.url}/api/challenges/guessed/{path}", timeout=10).status_code == 404
    for path in ("outlet", "extension", "verify"):
        assert preview.call(f"challenges/guessed/{path}", {}).status_code == 404


# ---- the README's pictures -------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_the_pictures_of_the_readme_can_be_taken_anew(tmp_path: Path) -> None:
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
