"""The click commands: parse, call one function, report."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from q2mfa_cli import __version__
from q2mfa_cli.errors import Q2mfaError, UsageError

if TYPE_CHECKING:
    from q2mfa_cli.prompts import Asker
    from q2mfa_cli.request import Answers, ExtensionRequest
    from q2mfa_cli.workspace import Workspace

ALIASES = {"create_extension": "create"}

EPILOG = """\b
Examples:
  q2mfa create                      answer the menus of `q2 create_extension`
  q2mfa create MyMFA --no-input     a passcode (TOTP) form, server-side rendered
  q2mfa create MyMFA --mfa redirect --rendering csr --issuer https://login.bank.example
  q2mfa test MyMFA                  run the generated tests
  q2mfa preview MyMFA               show it at work, in a browser

\b
Shell completion (bash; likewise zsh_source, fish_source):
  eval "$(_Q2MFA_COMPLETE=bash_source q2mfa)"
"""

CREATE_EPILOG = """\b
Examples:
  q2mfa create
  q2mfa create MyMFA --rendering ssr --mfa standard
  q2mfa create MyMFA --mfa redirect --no-input \\
      --issuer https://login.bank.example --client-id my-client --scope profile
  q2mfa create MyMFA --no-input --dry-run
  q2mfa create --answers mfa.yaml --format json

\b
An answers file (YAML, JSON or TOML) holds one request, or many under `extensions`:
  name: MyMFA
  rendering: csr
  mfa: redirect
  issuer: https://login.bank.example
  client_id: my-client
  scopes: [openid, profile]

\b
Exit status: 0 done, 1 could not, 2 wrong usage, 130 interrupted.
Only status 0 leaves anything behind, unless the message says what.
"""


PREVIEW_EPILOG = """\b
Examples:
  q2mfa preview MyMFA
  q2mfa preview MyMFA --no-browser --port 9000
  q2mfa preview --check MyMFA
  q2mfa preview MyMFA --issuer http://localhost:8080/realms/bank

\b
Everything binds to 127.0.0.1 only. Ctrl-C stops it; the exit status is then 0.
"""


class Program(click.Group):
    """The ``q2mfa`` command: aliases, and one way for every error to reach the user."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an interruption is an error like another."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            if sys.stderr.isatty():
                # What the terminal shows of Ctrl-C stands on a line of its own.
                click.echo(err=True)
            raise click.Abort from error

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run, report an error if there is one, and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            sys.exit(super().main(arguments, *rest, **extra) or 0)
        except click.exceptions.Exit as leaving:
            sys.exit(leaving.exit_code)
        except Exception as error:  # noqa: BLE001 - a user is never shown a traceback unasked
            if "--debug" in arguments:
                import traceback

                traceback.print_exc()
            sys.exit(_report_error(_as_ours(error), arguments))


@click.group(
    cls=Program,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", prog_name="q2mfa")
@click.pass_context
def main(context: click.Context) -> None:
    """Generate External MFA extensions for Q2 online banking.

    They work, are secure by default, and come with tests.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def debug_option(command: Any) -> Any:
    return click.option(
        "--debug", is_flag=True, help="On an error, show a traceback too.", expose_value=False
    )(command)


workspace_option = click.option(
    "-o",
    "--output-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    help="The workspace.  [default: the nearest folder upward with configuration/settings.py, else here]",
)


@main.command(epilog=CREATE_EPILOG)
@click.argument("name", required=False)
@click.option("--rendering", type=click.Choice(["ssr", "csr"]), help="Server- or client-side rendered page.")
@click.option(
    "--mfa",
    type=click.Choice(["standard", "redirect"]),
    help="A form of its own, or OpenID Connect elsewhere.",
)
@click.option("--issuer", metavar="URL", help="Redirect only: the identity provider's issuer, an https URL.")
@click.option("--client-id", metavar="TEXT", help="Redirect only: the client id registered there.")
@click.option(
    "--scope",
    "scopes",
    metavar="TEXT",
    multiple=True,
    help="Redirect only, repeatable; openid is always asked for.",
)
@workspace_option
@click.option(
    "--answers", metavar="FILE", help="Read the answers from a YAML, JSON or TOML file; - is stdin."
)
@click.option(
    "--no-input", is_flag=True, help="Never ask: NAME is required, the rest defaults to ssr, standard."
)
@click.option("--plain", is_flag=True, help="Ask with numbered menus even on a terminal.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be done, with a diff of the edits; write nothing."
)
@click.option("--force", is_flag=True, help="Replace files that are there and differ.")
@click.option(
    "--register/--no-register",
    default=True,
    help="Edit configuration/settings.py, or leave it.  [default: register]",
)
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text", help="How to report."
)
@debug_option
def create(
    name: str | None,
    rendering: str | None,
    mfa: str | None,
    issuer: str | None,
    client_id: str | None,
    scopes: tuple[str, ...],
    output_dir: Path | None,
    answers: str | None,
    no_input: bool,
    plain: bool,
    dry_run: bool,
    force: bool,
    register: bool,
    output_format: str,
) -> None:
    """Create an External MFA extension.

    Asks the menus of `q2 create_extension`; a flag given is a question not asked. Also: create_extension.
    """
    from q2mfa_cli import report
    from q2mfa_cli.commands.create import create as run
    from q2mfa_cli.request import Answers, make_request
    from q2mfa_cli.workspace import find_workspace, read_workspace

    root = output_dir or find_workspace(Path())
    given = Answers(name, rendering, mfa, issuer, client_id, scopes or None)
    if answers is not None:
        wanted = _from_file(answers, given)
    elif no_input:
        wanted = [given]
    else:
        asker = _asker(plain, output_format)
        wanted = [_asked(given, asker, read_workspace(root))]
    requests = [make_request(each) for each in wanted]
    result = run(
        root,
        requests,
        force=force,
        register=register,
        dry_run=dry_run,
        progress=_progress(output_format),
    )
    _print(report.as_json(result) if output_format == "json" else report.as_text(result), result.dry_run)


@main.command()
@click.argument("name")
@workspace_option
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@debug_option
def test(name: str, output_dir: Path | None, pytest_args: tuple[str, ...]) -> int:
    """Run an extension's own tests.

    On the Q2 SDK where it is installed, else on q2mfa's stand-in for it. What follows -- goes to pytest.
    """
    from q2mfa_cli.commands.test import run_tests
    from q2mfa_cli.workspace import find_workspace

    return run_tests(output_dir or find_workspace(Path()), name, pytest_args)


@main.command(epilog=PREVIEW_EPILOG)
@click.argument("name")
@workspace_option
@click.option(
    "--port",
    type=click.IntRange(0, 65533),
    metavar="N",
    help="Online banking's port; the next two are used too, 0 takes any.  [default: the first free from 8642]",
)
@click.option(
    "--issuer", metavar="URL", help="Redirect only: a real identity provider in place of the embedded one."
)
@click.option(
    "--check",
    is_flag=True,
    help="No browser, no waiting: try the workflows over HTTP; 0 only if the right user gets through and nobody else.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@debug_option
def preview(
    name: str,
    output_dir: Path | None,
    port: int | None,
    issuer: str | None,
    check: bool,
    no_browser: bool,
) -> None:
    """Show an extension at work, on a local stand-in for Q2's platform.

    Plays online banking, with the extension in its iframe and HQ behind it, and shows the eight steps of External MFA
    as they happen. The extension is loaded anew when a file of it changes.
    """
    from q2mfa_cli.workspace import find_workspace

    workspace = (output_dir or find_workspace(Path.cwd())).resolve()
    if check:
        from q2mfa_cli.platform.verify.check import run_check

        if issuer is not None:
            raise UsageError("--check logs in at the embedded provider only.", "Leave --issuer out.")
        run_check(workspace, name, click.echo)
        return
    from q2mfa_cli.platform.preview.preview import run_preview

    run_preview(workspace, name, port, issuer, not no_browser, click.echo)


def _from_file(source: str, given: Answers) -> list[Answers]:
    """The answers of the file; flags go before them where the file holds one request."""
    from q2mfa_cli.answers import read_answers
    from q2mfa_cli.request import Answers

    entries = read_answers(source)
    if given == Answers():
        return entries
    if len(entries) > 1:
        raise UsageError(
            "The answers file holds many requests; NAME and flags that answer questions cannot go with it.",
            "Put the answers into the file.",
        )
    return [given.over(entries[0])]


def _asked(given: Answers, asker: Asker, workspace: Workspace) -> Answers:
    from q2mfa_cli.prompts import ask
    from q2mfa_cli.request import check_name, refuse_redirect_answers
    from q2mfa_cli.workspace import check_name_is_free

    def check(name: str) -> str:
        return check_name_is_free(workspace, check_name(name))

    # A mistake on the command line is said before anybody answers four menus.
    if given.name is not None:
        check(given.name)
    if given.mfa == "standard":
        refuse_redirect_answers(given)
    return ask(given, asker, check)


def _asker(plain: bool, output_format: str) -> Asker:
    from q2mfa_cli.prompts import LineAsker, TerminalAsker

    typed, seen = sys.stdin.isatty(), sys.stdout.isatty()
    if typed and seen and not plain and output_format == "text" and os.environ.get("TERM") != "dumb":
        return TerminalAsker()
    # Questions go where a person can see them, and never into the JSON.
    out = sys.stderr if output_format == "json" or (typed and not seen) else sys.stdout
    return LineAsker(sys.stdin.buffer, out, echo=not typed)


def _progress(output_format: str) -> Callable[[list[ExtensionRequest]], Iterator[ExtensionRequest]]:
    """A bar for a batch on a terminal; silence in pipes and in JSON."""

    def bar(requests: list[ExtensionRequest]) -> Iterator[ExtensionRequest]:
        if len(requests) < 2 or output_format == "json" or not sys.stderr.isatty():
            yield from requests
            return
        with click.progressbar(
            requests, file=sys.stderr, item_show_func=lambda request: request.name if request else None
        ) as items:
            yield from items

    return bar


def _print(report: Iterator[str], dry_run: bool) -> None:
    """Print a report; where that cannot be done, say what was."""
    # A path may hold what standard output cannot.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        for piece in report:
            click.echo(piece.encode(encoding, "backslashreplace").decode(encoding), nl=False)
    except OSError as error:
        done = "nothing was written, as --dry-run says" if dry_run else "what it reports is done, all of it"
        raise Q2mfaError(
            f"The report cannot be written: {error.strerror}.", f"Only that failed: {done}.", "report_failed"
        ) from error


def _as_ours(error: Exception) -> Q2mfaError:
    if isinstance(error, Q2mfaError):
        return error
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "q2mfa"
        return UsageError(_one_line(error.format_message()), f"See `{command} --help`.")
    if isinstance(error, click.Abort):
        return Q2mfaError("Interrupted.", "Run the command again.", "interrupted", 130)
    if isinstance(error, click.ClickException):
        return Q2mfaError(_one_line(error.format_message()), "See `q2mfa --help`.", "failed", error.exit_code)
    return Q2mfaError(
        _one_line(f"q2mfa itself failed: {type(error).__name__}: {error}"),
        "Run again with --debug, and report what it shows.",
        "internal",
    )


def _report_error(error: Q2mfaError, arguments: list[str]) -> int:
    from q2mfa_cli.report import error_as_json

    click.echo(f"Error: {error.message}", err=True)
    click.echo(error.hint, err=True)
    try:
        # Looked for by hand: the error may be that the command line cannot be parsed.
        if "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments):
            click.echo(error_as_json(error))
        elif sys.stdout:
            sys.stdout.flush()
    except OSError:
        # What standard output has refused once is not tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return error.exit_status


def _one_line(text: str) -> str:
    """*text* as an error can show it: on one line, not for pages, and with nothing that acts on a terminal."""
    line = " ".join(text.split())
    if len(line) > 300:
        line = f"{line[:200]} … {line[-90:]}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
