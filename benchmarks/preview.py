"""Measure `q2mfa preview`: `make benchmark-preview`. It needs Linux and Chromium, and takes a minute.

It prints how long the preview takes to start, what it costs while nothing happens, how its memory grows, and what a call
costs when the page shows a long sequence.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import chromium
from playwright.sync_api import Page, sync_playwright

NAME = "Foo"
SETTINGS = "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
STARTS = 11
IDLE_SECONDS = 20
CHALLENGES = 1000
ROWS = 1000
CALLS = 100

# Unlike neighbors, so that each call is a row of its own.
CALL = """async (count) => {
    const { requestExtensionData } = tecton.sources;
    const began = performance.now();
    for (let number = 0; number < count; number += 1) {
        await requestExtensionData({ route: number % 2 ? "default" : "nowhere", body: {} }).catch(() => {});
    }
    return (performance.now() - began) / count;
}"""


@contextlib.contextmanager
def preview(workspace: Path) -> Iterator[tuple[int, str, float]]:
    """Run the preview until the block ends.

    :returns: its process, its address, and the seconds until its page was there.
    """
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "q2mfa_cli",
        "preview",
        NAME,
        "--no-browser",
        "--port",
        "0",
        "-o",
        workspace,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=workspace) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            if found is None:
                raise SystemExit("The preview did not start.")
            urlopen(found[0]).read()
            yield process.pid, found[0], time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def processor_seconds(pid: int) -> float:
    """What the threads of a process have used."""
    times = [task.joinpath("schedstat").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(each.split()[0]) for each in times) / 1e9


def megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def challenge(url: str) -> None:
    """Open a challenge, and let the page's first request come."""

    def post(path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json", "Origin": url}
        return json.loads(urlopen(Request(f"{url}/api/{path}", json.dumps(body).encode(), headers)).read())

    identifier = post("challenges", {"workflow": "login", "mfa_info": {}})["id"]
    post(f"challenges/{identifier}/outlet", {})
    post(f"challenges/{identifier}/extension", {"route": "default", "body": {}})


def measure_ready(workspace: Path) -> str:
    starts = []
    for _ in range(STARTS):
        with preview(workspace) as (_, _, seconds):
            starts.append(seconds)
    return f"| ready, median of {STARTS} starts | {statistics.median(starts):.2f} s | ≤ 0.5 s |"


def measure_idle(pid: int) -> str:
    before = processor_seconds(pid)
    time.sleep(IDLE_SECONDS)
    share = (processor_seconds(pid) - before) / IDLE_SECONDS
    return f"| idle, with a page open | {share:.2%} of a core | ≤ 0.5 % |"


def measure_memory(pid: int, url: str) -> str:
    """What a second thousand of challenges adds: the first one fills the caches."""
    sizes = []
    for _ in range(2):
        for _ in range(CHALLENGES):
            challenge(url)
        sizes.append(megabytes(pid))
    return f"| memory, {CHALLENGES:,} challenges more | {sizes[1] - sizes[0]:+.1f} MB of {sizes[0]:.0f} MB | flat |"


def measure_call(page: Page) -> str:
    outlet = page.frames[1]
    outlet.evaluate(CALL, ROWS)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")

    def busy() -> float:
        found = cdp.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))

    before = busy()
    took = outlet.evaluate(CALL, CALLS)
    drawing = (busy() - before) / CALLS * 1000
    return f"| a call at {ROWS:,} rows | {took:.1f} ms, the page {drawing:.1f} ms of it | ≤ 10 ms |"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="q2mfa-benchmark-") as name:
        workspace = Path(name)
        (workspace / "configuration").mkdir()
        (workspace / "configuration" / "settings.py").write_text(SETTINGS)
        create = ["create", NAME, "--no-input", "--rendering", "csr", "-o", workspace]
        subprocess.check_call([sys.executable, "-m", "q2mfa_cli", *create], stdout=subprocess.DEVNULL)
        print(f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores\n")
        print("| what | takes | to reach |\n|---|---|---|")
        print(measure_ready(workspace), flush=True)
        with preview(workspace) as (pid, url, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.FLAGS)
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector("#outlet[data-challenge]")
            print(measure_idle(pid), flush=True)
            print(measure_memory(pid, url), flush=True)
            print(measure_call(page), flush=True)
            browser.close()


if __name__ == "__main__":
    main()
