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
class Found:
    """A problem. :param says: its message. :param line: a part of the line that it points at."""

    check: str
    says: str
    line: str
    severity: str = ""


@dataclass(frozen=True)
class Defects:
    """Edits of one page, and every problem that their checks find in it. Defects that cannot hide each other share a page."""

    name: str
    found: tuple[Found, ...]
    edits: tuple[Edit, ...]
    workflow: str = "login"

    @property
    def checks(self) -> list[str]:
        return list(dict.fromkeys(found.check for found in self.found))


def defect(
    check: str,
    name: str,
    says: str,
    line: str,
    edits: tuple[Edit, ...],
    workflow: str = "login",
    severity: str = "",
) -> Defects:
    """One defect."""
    return Defects(f"{check}-{name}", (Found(check, says, line, severity),), edits, workflow)


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
        defect("hq-refusal", "same", SAME, CALL, ((JS, ON_REJECTION, ""),)),
        defect(
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
        Defects(
            "verify-ignored-early-unchanged",
            (Found("verify-ignored", EARLY, CALL), Found("verify-ignored", UNCHANGED, CALL)),
            ((JS, CALL, f'show("done", "confirmed"); {CALL}'), (JS, ON_REJECTION, "      return;\n")),
        ),
        defect(
            "dom-xss",
            "name",
            'Markup in "mfa_info.audit_action_name" becomes an element of the page.',
            "bdi.innerHTML = name",
            ((JS, "bdi.textContent = name", "bdi.innerHTML = name"),),
            "patrol",
        ),
        defect(
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
        defect(
            "txn-shown",
            "folded",
            NO_TRANSACTION,
            "<body",
            ((JS, "details.append(summary, values.list)", "details.append(summary)"),),
            "transaction",
        ),
    ],
    "standard-ssr": [
        defect(
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
        defect(
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
        defect(
            "landing-leak",
            "address",
            STAYS,
            "sent.getAll(name)",
            ((VERIFY_JS, '  history.replaceState(null, "", location.pathname);\n', ""),),
        ),
        # Not with the one above: a page that leaves the code in its URL never removes it, before or after it loads from elsewhere.
        Defects(
            "landing-leak-history-referrer-elsewhere-storage",
            (
                Found("landing-leak", "The code stays in the history.", "<head>"),
                Found("landing-leak", REFERRER, "<head>", "low"),
                Found(
                    "landing-leak",
                    'The landing page loads from "statistics.bank.example" before it removes the code from its URL.',
                    "https://statistics.bank.example/count.js",
                ),
                Found(
                    "landing-leak",
                    'The page keeps a code, a state or a token in sessionStorage, under "answer".',
                    "<head>",
                ),
            ),
            (
                (VERIFY_JS, "history.replaceState(", "history.pushState("),
                (LANDING, '  <meta name="referrer" content="no-referrer">\n', ""),
                (
                    LANDING,
                    '  <script src="./verify.js"></script>\n',
                    '  <script src="https://statistics.bank.example/count.js"></script>\n  <script src="./verify.js"></script>\n',
                ),
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
        Defects(
            "hq-refusal-finally-verify-ignored-unhandled",
            (
                Found("hq-refusal", SAME, HANDS_OVER.strip()),
                Found("verify-ignored", UNHANDLED, HANDS_OVER.strip()),
            ),
            (
                (
                    PAGE,
                    THANKS + "        .catch(refuse);",
                    THANKS.replace(".then(", ".finally(").rstrip() + ";",
                ),
            ),
        ),
        defect(
            "dom-xss",
            "list",
            'Markup in "mfa_info.transaction_ids" becomes an element of the page.',
            '$(".what").html("Payments',
            ((PAGE, '$(".what").text("Payments', '$(".what").html("Payments'),),
            "transaction",
        ),
        defect(
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
        defect(
            "txn-shown",
            "some",
            'The page shows not all of the "transaction_ids" that the customer confirms.',
            "<body",
            ((PAGE, "payments.join(", "payments.slice(0, 2).join("),),
            "transaction",
        ),
    ],
    "city_login": [
        Defects(
            "hq-refusal-same-landing-leak-elsewhere-storage",
            (
                Found("hq-refusal", SAME, "tecton.actions.verifyMFA({ token: data.token })"),
                Found(
                    "landing-leak",
                    'The landing page loads from "fonts.city.example" before it removes the code from its URL.',
                    "https://fonts.city.example/city.css",
                ),
                Found(
                    "landing-leak",
                    'The page keeps a code, a state or a token in localStorage, under "token".',
                    "<head>",
                ),
            ),
            (
                (BACK_JS, 'say("The city\'s login was not accepted.")', 'say("Success.")'),
                (
                    BACK,
                    "<head>\n",
                    '<head>\n  <link rel="stylesheet" href="https://fonts.city.example/city.css">\n',
                ),
                (
                    BACK_JS,
                    "    await tecton.actions",
                    "    localStorage.token = data.token;\n    await tecton.actions",
                ),
            ),
        ),
    ],
}


def _cases(corpus: dict[str, list[Defects]]) -> list[object]:
    return [
        pytest.param(name, defects, id=f"{name}-{defects.name}")
        for name, pages in corpus.items()
        for defects in pages
    ]


@pytest.mark.parametrize(
    ("extension", "defects"), _cases(IN_GENERATED) + _cases(IN_HAND_WRITTEN), indirect=["extension"]
)
def test_defect_is_found_at_its_line(extension: LookedAt, defects: Defects) -> None:
    with extension.edited(defects.edits):
        by_check = extension.find_all(defects.checks, defects.workflow)
    problems = [(check, problem) for check, found in by_check.items() for problem in found]
    assert [
        (check, each.message, "" if each.severity is None else each.severity.label)
        for check, each in problems
    ] == [(found.check, found.says, found.severity) for found in defects.found]
    for (_, problem), found in zip(problems, defects.found, strict=True):
        assert found.line in problem.location.source, problem.message


OF_HQ = ("hq-refusal", "verify-ignored")
OF_FACTOR = (*OF_HQ, "dom-xss", "native-submit")
OF_LOGIN = (*OF_HQ, "dom-xss", "landing-leak")
CLEAN = {
    "standard-ssr": (OF_FACTOR, True),
    "standard-csr": (OF_FACTOR, True),
    # Its markup and its payments are written by the mfa.js of standard-csr, byte by byte.
    "standard-message-csr": ((*OF_HQ, "native-submit"), False),
    # Its page goes on from a missing token with the code of redirect-csr.
    "redirect-ssr": (("verify-ignored", "dom-xss", "landing-leak"), True),
    "redirect-csr": (OF_LOGIN, True),
    "app_code": (OF_FACTOR, True),
    "city_login": (OF_LOGIN, True),
}


@pytest.mark.parametrize("extension", CLEAN, indirect=True)
def test_nothing_is_found_in_a_clean_extension(extension: LookedAt) -> None:
    checks, has_payments = CLEAN[extension.name]
    # Only a login has a landing page.
    others = [] if "landing-leak" in checks else ["landing-leak"]
    found, reasons = extension.find_and_reject(checks, others)
    assert found == {check: [] for check in checks}
    assert reasons == dict.fromkeys(others, "No provider sends the customer back with a code.")
    if has_payments:
        assert extension.find("txn-shown", workflow="transaction") == []


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
        assert {check for pages in corpus.values() for defects in pages for check in defects.checks} == wanted
