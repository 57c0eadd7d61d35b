"""Compare the speed of q2mfa with other programs: `make benchmark`.

It installs q2mfa into a new virtual environment and runs the programs in turns. It prints a table with the median times
and the median of each round's ratio. Quote the ratios: they hold on other machines, the times do not.
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

HERE = Path(__file__).resolve().parent
SETTINGS = "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
REDIRECT = {"rendering": "ssr", "issuer": "https://login.bank.example", "client_id": "q2-mfa"}
BATCH = 200


@dataclass
class Line:
    """A line of the table: the median of ``ours / theirs`` should be at most ``reach``. Times are in milliseconds."""

    what: str
    against: str
    reach: float
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def add(self, ours: float, theirs: float) -> None:
        self.ours.append(ours)
        self.theirs.append(theirs)

    def __str__(self) -> str:
        ratio = statistics.median(one / other for one, other in zip(self.ours, self.theirs, strict=True))
        ours, theirs = (f"{statistics.median(times):,.1f} ms" for times in (self.ours, self.theirs))
        return f"| {self.what} | {ours} | {self.against} | {theirs} | {ratio:.2f} | ≤ {self.reach} |"


class Programs:
    """The programs to compare, installed beside *python*. They write into *folder*."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder
        # Not the installed templates: pip compiles byte code into them.
        self.template = HERE.parent / "templates" / "redirect"

    def run(self, *command: str | Path, **environment: str) -> float:
        """Run a program and return the milliseconds from its start to its end."""
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Cookiecutter writes its replay file below HOME, and leaves rendered hooks in TMPDIR.
            env={**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder), **environment},
            check=False,
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} failed with status {done.returncode}")
        return took * 1000

    def import_click(self) -> float:
        return self.run(self.python, "-c", "import click")

    def q2mfa(self, *arguments: str | Path, **environment: str) -> float:
        return self.run(self.python.with_name("q2mfa"), *arguments, **environment)

    def completion(self) -> float:
        return self.q2mfa(_Q2MFA_COMPLETE="bash_complete", COMP_WORDS="q2mfa create --m", COMP_CWORD="2")

    def create(self) -> float:
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

    def cookiecutter(self) -> float:
        into = self.empty("cookiecutter")
        given = [f"{key}={value}" for key, value in {"extension_name": "Foo", **REDIRECT}.items()]
        return self.run(
            self.python.with_name("cookiecutter"), self.template, "--no-input", "-o", into, *given
        )

    def bare_script(self) -> float:
        given = [f"{key}={value}" for key, value in {"extension_name": "Foo", **REDIRECT}.items()]
        return self.run(self.python, HERE / "bare.py", self.template, self.empty("bare"), *given)

    def batch(self, count: int) -> float:
        """Create *count* redirect extensions from one answers file, in a new workspace."""
        into = self.workspace(f"batch of {count}")
        answers = self.folder / f"{count}.yaml"
        request = ", ".join(f"{key}: {value}" for key, value in {"mfa": "redirect", **REDIRECT}.items())
        answers.write_text(
            "extensions:\n" + "".join(f"- {{name: Mfa{number}, {request}}}\n" for number in range(count))
        )
        took = self.q2mfa("create", "--answers", answers, "-o", into)
        shutil.rmtree(into)
        return took

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
        """Exit unless all three write the same files. Only q2mfa writes a record, and edits the workspace's own files."""
        self.create(), self.cookiecutter(), self.bare_script()
        ours, cookiecutters, bare = (
            {
                path.relative_to(root): path.read_bytes()
                for path in root.rglob("*")
                if path.is_file()
                and path.name not in ("settings.py", "requirements.txt")
                and path.parent.name != ".q2mfa"
            }
            for root in (
                self.folder / "ours",
                self.folder / "cookiecutter" / "workspace",
                self.folder / "bare",
            )
        )
        if not ours == cookiecutters == bare:
            raise SystemExit("q2mfa, Cookiecutter and the bare script do not write the same files.")


def measure(programs: Programs, rounds: int, batch: int) -> list[Line]:
    """Run all programs in turns, *rounds* times, after one round that warms up the caches."""
    click = "`import click`"
    starts: list[tuple[Line, Callable[[], float]]] = [
        (Line("`q2mfa --version`", click, 1.3), partial(programs.q2mfa, "--version")),
        (Line("`q2mfa --help`", click, 2.0), partial(programs.q2mfa, "--help")),
        (Line("completion", click, 2.0), programs.completion),
    ]
    create = Line("`q2mfa create`, redirect, SSR", "`cookiecutter`", 0.65)
    bare = Line("the same", "bare Jinja script", 1.9)
    each = Line(f"`--answers` with {batch}, each", "`cookiecutter`", 0.1)
    for number in range(rounds + 1):
        took = [(line, start(), programs.import_click()) for line, start in starts]
        ours, cookiecutter, script = programs.create(), programs.cookiecutter(), programs.bare_script()
        took += [(create, ours, cookiecutter), (bare, ours, script)]
        took += [(each, programs.batch(batch) / batch, cookiecutter)]
        if number:
            for line, one, other in took:
                line.add(one, other)
            print(f"round {number} of {rounds}", file=sys.stderr)
    return [*(line for line, _ in starts), create, bare, each]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each program runs [15]")
    parser.add_argument("--batch", type=int, default=BATCH, help=f"extensions in one run [{BATCH}]")
    parser.add_argument("--python", type=Path, help="use the environment of this Python")
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
        lines = measure(programs, options.rounds, options.batch)
        print(f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores;", end=" ")
        print(f"medians of {options.rounds} rounds\n")
        print("| what | takes | against | takes | ratio | to reach |\n|---|---|---|---|---|---|")
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()
