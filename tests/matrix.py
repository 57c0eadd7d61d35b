"""Run the unit and server lanes and the generated extensions' tests on each Python of the machine: `make matrix`.

A Python comes from pyenv, or is `python3.X` on the PATH. Python 3.14 is tested by the GitHub workflow only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ["3.10", "3.11", "3.12", "3.13"]
LANES = {
    "unit": [],
    "server": ["-m", "server"],
    "generated": ["tests/generated", "-m", "not browser and not node"],
}


def main(versions: list[str]) -> int:
    """Test on *versions*, and print a line for each lane.

    :returns: 1 if tests failed or a Python is missing, else 0.
    """
    lines = []
    status = 0
    for version in versions:
        python = find_python(version)
        if python is None:
            lines.append(f"{version}: missing. Install it, for example with `pyenv install {version}`.")
            status = 1
            continue
        environment = ROOT / "build" / "matrix" / version
        subprocess.run([python, "-m", "venv", environment], check=True)
        installed = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
        locked = ["--constraint", "requirements-dev.txt", "--editable", ".[dev]"]
        subprocess.run([*installed, *locked], check=True, cwd=ROOT)
        for lane, selected in LANES.items():
            done = subprocess.run(
                [environment / "bin" / "pytest", "-q", "-p", "no:cacheprovider", *selected],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            last = done.stdout.rstrip().rpartition("\n")[2]
            lines.append(f"{version} {lane}: {last.strip('= ')}")
            if done.returncode:
                print(done.stdout)
                status = 1
    print("\n".join(lines))
    return status


def find_python(version: str) -> str | None:
    """Return a Python of that version: the newest of pyenv, or the one on the PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    of_pyenv = sorted(pyenv.glob(f"{version}.*"), key=lambda path: [*map(int, re.findall(r"\d+", path.name))])
    candidates = [str(path / "bin" / "python") for path in reversed(of_pyenv)]
    # pyenv puts shims on the PATH for versions that it does not run.
    candidates += filter(None, [shutil.which(f"python{version}")])
    for candidate in candidates:
        asked = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        try:
            answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        except OSError:
            continue
        if answer == version:
            return candidate
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or VERSIONS))
