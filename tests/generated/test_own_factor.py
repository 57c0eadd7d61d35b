"""A factor of one's own in place of the generated one, as the generated README says."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import q2mfa_process
from preview_process import create_variant, make_workspace

pytestmark = pytest.mark.slow

PUSH = '''
"""A push to the customer's device: it answers "pending" three times before the customer approves."""

from .customer import Denied


class Factor:
    SETTINGS = {}
    SECRETS = ["registration_value"]

    def __init__(self, handler):
        self.handler = handler

    async def verify(self, body):
        if not getattr(self.handler.mfa_info, "registration_value", None):
            raise Denied("not_registered", "the customer has no device")
        asked = self.handler.session_cache.get("push", 0)
        self.handler.session_cache.set("push", asked + 1 if asked < 3 else 0, 60)
        return True if asked == 3 else {"pending": True}
'''
APPROVES = "return True if asked == 3 else"


@pytest.fixture(params=[("totp", "Ssr"), ("message", "Csr")], ids=str)
def extension(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of an extension with the push factor."""
    factor, rendering = request.param
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, f"Standard{rendering}", "--factor", factor)
    folder = workspace / f"Standard{rendering}"
    (folder / "factor.py").write_text(PUSH)
    (folder / "tests" / "test_factor.py").unlink()
    return folder


def test_invariants_hold_for_a_push_factor(extension: Path) -> None:
    run = q2mfa_process("test", extension.name, "--", "-q", cwd=extension.parent)
    assert run.status == 0, run
    assert " passed" in run.out and "skipped" not in run.out and "test_factor" not in run.out


def test_check_judges_a_push_factor(extension: Path) -> None:
    run = q2mfa_process("preview", "--check", extension.name, cwd=extension.parent)
    assert run.status == 0, run
    assert run.out.count(": the right user completes MFA\n") == 3


def test_check_finds_a_push_factor_that_approves_at_once(extension: Path) -> None:
    source = extension / "factor.py"
    assert PUSH.count(APPROVES) == 1
    source.write_text(PUSH.replace(APPROVES, "return True if asked == 0 else"))
    run = q2mfa_process("preview", "--check", extension.name, cwd=extension.parent)
    assert run.status == 1
    assert "critical[token-without-proof]: " in run.out
