"""The checks of codes: what they find in extensions with one defect, and that they find nothing in clean ones."""

from __future__ import annotations

import pytest
from served import Defect, Served, generated, hand_written

from q2mfa_cli.platform.verify.check import NotApplicable
from q2mfa_cli.platform.verify.dynamic import passcode

pytestmark = pytest.mark.slow

FOR_APP = ["otp-window", "otp-weak-secret"]
FOR_MESSAGES = ["otp-made-here"]
FOR_BOTH = [check for check in passcode.CHECKS if check not in (*FOR_APP, *FOR_MESSAGES)]

USED = (
    "factor.py",
    '            if step <= state.get("step", -1):\n                raise Denied("used_passcode", "the passcode was used before")\n',
    "",
)
DIGEST = "        digest = hashlib.sha256(totp.byte_secret()).hexdigest()\n"
PER_SESSION = (
    "factor.py",
    DIGEST,
    f"""{DIGEST}        mine = self.handler.session_cache.get("mine") or str(time.time_ns())
        self.handler.session_cache.set("mine", mine)
        digest += mine
""",
)
DIGITS = (
    "factor.py",
    'isinstance(passcode, str) and re.fullmatch("[0-9]{6}", passcode)',
    "str(passcode).isdigit() and (passcode := str(passcode))",
)
NOT_ATOMIC = ("customer.py", "(self.cache.cas, [version])", "(self.cache.replace, [])")

APP_DEFECTS = [
    Defect("otp-replay", "The extension accepts a code twice in one session.", (USED,)),
    Defect("otp-replay-account", "The extension accepts a code that was used in another session.", (USED,)),
    Defect(
        "otp-replay-account",
        "The extension accepts a code that was used in another session.",
        (PER_SESSION,),
        name="per-session",
    ),
    Defect(
        "otp-tries",
        "The extension accepts the right code after 100 wrong ones.",
        (("customer.py", "MAX_WRONG = 5", "MAX_WRONG = 10**6"),),
    ),
    Defect(
        "otp-tries-account",
        "The extension accepts the right code after 102 wrong ones in other sessions.",
        (PER_SESSION,),
    ),
    Defect(
        "otp-tries-race",
        "The extension accepts the right code after 20 simultaneous wrong ones.",
        (NOT_ATOMIC,),
    ),
    Defect(
        "otp-window",
        "The extension accepts the code of 3 steps before now and of 3 steps after now.",
        (("factor.py", "WINDOW_STEPS = 1", "WINDOW_STEPS = 3"),),
        severity="medium",
    ),
    Defect(
        "otp-window",
        "The extension accepts the code of 10 steps before now and of 10 steps after now.",
        (("factor.py", "WINDOW_STEPS = 1", "WINDOW_STEPS = 60"),),
        severity="high",
        name="wide",
    ),
    Defect(
        "otp-window",
        "The extension accepts the code of 5 steps before now.",
        (("factor.py", "range(now - WINDOW_STEPS, ", "range(now - 5, "),),
        severity="high",
        name="past",
    ),
    Defect(
        "otp-weak-secret",
        "The extension accepts a secret of 112 bits.",
        (("factor.py", "MIN_SECRET_BYTES = 16", "MIN_SECRET_BYTES = 1"),),
        severity="note",
    ),
    Defect("otp-unicode", "The extension accepts a code in full-width digits.", (DIGITS,), name="full-width"),
    Defect("otp-unicode", "The extension accepts a code as a number.", (DIGITS,), name="number"),
]

SALT = (
    "self.handler.session_cache.get(SALT_KEY)",
    "self.handler.session_cache.set(SALT_KEY, salt, CODE_SECONDS)",
)
MESSAGE_DEFECTS = [
    Defect(
        "otp-replay",
        "The extension accepts a code twice in one session.",
        (("factor.py", '            del state["code"]\n', ""),),
    ),
    Defect(
        "otp-tries",
        "The extension accepts the right code after 100 wrong ones.",
        (("customer.py", "MAX_WRONG = 5", "MAX_WRONG = 10**6"),),
    ),
    Defect(
        "otp-tries-race",
        "The extension accepts the right code after 20 simultaneous wrong ones.",
        (NOT_ATOMIC,),
    ),
    Defect(
        "otp-made-here",
        "The code has 4 digits.",
        (("factor.py", "CODE_DIGITS = 6", "CODE_DIGITS = 4"),),
        name="short",
    ),
    Defect(
        "otp-made-here",
        "Each code can be derived from the previous one.",
        (
            (
                "factor.py",
                'code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))',
                'code = "424242"',
            ),
        ),
        severity="critical",
        name="constant",
    ),
    Defect(
        "otp-made-here",
        "The extension accepts a code after 10 minutes.",
        (("factor.py", "CODE_SECONDS = 300", "CODE_SECONDS = 3600"),),
        severity="medium",
        name="lasting",
    ),
    Defect(
        "otp-made-here",
        "The extension sends 20 messages to a customer within a moment.",
        (
            ("factor.py", "RESEND_SECONDS = 30", "RESEND_SECONDS = 0"),
            ("factor.py", "MAX_SENT = 5", "MAX_SENT = 10**6"),
        ),
        severity="medium",
        name="messages",
    ),
    Defect(
        "otp-made-here",
        "The extension accepts a code that another session asked for.",
        tuple(("factor.py", call, call.replace("session_cache", "cache")) for call in SALT),
        name="another-session",
    ),
]


E = "extension.py"
APP_CODE_DEFECTS = [
    Defect(
        "otp-replay",
        "The extension accepts a code twice in one session.",
        ((E, "if step is None or not self.is_first_use(account, step):", "if step is None:"),),
    ),
    Defect(
        "otp-replay-account",
        "The extension accepts a code that was used in another session.",
        (
            (
                E,
                '        return self.cache.add(f"used_{account}_{step}", "1", expire=300, noreply=False)\n',
                (
                    '        used = self.session_cache.get("used", [])\n'
                    '        self.session_cache.set("used", [*used, step])\n'
                    "        return step not in used\n"
                ),
            ),
        ),
    ),
    Defect(
        "otp-tries-account",
        "The extension accepts the right code after 102 wrong ones in other sessions.",
        (
            (
                E,
                (
                    '        self.cache.add(key, "0", expire=900, noreply=False)\n'
                    "        return self.cache.incr(key, 1, noreply=False)\n"
                ),
                (
                    "        tries = self.session_cache.get(key, 0) + 1\n"
                    "        self.session_cache.set(key, tries, 900)\n"
                    "        return tries\n"
                ),
            ),
        ),
    ),
    Defect(
        "otp-tries-race",
        "The extension accepts the right code after 20 simultaneous wrong ones.",
        (
            (
                E,
                (
                    '        self.cache.add(key, "0", expire=900, noreply=False)\n'
                    "        return self.cache.incr(key, 1, noreply=False)\n"
                ),
                "        tries = self.cache.get(key, 0) + 1\n        self.cache.set(key, tries, 900)\n        return tries\n",
            ),
        ),
    ),
    Defect(
        "otp-window",
        "The extension accepts the code of 4 steps before now and of 4 steps after now.",
        ((E, "WINDOW = (-1, 0, 1)", "WINDOW = range(-4, 5)"),),
        severity="medium",
    ),
    Defect(
        "otp-weak-secret",
        "The extension accepts a secret of 80 bits.",
        ((E, "if len(secret) < 16:", "if not secret:"),),
        severity="medium",
    ),
    Defect(
        "otp-unicode",
        "The extension accepts a code in Arabic-Indic digits.",
        (
            (E, 'if not isinstance(otp, str) or not re.fullmatch("[0-9]{6}", otp):', "if not otp.isdigit():"),
            (E, "step = self.step_of(secret, otp)", 'step = self.step_of(secret, f"{int(otp):06}")'),
        ),
    ),
]
TEXT_CODE_DEFECTS = [
    Defect(
        "otp-tries",
        "The extension accepts the right code after 100 wrong ones.",
        ((E, "TRIES, MESSAGES = 5, 3", "TRIES, MESSAGES = 10**6, 3"),),
    ),
    Defect(
        "otp-made-here",
        "The code has 4 digits.",
        ((E, "str(secrets.randbelow(10**8)).zfill(8)", "str(secrets.randbelow(10**4)).zfill(4)"),),
        name="short",
    ),
    Defect(
        "otp-made-here",
        "The extension accepts a code after 10 minutes.",
        ((E, "SECONDS = 300", "SECONDS = 1800"),),
        severity="medium",
        name="lasting",
    ),
    Defect(
        "otp-made-here",
        "The extension sends 20 messages to a customer within a moment.",
        ((E, "TRIES, MESSAGES = 5, 3", "TRIES, MESSAGES = 5, 10**6"),),
        severity="medium",
        name="messages",
    ),
    Defect(
        "otp-made-here",
        "Each code can be derived from the previous one.",
        (
            (E, "TRIES, MESSAGES = 5, 3\n", "TRIES, MESSAGES = 5, 3\nLAST = [10**7]\n"),
            (
                E,
                "        code = str(secrets.randbelow(10**8)).zfill(8)\n",
                "        LAST[0] += 7\n        code = str(LAST[0])\n",
            ),
        ),
        severity="critical",
        name="counter",
    ),
    Defect(
        "otp-made-here",
        "The extension accepts a code that another session asked for.",
        (
            (E, 'self.session_cache.set("expected", ', 'self.cache.set("expected_" + account, '),
            (E, 'self.session_cache.get("expected")', 'self.cache.get("expected_" + account)'),
            (E, 'self.session_cache.delete("expected")', 'self.cache.delete("expected_" + account)'),
        ),
        name="another-session",
    ),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return generated(tmp_path_factory.mktemp("app") / "workspace", "standard-csr")


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return generated(tmp_path_factory.mktemp("messages") / "workspace", "standard-message-csr")


def assert_found(served: Served, defect: Defect) -> None:
    found = served.find(defect)
    assert found.location.path == "MyExternalMFA/extension.py"
    assert found.location.source.strip() == "async def submit(self):"


@pytest.mark.parametrize("defect", APP_DEFECTS, ids=str)
def test_defect_of_a_generated_authenticator_app_factor_is_found(defect: Defect, app: Served) -> None:
    assert_found(app, defect)


@pytest.mark.parametrize("defect", MESSAGE_DEFECTS, ids=str)
def test_defect_of_a_generated_message_factor_is_found(defect: Defect, messages: Served) -> None:
    assert_found(messages, defect)


def test_nothing_is_found_in_a_clean_generated_extension(app: Served, messages: Served) -> None:
    """test_templates.py holds that both renderings check a code with the same code."""
    for served, checks in ((app, [*FOR_BOTH, *FOR_APP]), (messages, [*FOR_BOTH, *FOR_MESSAGES])):
        assert served.run(checks) == {check: [] for check in checks}


@pytest.mark.parametrize("check", FOR_APP)
def test_check_of_an_authenticator_app_does_not_apply_to_messages(check: str, messages: Served) -> None:
    with pytest.raises(NotApplicable, match="does not come from an authenticator app"):
        messages.run([check])


def test_check_of_messages_does_not_apply_to_an_authenticator_app(app: Served) -> None:
    with pytest.raises(NotApplicable, match="not from the extension"):
        app.run(["otp-made-here"])


@pytest.fixture(scope="module")
def app_code(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return hand_written(tmp_path_factory.mktemp("app_code") / "workspace", "app_code")


@pytest.fixture(scope="module")
def text_code(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return hand_written(tmp_path_factory.mktemp("text_code") / "workspace", "text_code")


@pytest.mark.parametrize("defect", APP_CODE_DEFECTS, ids=str)
def test_defect_of_a_hand_written_authenticator_app_factor_is_found(defect: Defect, app_code: Served) -> None:
    assert app_code.find(defect).location.source.strip() == "async def enter(self):"


@pytest.mark.parametrize("defect", TEXT_CODE_DEFECTS, ids=str)
def test_defect_of_a_hand_written_message_factor_is_found(defect: Defect, text_code: Served) -> None:
    assert text_code.find(defect).location.source.strip() == "async def compare(self):"


def test_nothing_is_found_in_a_clean_hand_written_extension(app_code: Served, text_code: Served) -> None:
    for served, checks in ((app_code, [*FOR_BOTH, *FOR_APP]), (text_code, [*FOR_BOTH, *FOR_MESSAGES])):
        assert served.run(checks) == {check: [] for check in checks}


def test_every_check_has_a_defect_in_both_styles() -> None:
    assert {defect.check for defect in [*APP_DEFECTS, *MESSAGE_DEFECTS]} == set(passcode.CHECKS)
    assert {defect.check for defect in [*APP_CODE_DEFECTS, *TEXT_CODE_DEFECTS]} == set(passcode.CHECKS)
