"""The preview's own style sheet of Tecton's base theme, compared with Q2's npm package."""

from __future__ import annotations

import re
from pathlib import Path

import node
import pytest

from q2mfa_cli.platform import preview

STATIC = Path(preview.__file__).parent / "static"
DECLARATION = re.compile(r"(--[\w-]+)\s*:\s*([^;}]+)")
# The package leaves the font to the bank.
OUR_OWN = {"--t-font-family"}


def value(name: str, declared: dict[str, str]) -> str:
    """The value of a property, with every reference and calculation carried out."""
    text = declared[name].strip()
    while reference := re.search(r"var\((--[\w-]+)\)", text):
        text = text.replace(reference[0], declared[reference[1]].strip())
    while product := re.search(r"calc\((\d+) \* (?:1px|0\.0625rem)\)", text):
        text = text.replace(product[0], f"{product[1]}px")
    return text.lower()


@pytest.mark.node
def test_base_theme_has_the_names_and_values_of_the_package() -> None:
    node.install()
    package = (node.WEB / "node_modules/q2-tecton-theme/dist/q2-tecton-theme.css").read_text("utf-8")
    theirs = dict(reversed(DECLARATION.findall(package)))
    ours = dict(DECLARATION.findall((STATIC / "theme.css").read_text("utf-8")))
    assert len(ours) > 45
    assert {name: value(name, ours) for name in ours.keys() - OUR_OWN} == {
        name: value(name, theirs) for name in ours.keys() - OUR_OWN
    }


@pytest.mark.parametrize(
    "file", sorted([*STATIC.glob("theme-*.css"), *STATIC.glob("contrast-*.css")]), ids=lambda file: file.stem
)
def test_variants_of_the_theme_change_properties_of_the_base_theme_only(file: Path) -> None:
    base = dict(DECLARATION.findall((STATIC / "theme.css").read_text("utf-8")))
    changed = dict(DECLARATION.findall(file.read_text("utf-8")))
    assert changed and changed.keys() <= base.keys()
