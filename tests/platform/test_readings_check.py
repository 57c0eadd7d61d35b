"""Generated extensions and their tests pass by every reading of the backend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import q2mfa_process
from preview_process import VARIANTS

from q2mfa_cli.platform.readings import ENVIRONMENT_VARIABLE, alternatives

pytestmark = pytest.mark.slow

READINGS = [json.dumps(vars(each)) for each in alternatives()]
each_reading = pytest.mark.parametrize("readings", READINGS, ids=range(len(READINGS)))


@each_reading
def test_checks_pass_by_each_reading(readings: str, variants: Path) -> None:
    checks = [f"--check={check}" for check in ("right-user", "token-without-proof", "no-session")]
    env = {ENVIRONMENT_VARIABLE: readings}
    run = q2mfa_process("verify", *VARIANTS, *checks, "-o", variants, cwd=variants, env=env)
    assert run.status == 0, run
    assert run.out.count("\n3 checks passed, 0 failed.\n") == len(VARIANTS), run


@each_reading
@pytest.mark.parametrize("name", ["StandardCsr", "RedirectSsr"])
def test_generated_tests_pass_by_each_reading(name: str, readings: str, variants: Path) -> None:
    """test_templates.py holds that the other renderings have the same tests of the same factor and protocol."""
    run = q2mfa_process("test", name, "-o", variants, cwd=variants, env={ENVIRONMENT_VARIABLE: readings})
    assert run.status == 0, run
