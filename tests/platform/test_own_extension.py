"""`q2mfa preview --check` of an extension that q2mfa did not generate."""

from __future__ import annotations

import re
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
    assert run.status == 1
    assert "0 passed, 0 failed, 24 not tried" in run.out
    assert "  ok " not in run.out and "FAILED" not in run.out
    assert "Nothing was tried" in run.err and f"{NAME}/tests/prove.py" in run.err


def test_route_that_is_not_there_is_not_tried(workspace: Path) -> None:
    # By its factor.py it counts as generated, but it has no route submit.
    (workspace / NAME / "factor.py").write_text("")
    run = check(workspace)
    assert run.status == 1
    assert "  ok " not in run.out and "FAILED" not in run.out
    assert run.out.count("(the extension has no route submit)") == 30


def test_correct_extension_with_prove_passes_the_general_attacks(workspace: Path) -> None:
    prove(workspace)
    run = check(workspace)
    assert run.status == 0, run
    assert "24 passed, 0 failed" in run.out
    tried = re.findall(r"^  ok     (.*?)(?: \(.*)?$", run.out.split("\nPatrol event\n")[1], re.MULTILINE)
    assert tried == [
        "the right user completes MFA",
        "refused: no proof",
        "refused: a used proof",
        "refused: another session's proof",
        "refused: no session",
        "refused: a made-up token",
        "refused: another session's token",
        "refused: a used token",
    ]


HOLES = [
    ("if not answer:", "if False:", "no proof"),
    ('self.session_cache.delete("push")', "pass", "a used proof"),
    ("push = self.session_cache.get", "push = self.cache.get", "another session's proof"),
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
    if noticed == "no proof":
        text = text.replace('if push else "denied"', 'if push else ""')
    assert text.count(line) == 1
    source.write_text(text.replace(line, instead))
    run = check(workspace)
    assert run.status == 1
    assert run.out.count(f"FAILED refused: {noticed}") == 3, run


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
