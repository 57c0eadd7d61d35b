"""The benchmark, once and small: that it runs and compares like with like. How long anything takes is not asserted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def test_the_benchmark_prints_a_ratio_for_every_comparison() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "--once", "--python", sys.executable],
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
        "20 extensions",
        "peak memory at 20",
    ]
    for _, ours, _, theirs, ratio, reach in rows[1:]:
        assert re.fullmatch(r"[\d,.]+ (ms|MiB)", ours) and re.fullmatch(r"[\d,.]+ (ms|MiB)", theirs)
        assert float(ratio) > 0 and re.fullmatch(r"≤ [\d.]+", reach)
