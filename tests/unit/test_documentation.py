"""The pages of the site say what the code does: generated parts, lists of schemas and commands, examples."""

from __future__ import annotations

import asyncio
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import q2mfa
from console import commands_of, is_shown

from q2mfa_cli.cli import main

DOCS = Path(__file__).parents[2] / "docs"
GENERATED = runpy.run_path(str(DOCS / "generated_pages.py"))
GOLDEN_TREES = DOCS.parent / "tests" / "snapshots"


def generated(page: str) -> str:
    """The Markdown of a page of docs/ with what the site adds to it."""
    of = SimpleNamespace(file=SimpleNamespace(src_uri=page))
    markdown: str = GENERATED["on_page_markdown"]((DOCS / page).read_text("utf-8"), of)
    return markdown


def test_command_reference_has_every_command_and_option() -> None:
    page = generated("reference/cli.md")
    assert re.findall(r"(?m)^## q2mfa (\w+)$", page) == sorted(main.commands)
    for name, command in main.commands.items():
        section = page.partition(f"\n## q2mfa {name}\n")[2].partition("\n## ")[0]
        options = {option for parameter in command.params for option in parameter.opts if option[:2] == "--"}
        assert [option for option in options if f"{option}" not in section] == []


def test_page_without_a_generated_part_is_unchanged() -> None:
    assert generated("index.md") == (DOCS / "index.md").read_text("utf-8")


@pytest.mark.parametrize("variant", ["redirect-ssr", "standard-message-ssr"])
def test_configuration_page_has_every_setting_of_the_generated_file(variant: str) -> None:
    source = (GOLDEN_TREES / variant / "configuration" / "MyExternalMFA.py").read_text("utf-8")
    settings = set(re.findall(r"(?m)^([A-Z_]+) = ", source)) - {"FEATURE"}
    page = generated("reference/configuration.md")
    assert settings and [name for name in settings if f"`{name}`" not in page] == []


def test_consecutive_settings_share_the_comment_above_them() -> None:
    source = "# One\n# comment.\nA = 1\nB = ''\n\nC = []\n\n##### DO NOT EDIT #####\n\nFEATURE = {}\n"
    assert GENERATED["settings"](source) == [(["A", "B"], "`1`, `''`", "One comment."), (["C"], "`[]`", "")]


def test_table_cell_escapes_pipes_and_angle_brackets_outside_code() -> None:
    assert GENERATED["_cell"]("`a|b <c>` or\n x|y <z>") == r"`a|b <c>` or x\|y &lt;z>"


def test_json_page_links_every_schema() -> None:
    page = (DOCS / "reference" / "json.md").read_text("utf-8")
    schemas = {file.name for file in DOCS.glob("*.schema.json")}
    assert schemas and {name for name in schemas if f"](../{name})" not in page} == set()


def test_home_page_links_every_command() -> None:
    page = (DOCS / "index.md").read_text("utf-8")
    assert [name for name in main.commands if f"reference/cli.md#q2mfa-{name})" not in page] == []


def test_exit_codes_page_has_every_command() -> None:
    table = (DOCS / "reference" / "exit-codes.md").read_text("utf-8").partition("| command |")[2]
    named = set(re.findall(r"`(\w+)[^`]*`", "".join(re.findall(r"(?m)^\| (.*?) \|", table))))
    assert set(main.commands) <= named


@pytest.fixture
def factor() -> Any:
    """The class of docs/how-to/own-factor.md, for a customer with a device."""
    page = (DOCS / "how-to" / "own-factor.md").read_text("utf-8")
    (source,) = re.findall(r"(?s)```python\n(.*?)```", page)

    class Denied(Exception):
        pass

    names: dict[str, Any] = {"Denied": Denied}
    exec(source.replace("from .customer import Denied\n", ""), names)  # noqa: S102
    return names["Factor"](SimpleNamespace(mfa_info=SimpleNamespace(registration_value="a device")))


@pytest.mark.parametrize(
    ("answer", "verified"), [("approved", True), ("pending", {"pending": True}), ("denied", None)]
)
def test_guide_factor_maps_each_device_answer_to_its_result(factor: Any, answer: str, verified: Any) -> None:
    async def ask(device: str, body: Any) -> str:
        return answer

    factor.ask = ask
    if verified is None:
        with pytest.raises(Exception, match="refused"):
            asyncio.run(factor.verify({}))
    else:
        assert asyncio.run(factor.verify({})) == verified


def test_guide_factor_denies_without_owners_code_or_a_registered_device(factor: Any) -> None:
    with pytest.raises(Exception, match="not_configured"):
        asyncio.run(factor.verify({}))
    factor.handler.mfa_info.registration_value = None
    with pytest.raises(Exception, match="not_registered"):
        asyncio.run(factor.verify({}))


def test_verify_guide_shows_the_output_of_its_commands(workspace: Path) -> None:
    assert q2mfa("create", "LoginMFA", "--no-input", cwd=workspace).status == 0
    extension = workspace / "LoginMFA" / "extension.py"
    source = extension.read_text("utf-8")
    weaker = {
        "import secrets": "import random",
        "secrets.token_urlsafe(32)": "str(random.randint(0, 999_999))",
    }
    for strong, weak in weaker.items():
        assert source.count(strong) == 1
        source = source.replace(strong, weak)
    extension.write_text(source, "utf-8")
    shown = commands_of((DOCS / "how-to" / "verify.md").read_text("utf-8"))
    assert [command.split()[1] for command, _ in shown] == ["verify", "explain"]
    for command, output in shown:
        printed = q2mfa(*command.split()[1:], cwd=workspace).out
        assert is_shown(printed, output), f"$ {command}\n{printed}"
