"""The README: its first command prints what it shows, and it stays short. tests/update runs the other commands."""

from __future__ import annotations

import re
from pathlib import Path

from command import q2mfa
from console import commands_of, is_shown

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_is_at_most_120_lines() -> None:
    assert len(README.splitlines()) <= 120


def test_readme_begins_with_a_command_and_its_output(workspace: Path) -> None:
    command, shown = commands_of(README)[0]
    assert command.startswith("q2mfa create ")
    run = q2mfa(*command.split()[1:], cwd=workspace)
    printed = run.out.replace(str(workspace), "/home/me/workspace")
    assert run.status == 0 and is_shown(printed, shown), printed


def test_readme_quotes_the_golden_report() -> None:
    report = (ROOT / "tests" / "verify" / "seed_extension" / "report.txt").read_text("utf-8")
    quoted = README.partition("```text\n")[2].partition("```")[0].splitlines()
    assert len(quoted) > 5 and set(quoted) <= set(report.splitlines())
    count = re.search(r"\[(\d+) findings\]", README)
    assert count and int(count[1]) == len(re.findall(r"(?m)^(?:critical|high|medium|low|note)\[", report))
