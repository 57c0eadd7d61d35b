"""The generated pages and scripts as files: markup, rules of the linters, colors, texts."""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path

import node
import pytest
from scripted_pages import (
    AUTHORIZE,
    DOCUMENT,
    FORM,
    LANGUAGES,
    MESSAGE,
    MESSAGE_VARIANTS,
    VARIANTS,
    generated,
    public,
    server_side_page,
    texts,
)

# Placeholders of an ICU message, and the other ways of writing it that a message of ours may take.
MESSAGES = """
const IntlMessageFormat = require('intl-messageformat').default;
const messages = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const names = (parts) => parts.flatMap((part) =>
  [...(part.type === 0 || part.type === 7 ? [] : [part.value]), ...Object.values(part.options ?? {}).flatMap((o) => names(o.value))]);
const read = (tag, text) => {
  const message = new IntlMessageFormat(text, tag);
  return { names: [...new Set(names(message.getAst()))].sort(),
    one: message.format({ count: 1, list: 'L', name: 'N' }), two: message.format({ count: 2, list: 'L', name: 'N' }) };
};
console.log(JSON.stringify(Object.fromEntries(Object.entries(messages).map(([tag, all]) =>
  [tag, Object.fromEntries(Object.entries(all).map(([key, text]) => [key, read(tag, text)]))]))));
"""

COLOR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\(", re.IGNORECASE
)
COLOR_PROPERTY = re.compile(
    r"(?<![\w-])(?:color|background|border|outline|fill|stroke|box-shadow|caret|accent)[\w-]*\s*:([^;}]*)"
)
WORDS = re.compile(r"[a-z]{3,}", re.IGNORECASE)
# Words that may stand beside var() in those properties, and are no colors.
NO_COLORS = {"solid", "inset", "rem", "max"}


def pages(mfa: str, rendering: str) -> dict[str, str]:
    """Every document that a customer gets, by name."""
    found = {name: text for name, text in public(mfa, rendering).items() if name.endswith(".html")}
    if rendering == "ssr":
        purpose = {"signing_in": True, "transactions": ["1"], "action": "<i>Change</i> \"e-mail\" & 'more'"}
        for escaped in (True, False):
            page = server_side_page(mfa, purpose, escaped=escaped)
            found[f"bare-{escaped}.html"] = DOCUMENT.format(tecton="./tecton.js", page=page)
            wrapped = FORM.format(page=page)
            found[f"wrapped-{escaped}.html"] = DOCUMENT.format(tecton="./tecton.js", page=wrapped)
    return found


@pytest.mark.node
@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_pages_are_valid_html(mfa: str, rendering: str, tmp_path: Path) -> None:
    found = pages(mfa, rendering)
    for name, text in found.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert found
    assert node.run("html-validate", "-c", node.WEB / "htmlvalidate.json", *found, cwd=tmp_path) == ""


@pytest.mark.node
@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_scripts_pass_eslint(mfa: str, rendering: str, tmp_path: Path) -> None:
    scripts = {name: text for name, text in public(mfa, rendering).items() if name.endswith(".js")}
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert {"index.js", "mfa.js"} <= scripts.keys()
    rules = node.WEB / "eslint.config.mjs"
    assert node.run("eslint", "-c", rules, "--max-warnings=0", *scripts, cwd=tmp_path) == ""


def frontend(mfa: str, rendering: str, folder: Path) -> Path:
    """The `frontend` folder of a generated extension, with our own packages in place of npm's registry."""
    node.install()
    for path, content in generated(mfa, rendering).items():
        if path.startswith("Foo/frontend/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    (folder / "Foo/frontend/node_modules").symlink_to(node.WEB / "node_modules")
    return folder / "Foo/frontend"


def npm_run(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [node.program("npm"), "run", "--silent", script]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**node.environment(), "npm_config_offline": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.node
@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_npm_scripts_build_and_lint(mfa: str, rendering: str, tmp_path: Path) -> None:
    folder = frontend(mfa, rendering, tmp_path)
    package = json.loads((folder / "package.json").read_text("utf-8"))
    assert package["private"] is True and set(package["scripts"]) == {"lint", "build"}
    for script in package["scripts"]:
        done = npm_run(script, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    built = {path.relative_to(folder / "dist").as_posix() for path in (folder / "dist").rglob("*.*")}
    assert built == set(public(mfa, rendering))


@pytest.mark.node
def test_npm_lint_finds_a_mistake(tmp_path: Path) -> None:
    folder = frontend("standard", "csr", tmp_path)
    script = folder / "public" / "index.js"
    script.write_text(
        script.read_text("utf-8").replace('"use strict";', '"use strict"; const unused = nothing;')
    )
    done = npm_run("lint", folder)
    assert done.returncode != 0 and "no-undef" in done.stdout and "no-unused-vars" in done.stdout


# ---- markup ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_pages_have_nothing_that_posts_natively(mfa: str, rendering: str) -> None:
    sources = {
        path: content.decode() for path, content in generated(mfa, rendering).items() if "html" in path
    }
    assert sources
    for path, text in sources.items():
        assert "<form" not in text, path
        assert not re.search(r"""(?:id|name)=["']submit["']|type=["'](?:submit|image)["']""", text), path
        buttons = re.findall("<button[^>]*>", text)
        assert all('type="button"' in button for button in buttons), path
        # The main button and Cancel wait for the script, and so does the field, which no form would send anyway.
        assert all(" disabled" in button or " hidden" in button for button in buttons), path
        assert all(
            " disabled" in field and " name=" not in field for field in re.findall("<input[^>]*>", text)
        )


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("mfa", ["standard", MESSAGE, "redirect"])
def test_server_side_page_escapes_values_once(mfa: str, escaped: bool) -> None:
    purpose = {
        "signing_in": False,
        "transactions": [],
        "action": "</main><script>a</script> & 'b' \"c\" &amp;",
    }
    start = {"authorization_url": AUTHORIZE + "&x=<\">'", "expires_in": 90}
    page = server_side_page(mfa, purpose, start, escaped=escaped)
    assert page.count("<script") == 2 and page.count("</main>") == 1
    given = re.search('data-purpose="([^"]*)"', page)
    assert given and json.loads(unescape(given[1])) == purpose
    if mfa == "redirect":
        url = re.search('data-url="([^"]*)"', page)
        assert url and unescape(url[1]) == start["authorization_url"]


@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_documents_load_their_scripts_before_tecton(mfa: str, rendering: str) -> None:
    for name, text in public(mfa, rendering).items():
        if name.endswith(".html"):
            scripts = re.findall(r'<script src="([^"]*)"( defer)?></script>', text)
            names = [source.rpartition("/")[2] for source, _ in scripts]
            assert names[-3:] == ["mfa.js", "index.js", "q2-tecton-sdk.js"]
            assert all(deferred for _, deferred in scripts[-3:])
            assert text.count("<script") == len(scripts)


# ---- colors and sizes --------------------------------------------------------------------------------------


def without_variables(css: str) -> str:
    """*css* with every ``var(…)`` taken out."""
    while (start := css.find("var(")) >= 0:
        end, depth = start + 4, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(css[end], 0)
            end += 1
        css = css[:start] + css[end:]
    return css


@pytest.mark.node
def test_every_color_is_a_variable_of_the_theme_with_its_base_value() -> None:
    node.install()
    css = re.sub(r"/\*.*?\*/", "", public("standard", "ssr")["mfa.css"], flags=re.DOTALL)
    rest = without_variables(css)
    assert COLOR.findall(rest) == []
    for value in COLOR_PROPERTY.findall(rest):
        assert set(WORDS.findall(value)) <= NO_COLORS, value
    theme = (node.WEB / "node_modules/q2-tecton-theme/dist/q2-tecton-theme.css").read_text("utf-8")
    base = dict(re.findall(r"(--[\w-]+)\s*:\s*([^;}]+)", theme))
    used = dict(re.findall(r"var\((--[\w-]+), ([^()]+)\)", css))
    assert len(used) > 12
    # The theme has no type of its own; the bank's has.
    used.pop("--t-font-family")
    for name, value in used.items():
        expected = base[name]
        while reference := re.search(r"var\((--[\w-]+)\)", expected):
            expected = expected.replace(reference[0], base[reference[1]])
        if calculation := re.fullmatch(r"calc\((\d+) \* (1px|0\.0625rem)\)", expected):
            expected = f"{calculation[1]}px"
        assert value == expected, name


def test_sizes_can_be_calculated_in_an_outlet() -> None:
    css = public("redirect", "csr")["mfa.css"]
    assert not re.search(r"\d(?:vh|dvh|svh|lvh)\b|(?<!-)\bheight:\s*100%", css)
    assert "prefers-color-scheme" not in css


# ---- texts -----------------------------------------------------------------------------------------------------


@pytest.mark.node
@pytest.mark.parametrize("mfa", ["standard", MESSAGE, "redirect"])
def test_languages_have_the_same_keys_and_placeholders(mfa: str) -> None:
    node.install()
    done = subprocess.run(
        [node.program("node"), "-e", MESSAGES],
        input=json.dumps(texts(mfa)),
        cwd=node.WEB,
        env=node.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert list(read) == LANGUAGES
    english = read["en-US"]
    assert len(english) > 20
    for tag, messages in read.items():
        assert list(messages) == list(english), tag
        for key, message in messages.items():
            assert message["names"] == english[key]["names"], (tag, key)
            assert "{" not in message["two"] and message["two"].strip(), (tag, key)
    assert english["transactions"]["one"] == "1 transaction: L"
    assert english["transactions"]["two"] == "2 transactions: L"
    assert read["es-MX"]["transactions"]["one"] == "1 transacción: L"


@pytest.mark.parametrize("mfa", ["standard", MESSAGE, "redirect"])
def test_every_text_is_translated(mfa: str) -> None:
    found = texts(mfa)
    english = found.pop("en-US")
    for tag, messages in found.items():
        assert [key for key in english if english[key] == messages[key]] == [], tag
    # The three Chinese ones are not copies of each other.
    assert len({json.dumps(found[tag]) for tag in ("zh-CN", "zh-HK", "zh-TW")}) == 3


@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_pages_and_script_have_the_english_texts_of_the_file(mfa: str, rendering: str) -> None:
    english = texts(mfa)["en-US"]
    script = public(mfa, rendering)["index.js"]
    built_in = re.search(r"const ENGLISH = (\{.*?\n  \});", script, re.DOTALL)
    assert built_in and json.loads(built_in[1]) == english
    found = [
        pair
        for text in pages(mfa, rendering).values()
        for pair in re.findall(r'data-text="(\w+)"[^>]*>([^<]*)<', text)
    ]
    assert len(found) >= 5
    for key, text in found:
        assert english[key] == text


@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_every_code_of_the_backend_has_a_text(mfa: str, rendering: str) -> None:
    tree = generated(mfa, rendering)
    names = ["protocol.py", "oidc.py"] if mfa == "redirect" else ["factor.py", "customer.py"]
    backend = "".join(tree[f"Foo/{name}"].decode() for name in names)
    codes = set(re.findall(r'(?:Denied\(|_require\(.*, )"(\w+)", f?"', backend))
    codes |= set(re.findall(r'(?:require|partial\(require|denying)(?:\(|, )"(\w+)"', backend))
    for errors in re.findall(r"USER_ERRORS \+?= \[(.*?)\]", backend, re.DOTALL):
        codes |= set(re.findall(r'"(\w+)"', errors))
    assert len(codes) >= 4
    assert {f"error_{code}" for code in codes} <= texts(mfa)["en-US"].keys()


@pytest.mark.parametrize(("mfa", "rendering"), [*VARIANTS, *MESSAGE_VARIANTS])
def test_every_text_is_used(mfa: str, rendering: str) -> None:
    tree = generated(mfa, rendering)
    text = "".join(
        content.decode()
        for path, content in tree.items()
        if not path.startswith("Foo/tests") and not path.endswith((".json", ".md"))
    )
    text = re.sub(r"const ENGLISH = \{.*?\n  \};", "", text, flags=re.DOTALL)
    for key in texts(mfa)["en-US"]:
        assert re.search(rf'"{key}"|"{key.removeprefix("error_")}"|{key.removeprefix("error_")}:', text), key
