"""The checks that need a browser: what they find in pages with one defect, and that they find nothing in clean ones."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from looked_at import LookedAt, SharedBrowser, looked_at
from served import Edit

from q2mfa_cli import chromium
from q2mfa_cli.platform.verify.check import NotApplicable, Skipped
from q2mfa_cli.platform.verify.dynamic import page
from q2mfa_cli.platform.verify.dynamic.browser import Browser

pytestmark = [pytest.mark.slow, pytest.mark.browser]

GENERATED = ["standard-ssr", "standard-csr", "standard-message-csr", "redirect-ssr", "redirect-csr"]
CLEAN = [*GENERATED, "app_code", "city_login"]
REDIRECTS = ["redirect-ssr", "redirect-csr", "city_login"]


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedBrowser]:
    with contextlib.closing(SharedBrowser(asyncio.new_event_loop(), Browser())) as started:
        yield started


@pytest.fixture(scope="module")
def extension(
    request: pytest.FixtureRequest, shared: SharedBrowser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LookedAt]:
    """The extension that the test's parameter names."""
    with looked_at(tmp_path_factory.mktemp("pages"), request.param, shared) as served:
        yield served


@dataclass(frozen=True)
class Defect:
    """One defect.

    :param says: the message of the only problem. :param line: a part of the line that it points at.
    """

    check: str
    name: str
    says: str
    line: str
    edits: tuple[Edit, ...]
    workflow: str = "login"
    severity: str = ""


JS, VERIFY_JS, INDEX, LANDING = (
    f"frontend/public/{file}" for file in ("mfa.js", "verify.js", "index.html", "verify.html")
)
CALL = "await unlessCanceled(verifyMFA({ token }));"
ON_REJECTION = '      return fail("rejected");\n'
FIELD = '<input id="passcode" type="text" inputmode="numeric" enterkeyhint="go" autocomplete="one-time-code" maxlength="20" disabled'
STAYS = "The code stays in the URL and in the history."
REFERRER = "The landing page leaks its URL in the Referer header."
SAME = "The page shows the same text whether HQ accepts or refuses the token."
KEEPS_NO_TOKEN = "The page shows success although HQ is down."
EARLY = "The page shows success before verifyMFA resolves."
UNHANDLED = "The page does not handle a rejection of verifyMFA."
UNCHANGED = "The page does not change when verifyMFA rejects."
NO_TRANSACTION = 'The page shows none of the "transaction_ids" that the customer confirms.'
IN_ADDRESS = "Before its script runs, the page puts the customer's input into the URL."

IN_GENERATED = {
    "standard-csr": [
        Defect("hq-refusal", "same", SAME, CALL, ((JS, ON_REJECTION, ""),)),
        Defect(
            "hq-refusal",
            "no-token",
            KEEPS_NO_TOKEN,
            CALL,
            (
                (
                    "frontend/public/index.js",
                    'return confirm(await ask("submit", { passcode: code }));',
                    'return ask("submit", { passcode: code }).then(confirm, () => show("done", "confirmed"));',
                ),
            ),
        ),
        Defect("verify-ignored", "early", EARLY, CALL, ((JS, CALL, f'show("done", "confirmed"); {CALL}'),)),
        Defect("verify-ignored", "unchanged", UNCHANGED, CALL, ((JS, ON_REJECTION, "      return;\n"),)),
        Defect(
            "dom-xss",
            "name",
            'Markup in "mfa_info.audit_action_name" becomes an element of the page.',
            "bdi.innerHTML = name",
            ((JS, "bdi.textContent = name", "bdi.innerHTML = name"),),
            "patrol",
        ),
        Defect(
            "native-submit",
            "get",
            IN_ADDRESS,
            '<form><input name="passcode"',
            (
                (
                    INDEX,
                    FIELD,
                    FIELD.replace("<input", '<form><input name="passcode"').replace(" disabled", ""),
                ),
            ),
        ),
        Defect(
            "txn-shown",
            "folded",
            NO_TRANSACTION,
            "<body",
            ((JS, "details.append(summary, values.list)", "details.append(summary)"),),
            "transaction",
        ),
    ],
    "standard-ssr": [
        Defect(
            "dom-xss",
            "template",
            'Markup in "mfa_info.audit_action_name" becomes an element of the page.',
            "<b>{{ this.mfa_info.audit_action_name|safe }}</b>",
            (
                (
                    "templates/index.html.jinja2",
                    '  <div data-part="purpose"></div>\n',
                    '  <div data-part="purpose"></div><b>{{ this.mfa_info.audit_action_name|safe }}</b>\n',
                ),
            ),
            "patrol",
        ),
        Defect(
            "native-submit",
            "post",
            'Before its script runs, the page posts what the customer types to "/MyExternalMFA".',
            '<input name="passcode"',
            (
                (
                    "templates/submit.html.jinja2",
                    FIELD,
                    FIELD.replace("<input", '<input name="passcode"').replace(" disabled", ""),
                ),
            ),
            severity="low",
        ),
    ],
    "redirect-csr": [
        Defect(
            "landing-leak",
            "address",
            STAYS,
            "sent.getAll(name)",
            ((VERIFY_JS, '  history.replaceState(null, "", location.pathname);\n', ""),),
        ),
        Defect(
            "landing-leak",
            "history",
            "The code stays in the history.",
            "<head>",
            ((VERIFY_JS, "history.replaceState(", "history.pushState("),),
        ),
        Defect(
            "landing-leak",
            "referrer",
            REFERRER,
            "<head>",
            ((LANDING, '  <meta name="referrer" content="no-referrer">\n', ""),),
            severity="low",
        ),
        Defect(
            "landing-leak",
            "elsewhere",
            'The landing page loads from "statistics.bank.example" before it removes the code from its URL.',
            "https://statistics.bank.example/count.js",
            (
                (
                    LANDING,
                    '  <script src="./verify.js"></script>\n',
                    '  <script src="https://statistics.bank.example/count.js"></script>\n  <script src="./verify.js"></script>\n',
                ),
            ),
        ),
        Defect(
            "landing-leak",
            "storage",
            'The page keeps a code, a state or a token in sessionStorage, under "answer".',
            "<head>",
            (
                (
                    VERIFY_JS,
                    "  globalThis.mfaCallback = callback;\n",
                    '  globalThis.mfaCallback = callback;\n  sessionStorage["answer"] = JSON.stringify(callback);\n',
                ),
            ),
        ),
    ],
}

PAGE, BACK, BACK_JS = (f"frontend/public/{file}" for file in ("page.js", "back.html", "back.js"))
HANDS_OVER = "        .then(({ token }) => tecton.actions.verifyMFA({ token }))\n"
THANKS = '        .then(() => said.text("Thank you, it is approved."))\n'
IN_HAND_WRITTEN = {
    "app_code": [
        Defect(
            "hq-refusal",
            "finally",
            SAME,
            HANDS_OVER.strip(),
            (
                (
                    PAGE,
                    THANKS + "        .catch(refuse);",
                    THANKS.replace(".then(", ".finally(").rstrip() + ";",
                ),
            ),
        ),
        Defect(
            "verify-ignored",
            "unhandled",
            UNHANDLED,
            HANDS_OVER.strip(),
            ((PAGE, "\n        .catch(refuse);", ";"),),
        ),
        Defect(
            "dom-xss",
            "list",
            'Markup in "mfa_info.transaction_ids" becomes an element of the page.',
            '$(".what").html("Payments',
            ((PAGE, '$(".what").text("Payments', '$(".what").html("Payments'),),
            "transaction",
        ),
        Defect(
            "native-submit",
            "get",
            IN_ADDRESS,
            '<form><input id="otp"',
            (
                (
                    INDEX,
                    '<input id="otp" autocomplete="one-time-code" disabled>',
                    '<form><input id="otp" name="otp"></form>',
                ),
            ),
        ),
        Defect(
            "txn-shown",
            "some",
            'The page shows not all of the "transaction_ids" that the customer confirms.',
            "<body",
            ((PAGE, "payments.join(", "payments.slice(0, 2).join("),),
            "transaction",
        ),
    ],
    "city_login": [
        Defect(
            "hq-refusal",
            "same",
            SAME,
            "tecton.actions.verifyMFA({ token: data.token })",
            ((BACK_JS, 'say("The city\'s login was not accepted.")', 'say("Success.")'),),
        ),
        Defect(
            "landing-leak",
            "elsewhere",
            'The landing page loads from "fonts.city.example" before it removes the code from its URL.',
            "https://fonts.city.example/city.css",
            (
                (
                    BACK,
                    "<head>\n",
                    '<head>\n  <link rel="stylesheet" href="https://fonts.city.example/city.css">\n',
                ),
            ),
        ),
        Defect(
            "landing-leak",
            "before-it-left",
            'The page keeps a code, a state or a token in localStorage, under "token".',
            "<head>",
            (
                (
                    BACK_JS,
                    "    await tecton.actions",
                    "    localStorage.token = data.token;\n    await tecton.actions",
                ),
            ),
        ),
    ],
}


def _cases(corpus: dict[str, list[Defect]]) -> list[object]:
    return [
        pytest.param(name, defect, id=f"{name}-{defect.check}-{defect.name}")
        for name, defects in corpus.items()
        for defect in defects
    ]


@pytest.mark.parametrize(
    ("extension", "defect"), _cases(IN_GENERATED) + _cases(IN_HAND_WRITTEN), indirect=["extension"]
)
def test_defect_is_found_at_its_line(extension: LookedAt, defect: Defect) -> None:
    found = extension.find(defect.check, defect.edits, defect.workflow)
    assert [problem.message for problem in found] == [defect.says]
    assert defect.line in found[0].location.source
    assert ("" if found[0].severity is None else found[0].severity.label) == defect.severity


@pytest.mark.parametrize("extension", CLEAN, indirect=True)
def test_nothing_is_found_in_a_clean_extension(extension: LookedAt) -> None:
    is_redirect = extension.name in REDIRECTS
    checks = ["hq-refusal", "verify-ignored", "dom-xss", "landing-leak" if is_redirect else "native-submit"]
    found = extension.find_all(checks) | extension.find_all(["txn-shown"], "transaction")
    assert found == {check: [] for check in (*checks, "txn-shown")}


@pytest.mark.parametrize("extension", ["standard-csr", "app_code"], indirect=True)
def test_page_of_its_own_factor_is_no_landing_page(extension: LookedAt) -> None:
    with pytest.raises(NotApplicable, match="No provider sends the customer back"):
        extension.find("landing-leak")


@pytest.mark.parametrize("extension", ["redirect-csr", "text_code"], indirect=True)
def test_page_without_a_field_cannot_submit_one(extension: LookedAt) -> None:
    with pytest.raises(NotApplicable, match="no field"):
        extension.find("native-submit")


@pytest.mark.parametrize("extension", ["text_code"], indirect=True)
@pytest.mark.parametrize("check", ["verify-ignored", "landing-leak", "dom-xss", "txn-shown", "hq-refusal"])
def test_missing_use_page_is_skipped_with_the_remedy(extension: LookedAt, check: str) -> None:
    with pytest.raises(
        Skipped, match=r"async def use_page\(page, phone\) in text_code/tests/prove.py would say it"
    ):
        extension.find(check)


@pytest.mark.parametrize("extension", ["app_code"], indirect=True)
def test_page_that_cannot_be_used_is_tried_once(extension: LookedAt) -> None:
    click = '    await page.get_by_role("button", name="Go on").click()\n'
    with extension.edited([("tests/prove.py", click, '    raise ValueError("no such button")\n')]):
        for check in ("verify-ignored", "hq-refusal", "dom-xss"):
            with pytest.raises(Skipped, match="cannot use the page: no such button"):
                extension.find(check)


@pytest.mark.parametrize("extension", ["standard-csr"], indirect=True)
@pytest.mark.parametrize("missing", ["playwright", "chromium"])
def test_missing_browser_is_skipped_with_the_remedy(
    extension: LookedAt, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "playwright":
        monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    else:
        monkeypatch.setattr(chromium, "executable", lambda own: None)
    with contextlib.closing(SharedBrowser(extension.shared.loop, Browser(), is_owner=False)) as other:
        without = LookedAt(extension.name, extension.served, other, extension.preview)
        for check in ("dom-xss", "native-submit"):
            with pytest.raises(
                Skipped, match=f"{missing.capitalize()} is missing. Install it: .*playwright install chromium"
            ):
                without.find(check)


@pytest.mark.parametrize(
    "line",
    [
        "The code was sent successfully.",
        "It is not confirmed yet.",
        "Wait until it is approved.",
        "Confirm it is you",
    ],
)
def test_other_sentences_do_not_say_that_it_is_confirmed(line: str) -> None:
    assert seen_before([]).news([line]) == []


def test_text_that_was_there_before_is_not_new() -> None:
    seen = seen_before(["3 payments are approved."])
    assert seen.news(["4 payments are approved.", "Thank you."]) == ["Thank you."]


def seen_before(lines: list[str]) -> page.Seen:
    return page.Seen(None, lines, [], [], False, None)  # type: ignore[arg-type]


def test_every_check_of_the_page_has_its_defect_in_both_styles() -> None:
    wanted = {*page.CHECKS}
    for corpus in (IN_GENERATED, IN_HAND_WRITTEN):
        assert {defect.check for defects in corpus.values() for defect in defects} == wanted
