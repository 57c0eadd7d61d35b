"""`q2mfa preview --check` of an extension that q2mfa did not generate."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Run, q2mfa_process
from own_extension import NAME, PROVE, make_own_extension, prove

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_own_extension(tmp_path / "workspace")


def check(workspace: Path) -> Run:
    return q2mfa_process("preview", "--check", NAME, "-o", workspace, cwd=workspace)


def test_unknown_extension_without_prove_is_not_tried(workspace: Path) -> None:
    run = check(workspace)
    assert run.status == 3
    assert run.out == ""
    assert "No check could run" in run.err and f"{NAME}/tests/prove.py" in run.err


def test_route_that_does_not_exist_is_not_tried(workspace: Path) -> None:
    # By its factor.py it counts as generated, but it has no route submit.
    (workspace / NAME / "factor.py").write_text("")
    run = check(workspace)
    assert run.status == 3
    assert run.out == ""
    assert "No check could run: the extension has no route submit." in run.err


def test_correct_extension_with_prove_passes_the_quick_profile(workspace: Path) -> None:
    prove(workspace)
    run = check(workspace)
    assert run.status == 0, run
    passed = "right-user, token-without-proof, token-reused, proof-reused, no-session, cross-session, token-not-kept"
    assert f"\n7 checks passed, 0 failed, 6 not applicable.\npassed: {passed}\n" in run.out


HOLES = [
    ("if not answer:", "if False:", "token-without-proof"),
    ('self.session_cache.delete("push")', "pass", "proof-reused"),
    ("push = self.session_cache.get", "push = self.cache.get", "cross-session"),
]


@pytest.mark.parametrize(("line", "instead", "noticed"), HOLES)
def test_hole_in_an_extension_with_prove_is_found(
    line: str, instead: str, noticed: str, workspace: Path
) -> None:
    prove(workspace)
    source = workspace / NAME / "extension.py"
    text = source.read_text()
    if "cache.get" in line:
        text = text.replace("session_cache.set", "cache.set").replace("session_cache.delete", "cache.get")
    if noticed == "token-without-proof":
        text = text.replace('if push else "denied"', 'if push else ""')
    assert text.count(line) == 1
    source.write_text(text.replace(line, instead))
    run = check(workspace)
    assert run.status == 1
    found = run.out.split(f"[{noticed}]: ")[1]
    assert "= note: seen in Log in, Approve a transaction, Patrol event\n" in found, run


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nowhere", f"No module named 'nowhere' ({NAME}/tests/prove.py:1, import)"),
        ("x = 1", "has no async def prove(ask, phone, mfa_info)"),
        ("async def prove(ask, phone, mfa_info):\n    return {}", 'prove returns {"route": '),
        ("async def prove(ask, phone, mfa_info):\n    1 / 0", f"({NAME}/tests/prove.py:2, prove)"),
        (PROVE.replace('"ask")', '"check")'), "check answers 400: denied"),
    ],
)
def test_mistake_in_prove_is_named(text: str, says: str, workspace: Path) -> None:
    prove(workspace, text)
    run = check(workspace)
    assert run.status == 1
    assert says in run.out and "Traceback" not in run.out + run.err
