"""Break the generated code in many small ways and check that its own tests fail: `make mutate`.

There are two kinds of mutants: mutmut's (another operator, argument, string, …), and each statement of a function
removed, which mutmut does not do. A survivor needs a reason in argued.toml; without one, the command fails.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import tomllib

HERE = Path(__file__).parent
FAKE_SDK = HERE.parents[1] / "q2mfa_cli" / "platform" / "fake_sdk"
WORK = HERE.parents[1] / "build" / "mutation"
# By what follows --mfa: the files that are mutated.
FILES = {
    "standard": ["customer.py", "factor.py", "extension.py"],
    "standard --factor message": ["factor.py"],
    "redirect": ["protocol.py", "oidc.py", "extension.py"],
}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(FAKE_SDK), "PYTHONDONTWRITEBYTECODE": "1"}


class Survivor(NamedTuple):
    """A mutant that no test noticed: the original line and the mutant's."""

    before: str
    after: str


def workspace(integration: str, rendering: str) -> Path:
    """A new workspace with one extension, Foo."""
    root = WORK / f"{integration.replace(' --factor ', '-')}-{rendering}"
    shutil.rmtree(root, ignore_errors=True)
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "settings.py").write_text(
        "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
    )
    command = [
        sys.executable,
        "-m",
        "q2mfa_cli",
        "create",
        "Foo",
        "--no-input",
        "--mfa",
        *integration.split(),
    ]
    subprocess.run([*command, "--rendering", rendering, "-o", root], check=True, stdout=subprocess.DEVNULL)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


def pytest_fails(root: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "Foo/tests"]
    return (
        subprocess.run(command, cwd=root, env=ENVIRONMENT, capture_output=True, check=False).returncode == 1
    )


def mutmut(root: Path, files: list[str]) -> tuple[int, list[Survivor]]:
    """Run mutmut. Returns the number of mutants and those that survived."""
    sources = "".join(f"\n    Foo/{file}" for file in files)
    (root / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths={sources}\npytest_add_cli_args_test_selection=\n    Foo/tests\n"
        "also_copy=\n    Foo\n    configuration\n    pytest.ini\n"
    )

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "mutmut"), *arguments],
            cwd=root,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    run("run")
    results = [
        line.strip().split(": ") for line in run("results", "--all", "true").splitlines() if ": " in line
    ]
    survivors = []
    for name, fate in results:
        if fate not in ("killed", "timeout"):
            changed = [line for line in run("show", name).splitlines() if re.match(r"[-+](?![-+]{2})", line)]
            before = " ".join(line[1:].strip() for line in changed if line[0] == "-")
            after = " ".join(line[1:].strip() for line in changed if line[0] == "+")
            survivors.append(Survivor(before, after))
    return len(results), survivors


def deletions(root: Path, file: str) -> tuple[int, list[Survivor]]:
    """Remove each statement of each function in turn, in copies of *root*, on all processors."""
    source = (root / "Foo" / file).read_text("utf-8")
    lines = source.splitlines(keepends=True)
    statements = [
        statement
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in ast.walk(function)
        if isinstance(statement, ast.stmt) and statement is not function and not _is_docstring(statement)
    ]

    def survives(number: int) -> Survivor | None:
        statement = statements[number]
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        left_out = " " * statement.col_offset + "pass\n"
        copy = root.with_name(f"{root.name}-{file}-{number}")
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns("mutants"))
        (copy / "Foo" / file).write_text("".join([*lines[:first], left_out, *lines[last:]]), "utf-8")
        failed = pytest_fails(copy)
        shutil.rmtree(copy)
        text = " ".join(line.strip() for line in lines[first:last])
        return None if failed else Survivor(text, "pass")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        survivors = [survivor for survivor in pool.map(survives, range(len(statements))) if survivor]
    return len(statements), survivors


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def main() -> int:
    arguments = tomllib.loads((HERE / "argued.toml").read_text("utf-8"))["argued"]
    argued: Counter[str] = Counter()
    unargued = []
    total = 0
    for integration, files in FILES.items():
        if not integration.startswith(tuple(sys.argv[1:] or [""])):
            continue
        # Only extension.py depends on the rendering; the other file is mutated once.
        for rendering, mutated in [("ssr", files), ("csr", files[-1:] if "extension.py" in files else [])]:
            if not mutated:
                continue
            root = workspace(integration, rendering)
            print(f"{integration} {rendering}: {', '.join(mutated)} …", flush=True)
            for count, survivors in [mutmut(root, mutated), *[deletions(root, file) for file in mutated]]:
                total += count
                for survivor in survivors:
                    why = next((a["why"] for a in arguments if _matches(a, survivor)), None)
                    if why:
                        argued[why] += 1
                    else:
                        unargued.append(survivor)
    print(
        f"\n{total} mutants, {total - argued.total() - len(unargued)} noticed, {argued.total()} survive with a reason:"
    )
    for why, count in argued.items():
        print(f"{count:5} {why}")
    print(f"{len(unargued)} survive without one{':' if unargued else '.'}")
    for before, after in unargued:
        print(f"  - {before}\n  + {after}")
    return 1 if unargued else 0


def _matches(argument: Mapping[str, Any], survivor: Survivor) -> bool:
    before, after = survivor
    if argument.get("letters") and before.lower() != after.lower():
        return False
    return bool(re.search(argument["before"], before) and re.search(argument.get("after", ""), after))


if __name__ == "__main__":
    sys.exit(main())
