"""The demo of docs/how-to/update.md and the README: a security fix reaches an extension that its owner has edited."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import q2mfa, q2mfa_process
from console import commands_of
from earlier_templates import earlier_record, install

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "how-to" / "update.md"
RECORD = earlier_record("standard")
TEXTS, EXTENSION = "LoginMFA/frontend/public/assets/languages/en-US.json", "LoginMFA/extension.py"

ROUTE = b"""        router["support"] = self.support
        return router

    async def support(self):
        \"\"\"Our route: whom to call.\"\"\"
        return {"phone": "+1 555 0100"}
"""


@pytest.fixture
def edited(workspace: Path) -> Path:
    """An extension of the earlier template. Its owner changed a message and added a route."""
    texts = RECORD.files[TEXTS].replace(b'"Confirm it is you"', b'"Acme Bank: confirm it is you"')
    extension = RECORD.files[EXTENSION].replace(b"        return router\n", ROUTE)
    install(workspace, RECORD, {TEXTS: texts, EXTENSION: extension})
    return workspace


def test_update_guide_shows_the_output_of_its_commands(edited: Path) -> None:
    shown = commands_of(DOCUMENT.read_text("utf-8"))
    assert [command for command, _ in shown] == [
        "q2mfa list",
        "q2mfa diff LoginMFA",
        "q2mfa update LoginMFA",
        "q2mfa update --all --check",
    ]
    for command, output in shown:
        run = q2mfa(*command.split()[1:], cwd=edited)
        printed = run.out.rstrip("\n").replace(str(edited), "/home/me/workspace")
        assert printed == output, f"Copy this into {DOCUMENT}:\n$ {command}\n{printed}"
    merged = (edited / EXTENSION).read_bytes()
    assert b"support" in merged and b"from .customer import Denied" in merged


def test_readme_shows_the_beginning_of_the_update_commands_output(edited: Path) -> None:
    shown = [
        each for each in commands_of((ROOT / "README.md").read_text("utf-8")) if " create " not in each[0]
    ]
    assert [command for command, _ in shown] == ["q2mfa list", "q2mfa update LoginMFA"]
    for command, output in shown:
        beginning, rest, end = output.partition("…")
        assert q2mfa(*command.split()[1:], cwd=edited).out.startswith(beginning)
        assert (rest, end) == ("…", "")


@pytest.mark.slow
def test_updated_extension_passes_the_new_tests(edited: Path) -> None:
    assert q2mfa("update", "LoginMFA", cwd=edited).status == 0
    tested = q2mfa_process("test", "LoginMFA", "--", "-q", "-p", "no:randomly", cwd=edited)
    assert tested.status == 0 and " passed" in tested.out, tested
