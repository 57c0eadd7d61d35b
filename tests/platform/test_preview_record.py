"""`q2mfa preview --record`: one run by hand becomes `prove.py`, with which `q2mfa verify` lets the right user in."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import own_extension
import pytest
import requests
from command import Run, q2mfa_process
from own_extension import make_own_extension
from preview_process import PreviewProcess, create_variant, make_workspace, start_preview
from ruff import find_ruff_bin
from waiting import wait_until

pytestmark = pytest.mark.slow

HAND_WRITTEN = Path(__file__).parents[1] / "verify" / "hand_written" / "dynamic"
WROTE = "Wrote {0}/tests/prove.py from this run. Next: q2mfa verify {0}\n"


def hand_written(root: Path, name: str) -> Path:
    """A workspace with an extension of tests/verify/hand_written, without its ``prove.py``."""
    workspace = make_workspace(root)
    settings = workspace / "configuration" / "settings.py"
    settings.write_text(settings.read_text().replace("[]", f"['{name}']"))
    source = HAND_WRITTEN / name
    for file in (each for each in source.rglob("*") if each.is_file()):
        path = file.relative_to(source)
        if "tests" in path.parts or "__pycache__" in path.parts:
            continue
        target = workspace / name / path
        if path.name == "configuration.py":
            target = workspace / "configuration" / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    return workspace


class Page:
    """The extension's page in one challenge, and the customer in front of it."""

    def __init__(self, preview: PreviewProcess, workflow: str = "login") -> None:
        self._preview = preview
        workflows = {each["id"]: each["mfa_info"] for each in preview.platform()["workflows"]}
        self.mfa_info = workflows[workflow]
        self.id = preview.challenge(workflow, **self.mfa_info)
        self.open()

    def open(self) -> None:
        assert self._preview.call(f"challenges/{self.id}/outlet", {}).ok

    def ask(self, route: str, **body: Any) -> Any:
        answer = self._preview.call(f"challenges/{self.id}/extension", {"route": route, "body": body}).json()
        return answer["data"] if answer["status"] == 200 else None

    def complete(self, token: str) -> None:
        assert self._preview.call(f"challenges/{self.id}/verify", {"token": token}).json()["why"] == ""

    def passcode(self) -> str:
        return str(requests.get(self._address("passcode"), timeout=10).json()["passcode"])

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(self._address("messages"), timeout=10).json()["messages"]
        return found

    def code(self) -> str:
        return re.findall(r"\d+", self.messages()[-1]["text"])[0]

    def is_waiting(self, route: str) -> bool:
        """Whether a call of *route* has no answer yet."""
        rows = requests.get(self._address("report"), timeout=10).json()["sequence"]
        what = f"requestExtensionData: {route}"
        return any(row["what"] == what and row["state"] == "running" for row in rows)

    def answer(self, decision: str) -> None:
        body = {"id": self.messages()[-1]["id"], "answer": decision}
        assert self._preview.call(f"challenges/{self.id}/messages/answer", body).ok

    def _address(self, what: str) -> str:
        return f"{self._preview.url}/api/challenges/{self.id}/{what}"


def log_in(url: str) -> dict[str, str]:
    """Log in at the embedded provider. :returns: what the page finds in its address."""
    page = requests.get(url, timeout=10)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    action = re.findall(r'<form[^>]* action="([^"]*)"', page.text)
    target = urljoin(page.url, action[0] if action else "")
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    form = {**fields, "user": "jane.doe", "decision": "approve"}
    back = requests.post(target, form, headers={"Origin": origin}, timeout=10, allow_redirects=False)
    return dict(parse_qsl(urlsplit(back.headers["Location"]).query))


def said(preview: PreviewProcess) -> str:
    """What the preview prints of the recording. The extension prints lines too."""
    assert preview.process.stdout is not None
    return next(line for line in preview.process.stdout if line.startswith(("Wrote ", "Did not write ")))


def script(workspace: Path, name: str) -> str:
    return (workspace / name / "tests" / "prove.py").read_text("utf-8")


def assert_verified(workspace: Path, name: str, replay: str) -> None:
    """The right user gets in, and *replay*, the check that sends a proof twice, runs."""
    checks = "--check", "right-user", "--check", replay
    run = q2mfa_process("verify", name, "-o", workspace, *checks, cwd=workspace)
    assert run.status == 0, run
    assert "\n2 checks passed, 0 failed.\n" in run.out, run


def assert_formatted(workspace: Path, name: str) -> None:
    command = [find_ruff_bin(), "format", "--isolated", "--diff", "-"]
    run = subprocess.run(command, input=script(workspace, name), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def record(workspace: Path, name: str, *options: str) -> Run:
    return q2mfa_process(
        "preview", name, "--record", "--no-browser", *options, "-o", workspace, cwd=workspace
    )


def test_recorded_authenticator_code_becomes_a_script_that_proves(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "app_code")
    with start_preview(workspace, "app_code", "--record") as preview:
        assert "Complete MFA once: app_code/tests/prove.py is written from that run." in preview.output
        page = Page(preview)
        assert page.ask("enter", otp="12345") is None
        code = page.passcode()
        page.complete(page.ask("enter", otp=code)["token"])
        assert said(preview) == WROTE.format("app_code")
        assert Page(preview).id  # it goes on serving
    text = script(workspace, "app_code")
    assert text.endswith('    return {"route": "enter", "body": {"otp": phone.code()}}\n')
    assert code not in text and page.mfa_info["registration_value"] not in text
    assert os.listdir(workspace / "app_code" / "tests") == ["prove.py"]
    assert_formatted(workspace, "app_code")
    assert_verified(workspace, "app_code", "otp-replay")


def test_recorded_message_becomes_a_script_that_proves(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "text_code")
    with start_preview(workspace, "text_code", "--record") as preview:
        page = Page(preview, "transaction")
        page.ask("text_me")
        first = page.code()
        assert page.ask("compare", entered="00000000") is None
        page.ask("text_me")
        page.complete(page.ask("compare", entered=page.code())["token"])
        assert said(preview) == WROTE.format("text_code")
        codes = first, page.code()
    text = script(workspace, "text_code")
    assert text.count("await ask(") == 1  # the message is sent once
    assert not any(code in text for code in codes) and page.mfa_info["registration_value"] not in text
    assert_formatted(workspace, "text_code")
    assert_verified(workspace, "text_code", "otp-replay")


def test_recorded_push_becomes_a_script_that_proves(tmp_path: Path) -> None:
    name, workspace = own_extension.NAME, make_own_extension(tmp_path / "workspace")
    with start_preview(workspace, name, "--record") as preview:
        page = Page(preview, "patrol")
        page.ask("ask")
        assert page.ask("check") == page.ask("check") == {"pending": True}
        page.answer("approved")
        page.complete(page.ask("check")["token"])
        assert said(preview) == WROTE.format(name)
    steps = script(workspace, name).partition("mfa_info):\n")[2]
    assert steps == (
        '    await ask("ask")\n    phone.approve()\n'
        "    # The page sent this request several times. q2mfa does too, until it gets a token.\n"
        '    return {"route": "check", "body": {}}\n'
    )
    assert_formatted(workspace, name)
    assert_verified(workspace, name, "proof-reused")


# The extension waits for the customer's answer instead of letting its page ask again.
WAITS = """        while not self.phone_answer(push):
            await asyncio.sleep(0.01)
        answer = self.phone_answer(push)
"""


def approve_while_waiting(preview: PreviewProcess, page: Page, route: str) -> None:
    """Complete MFA by a push that the customer approves while the page waits for *route*."""
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(page.ask, route)
        wait_until(lambda: bool(page.messages()) and page.is_waiting(route))
        page.answer("approved")
        page.complete(waiting.result(20)["token"])


def test_push_that_is_approved_while_a_later_request_waits_becomes_a_script(tmp_path: Path) -> None:
    name, workspace = own_extension.NAME, make_own_extension(tmp_path / "workspace")
    source = workspace / name / "extension.py"
    old = '        answer = self.phone_answer(push) if push else "denied"\n'
    source.write_text("import asyncio\n" + source.read_text().replace(old, WAITS))
    with start_preview(workspace, name, "--record") as preview:
        page = Page(preview)
        page.ask("ask")
        approve_while_waiting(preview, page, "check")
        assert said(preview) == WROTE.format(name)
    assert '    phone.approve()\n    return {"route": "check", ' in script(workspace, name)


def test_push_that_is_approved_while_its_own_request_waits_is_not_written(tmp_path: Path) -> None:
    name, workspace = own_extension.NAME, make_own_extension(tmp_path / "workspace")
    source = workspace / name / "extension.py"
    old = '        return {"asked": True}\n'
    token = "        return await self.set_external_mfa_token(secrets.token_urlsafe(32))\n"
    source.write_text("import asyncio\n" + source.read_text().replace(old, WAITS + token))
    with start_preview(workspace, name, "--record") as preview:
        approve_while_waiting(preview, Page(preview), "ask")
        assert said(preview) == (
            f"Did not write {name}/tests/prove.py: the customer approved while the request that sent the message "
            "waited, which prove.py cannot do. Complete MFA again, or write it: see docs/how-to/preview.md.\n"
        )
    assert os.listdir(workspace / name / "tests") == ["__init__.py"]


def test_recorded_login_becomes_a_script_that_proves(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "city_login")
    with start_preview(workspace, "city_login", "--record") as preview:
        assert "OIDC_URL, OIDC_CLIENT, OIDC_SECRET are those of the embedded" in preview.output
        page = Page(preview)
        returned = log_in(page.ask("leave")["go_to"])
        page.complete(page.ask("came_back", **returned)["token"])
        assert said(preview) == WROTE.format("city_login")
    text = script(workspace, "city_login")
    assert 'CALLBACK = "back.html"\n' in text and '"OIDC_SECRET": provider.client_secret,\n' in text
    assert 'await phone.log_in(leave_answer["go_to"])' in text
    assert not any(value in text for value in returned.values())
    assert_formatted(workspace, "city_login")
    assert_verified(workspace, "city_login", "proof-reused")


def test_login_whose_page_sends_single_values_becomes_a_script_that_proves(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "city_login")
    source = workspace / "city_login" / "extension.py"
    source.write_text(
        source.read_text("utf-8").replace('self.request_body["code"]', 'self.request_body["grant"]')
    )
    check = 'isinstance(answer["code"], str)'
    source.write_text(source.read_text("utf-8").replace(check, 'isinstance(answer["grant"], str)'))
    with start_preview(workspace, "city_login", "--record") as preview:
        page = Page(preview)
        returned = log_in(page.ask("leave")["go_to"])
        returned["grant"] = returned.pop("code")
        page.complete(page.ask("came_back", **returned)["token"])
        assert said(preview) == WROTE.format("city_login")
    text = script(workspace, "city_login")
    assert 'back = await phone.log_in(leave_answer["go_to"])\n' in text and '"grant": back["code"]' in text
    assert_formatted(workspace, "city_login")
    assert_verified(workspace, "city_login", "proof-reused")


def test_page_that_is_opened_again_begins_a_new_run(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "text_code")
    with start_preview(workspace, "text_code", "--record") as preview:
        page = Page(preview)
        page.ask("text_me")
        page.open()
        # The code is of a message from before, which a script of this page alone cannot have.
        page.complete(page.ask("compare", entered=page.code())["token"])
        assert said(preview).startswith("Did not write text_code/tests/prove.py: the page sends a code ")
        assert not (workspace / "text_code" / "tests").exists()
        page = Page(preview)
        page.ask("text_me")
        page.complete(page.ask("compare", entered=page.code())["token"])
        assert said(preview) == WROTE.format("text_code")


def test_script_that_does_not_complete_mfa_is_named(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "app_code")
    source = workspace / "app_code" / "extension.py"
    once = '        if not self.cache.add("seen_" + self.request_body["id"], "1", noreply=False):\n'
    begin = "    async def enter(self):\n"
    source.write_text(
        source.read_text("utf-8").replace(begin, f'{begin}{once}            raise self.denied("seen")\n')
    )
    with start_preview(workspace, "app_code", "--record") as preview:
        page = Page(preview)
        page.complete(page.ask("enter", id="4711-ab", otp=page.passcode())["token"])
        assert said(preview).startswith(
            "Wrote app_code/tests/prove.py from this run, but it does not complete MFA: the right user was refused"
        )
    text = script(workspace, "app_code")
    assert "# The page sent this value: replace it if it changes from run to run.\n" in text
    assert_formatted(workspace, "app_code")


def test_own_factor_of_generated_extension_is_recorded(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, "StandardCsr", "--factor", "message")
    (workspace / "StandardCsr" / "tests" / "prove.py").unlink(missing_ok=True)
    with start_preview(workspace, "StandardCsr", "--record") as preview:
        page = Page(preview)
        page.ask("submit", send=True)
        page.complete(page.ask("submit", passcode=page.code())["token"])
        assert said(preview) == WROTE.format("StandardCsr")
    assert_verified(workspace, "StandardCsr", "otp-replay")


@pytest.mark.parametrize("broken", [False, True], ids=["file", "broken link"])
def test_script_that_exists_is_refused_before_the_preview_starts(broken: bool, tmp_path: Path) -> None:
    name, workspace = own_extension.NAME, make_own_extension(tmp_path / "workspace")
    file = workspace / name / "tests" / "prove.py"
    if broken:
        file.symlink_to("nowhere")
    else:
        file.write_text("mine")
    run = record(workspace, name)
    assert run.status == 2
    assert run.out == ""
    assert run.err == (
        f"Error: '{name}' has a tests/prove.py already, which --record does not overwrite.\n"
        "Rename it, or leave out --record.\n"
    )
    assert broken or file.read_text() == "mine"


def test_script_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    workspace = hand_written(tmp_path / "workspace", "app_code")
    tests = workspace / "app_code" / "tests"
    with start_preview(workspace, "app_code", "--record") as preview:
        tests.mkdir()
        (tests / "prove.py").write_text("mine")
        page = Page(preview)
        page.complete(page.ask("enter", otp=page.passcode())["token"])
        assert said(preview) == (
            "Did not write app_code/tests/prove.py: it exists now. Rename it, and complete MFA again.\n"
        )
    assert (tests / "prove.py").read_text() == "mine"
    assert os.listdir(tests) == ["prove.py"]


def test_check_and_record_exclude_each_other(tmp_path: Path) -> None:
    run = record(make_own_extension(tmp_path / "workspace"), own_extension.NAME, "--check")
    assert run.status == 2
    assert run.err == "Error: --check and --record exclude each other.\nRecord first, then check.\n"


def test_redirect_extension_of_q2mfa_needs_no_script(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, "RedirectCsr")
    run = record(workspace, "RedirectCsr")
    assert run.status == 2
    assert "'RedirectCsr' needs no tests/prove.py" in run.err and "Run `q2mfa verify RedirectCsr`." in run.err
