"""How fast q2mfa is: ratios against its peers, which take turns with it in one run.

It makes a virtual environment with q2mfa as a user installs it, and prints a table: medians, and the median of the
ratios of all rounds. Quote the ratios: they hold on another machine, the times do not.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
SETTINGS = "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
REDIRECT = {"rendering": "ssr", "issuer": "https://login.bank.example", "client_id": "q2-mfa"}
SMALL, BATCH, LARGE = 20, 200, 2000


class Cost(NamedTuple):
    """What a process took: milliseconds from its start to its end, and the most memory that it held, in MiB."""

    ms: float
    mib: float


@dataclass
class Line:
    """A line of the table: ``ours`` over ``theirs`` is to be at most ``reach``, in the median of all rounds."""

    what: str
    against: str
    reach: float
    unit: str = "ms"
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        self.ours.append(ours)
        self.theirs.append(theirs)

    def __str__(self) -> str:
        ratio = statistics.median(one / other for one, other in zip(self.ours, self.theirs, strict=True))
        ours, theirs = (
            f"{statistics.median(values):,.1f} {self.unit}" for values in (self.ours, self.theirs)
        )
        return f"| {self.what} | {ours} | {self.against} | {theirs} | {ratio:.2f} | ≤ {self.reach} |"


class Programs:
    """The programs under comparison, as installed beside *python*; what they write goes into *folder*."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        # pip leaves byte code in its copy of the templates, which is no part of them.
        self.template = HERE.parent / "templates" / "redirect"

    def run(self, *command: str | Path, **environment: str) -> Cost:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Cookiecutter keeps what it was asked at home.
            env={**os.environ, "HOME": str(self.folder), **environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} ended with status {process.returncode}")
        # ru_maxrss is in KiB, on macOS in bytes.
        return Cost(took * 1000, usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024))

    def import_click(self) -> Cost:
        return self.run(self.python, "-c", "import click")

    def q2mfa(self, *arguments: str | Path, **environment: str) -> Cost:
        return self.run(self.python.with_name("q2mfa"), *arguments, **environment)

    def completion(self) -> Cost:
        return self.q2mfa(_Q2MFA_COMPLETE="bash_complete", COMP_WORDS="q2mfa create --m", COMP_CWORD="2")

    def create(self) -> Cost:
        return self.q2mfa(
            *("create", "Foo", "--no-input", "--mfa", "redirect", "--rendering", REDIRECT["rendering"]),
            *(
                "--issuer",
                REDIRECT["issuer"],
                "--client-id",
                REDIRECT["client_id"],
                "-o",
                self.workspace("ours"),
            ),
        )

    def cookiecutter(self) -> Cost:
        into = self.empty("cookiecutter")
        given = [f"{key}={value}" for key, value in {"extension_name": "Foo", **REDIRECT}.items()]
        return self.run(
            self.python.with_name("cookiecutter"), self.template, "--no-input", "-o", into, *given
        )

    def bare_script(self) -> Cost:
        given = [f"{key}={value}" for key, value in {"extension_name": "Foo", **REDIRECT}.items()]
        return self.run(self.python, HERE / "bare.py", self.template, self.empty("bare"), *given)

    def batch(self, count: int) -> Cost:
        """*count* redirect extensions from one answers file, in a workspace of their own."""
        into = self.workspace(f"batch of {count}")
        answers = self.folder / f"{count}.yaml"
        request = ", ".join(f"{key}: {value}" for key, value in {"mfa": "redirect", **REDIRECT}.items())
        answers.write_text(
            "extensions:\n" + "".join(f"- {{name: Mfa{number}, {request}}}\n" for number in range(count))
        )
        cost = self.q2mfa("create", "--answers", answers, "-o", into)
        shutil.rmtree(into)
        return cost

    def workspace(self, name: str) -> Path:
        into = self.empty(name)
        (into / "configuration").mkdir()
        (into / "configuration" / "settings.py").write_text(SETTINGS)
        (into / "requirements.txt").write_text("q2-sdk==2.208.1\n")
        return into

    def empty(self, name: str) -> Path:
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name

    def check_that_they_write_the_same(self) -> None:
        """Else there is nothing to compare."""
        self.create(), self.cookiecutter(), self.bare_script()
        ours, cookiecutters, bare = (
            {
                path.relative_to(root): path.read_bytes()
                for path in root.rglob("*")
                if path.is_file() and path.name not in ("settings.py", "requirements.txt")
            }
            for root in (
                self.folder / "ours",
                self.folder / "cookiecutter" / "workspace",
                self.folder / "bare",
            )
        )
        if not ours == cookiecutters == bare:
            raise SystemExit("They do not write the same files.")


def measure(programs: Programs, rounds: int, quick: bool) -> list[Line]:
    """The table, after *rounds* rounds in which all take turns; *quick*: batches a hundredth of the size."""
    small, batch, large = (2, 2, 20) if quick else (SMALL, BATCH, LARGE)
    click = "`import click`"
    starts: list[tuple[Line, Callable[[], Cost]]] = [
        (Line("`q2mfa --version`", click, 2.0), partial(programs.q2mfa, "--version")),
        (Line("`q2mfa --help`", click, 2.0), partial(programs.q2mfa, "--help")),
        (Line("completion", click, 2.0), programs.completion),
    ]
    create = Line("`q2mfa create`, redirect, SSR", "`cookiecutter`", 0.75)
    bare = Line("the same", "bare Jinja script", 1.6)
    each = Line(f"`--answers` with {batch}, each", "`cookiecutter`", 0.1)
    growth = Line(f"{large} extensions", f"{batch} extensions", 11 / 10 * large / batch)
    memory = Line(f"peak memory at {large}", f"at {small}", 1.5, "MiB")
    for number in range(rounds + 1):
        costs = [(line, start().ms, programs.import_click().ms) for line, start in starts]
        ours, peer, least = programs.create().ms, programs.cookiecutter().ms, programs.bare_script().ms
        few, many, most = programs.batch(small), programs.batch(batch), programs.batch(large)
        if number == 0 and rounds > 1:
            # It has warmed up the caches.
            continue
        for line, start, theirs in costs:
            line.add(start, theirs)
        create.add(ours, peer)
        bare.add(ours, least)
        each.add(many.ms / batch, peer)
        growth.add(most.ms, many.ms)
        memory.add(most.mib, few.mib)
        print(f"round {number or 1} of {rounds}", file=sys.stderr)
        if rounds == 1:
            break
    return [*(line for line, _ in starts), create, bare, each, growth, memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each takes its turn [15]")
    parser.add_argument("--once", action="store_true", help="one quick round, to see that it works")
    parser.add_argument("--python", type=Path, help="use this Python's environment instead of a new one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="q2mfa-benchmark-") as name:
        folder = Path(name)
        python = options.python and options.python.absolute()
        if python is None:
            venv.create(folder / "venv", with_pip=True)
            python = folder / "venv" / "bin" / "python"
            subprocess.check_call([python, "-m", "pip", "install", "--quiet", HERE.parent])
        programs = Programs(python, folder)
        programs.check_that_they_write_the_same()
        rounds = 1 if options.once else options.rounds
        lines = measure(programs, rounds, quick=options.once)
        print(f"Python {platform.python_version()}, {platform.platform()}; medians of {rounds} rounds\n")
        print("| what | takes | against | takes | ratio | to reach |\n|---|---|---|---|---|---|")
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()
