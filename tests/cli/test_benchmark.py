"""The benchmark runs, and its programs write the same files. No test asserts a time."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def test_benchmark_of_one_round_prints_every_ratio() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/run.py", "--rounds=1", "--batch=2", "--python", sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    heads = [row[0] for row in rows[1:]]
    assert heads == [
        "`q2mfa --version`",
        "`q2mfa --help`",
        "completion",
        "`q2mfa create`, redirect, SSR",
        "the same",
        "`--answers` with 2, each",
    ]
    for _, ours, _, theirs, ratio, reach in rows[1:]:
        assert re.fullmatch(r"[\d,.]+ ms", ours) and re.fullmatch(r"[\d,.]+ ms", theirs)
        assert float(ratio) > 0 and re.fullmatch(r"≤ [\d.]+", reach)
