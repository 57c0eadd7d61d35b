"""The parts of the site that derive from the code. MkDocs calls this hook for each page as it builds the site."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterator
from typing import Any

import click

from q2mfa_cli.cli import main
from q2mfa_cli.rendering import render
from q2mfa_cli.request import make_request

EXAMPLE = "MyExternalMFA"
CONFIGURED = [
    ("Redirect integration", {"mfa": "redirect"}),
    ("Standard integration, a code that is sent", {"mfa": "standard", "factor": "message"}),
]


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Append what is generated for the page, if anything is."""
    generate = PAGES.get(page.file.src_uri)
    return "\n".join([markdown, *generate()]) if generate else markdown


def command_line() -> Iterator[str]:
    """Yield the reference of every command, in Markdown: what `--help` shows."""
    program = click.Context(main, info_name="q2mfa")
    for name in main.list_commands(program):
        command = main.get_command(program, name)
        if command is None or command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=program)
        yield f"\n## q2mfa {name}\n"
        yield f"```\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
        yield from (f"{_joined(paragraph)}\n" for paragraph in (command.help or "").split("\n\n"))
        yield "| option | what it does |\n|---|---|"
        records = [
            option.get_help_record(context) for option in command.params if option.param_type_name == "option"
        ]
        yield from (f"| {_cell(f'`{option}`')} | {_cell(text)} |" for option, text in filter(None, records))
        if command.epilog:
            yield "\n```text\n" + command.epilog.replace("\b\n", "").strip() + "\n```"


def configuration() -> Iterator[str]:
    """Yield the settings of each kind of extension, in Markdown, with the comments of the generated file."""
    for title, answers in CONFIGURED:
        tree = render(make_request({"name": EXAMPLE, **answers}))
        yield f"\n## {title}\n"
        yield "| setting | default | what it is |\n|---|---|---|"
        for names, default, comment in settings(tree[f"configuration/{EXAMPLE}.py"].decode("utf-8")):
            yield f"| {', '.join(f'`{name}`' for name in names)} | {_cell(default)} | {_cell(comment)} |"


def settings(source: str) -> list[tuple[list[str], str, str]]:
    """Return the settings of a configuration file: names under one comment, their defaults, and the comment.

    FEATURE is not one of them: it is what online banking reads, below the line that says not to edit.
    """
    comments = {
        token.start[0]: token.string.removeprefix("#").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.start[1] == 0
    }
    found: list[tuple[list[str], str, str]] = []
    last = 0
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, default = node.targets[0].id, f"`{ast.unparse(node.value).removeprefix('__')}`"
            above = []
            line = node.lineno - 1
            while line in comments:
                above.insert(0, comments[line])
                line -= 1
            if found and not above and node.lineno == last + 1:
                names, defaults, comment = found[-1]
                found[-1] = ([*names, name], f"{defaults}, {default}", comment)
            elif name != "FEATURE":
                found.append(([name], default, " ".join(above)))
            last = node.end_lineno or 0
    return found


def _cell(text: str) -> str:
    parts = _joined(text).split("`")
    # Between backticks Markdown takes every character as it is.
    return "`".join(
        part if number % 2 else part.replace("|", "\\|").replace("<", "&lt;")
        for number, part in enumerate(parts)
    )


def _joined(text: str) -> str:
    return " ".join(text.replace("\b", "").split())


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "reference/cli.md": command_line,
    "reference/configuration.md": configuration,
}
