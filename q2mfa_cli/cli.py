"""The click commands. Each parses, calls one function, and prints what it returns.

Commands import what they need inside their functions: shell completion, `--help` and `--version` start without it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from q2mfa_cli import __version__
from q2mfa_cli.errors import (
    DEBUG,
    EMPTY_REPORT,
    OUTPUT_FORMAT,
    Interrupted,
    Q2mfaError,
    ToolFailed,
    UsageError,
)
from q2mfa_cli.questions import QUESTIONS, as_options

if TYPE_CHECKING:
    from q2mfa_cli.prompts import Prompter
    from q2mfa_cli.request import ExtensionRequest

ALIASES = {"create_extension": "create"}

EPILOG = """\b
Examples:
  q2mfa create                      answer the menus of `q2 create_extension`
  q2mfa create MyMFA --no-input     a passcode (TOTP) form, server-side rendered
  q2mfa create MyMFA --mfa redirect --rendering csr --issuer https://login.bank.example
  q2mfa test MyMFA                  run the generated tests
  q2mfa preview MyMFA               show it at work, in a browser
  q2mfa provider https://login.bank.example    ask an identity provider whether it works

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
If it is not 0, nothing was changed, or the error lists what was.
"""

PREVIEW_EPILOG = """\b
Examples:
  q2mfa preview MyMFA
  q2mfa preview MyMFA --no-browser --port 9000
  q2mfa preview --check MyMFA
  q2mfa preview MyMFA --issuer http://127.0.0.1:8080/realms/bank

\b
Everything binds to 127.0.0.1 only. Ctrl-C stops it; the exit status is then 0.
"""


PROVIDER_EPILOG = """\b
Examples:
  q2mfa provider https://login.bank.example
  q2mfa provider https://login.bank.example --client-id my-client \\
      --redirect-uri https://assets.bank.example/MyMFA/verify.html \\
      --client-secret-env MYMFA_CLIENT_SECRET --embedder https://online.bank.example
  q2mfa provider https://login.bank.example --format json --fail-on high

\b
The secret is read from the environment, goes to the provider's token or PAR endpoint only, and is never printed.
The checks: docs/reference/provider-checks.md.
Exit status: 0 nothing found, 1 something found (see --fail-on), 2 wrong usage, 3 could not look.
"""


class Command(click.Command):
    """A command whose usage errors honor ``--format json`` even if another option cannot be parsed.

    :param empty_report: what the JSON report of an error has beside the error; None for that of ``create``.
    """

    def __init__(self, *args: Any, empty_report: dict[str, Any] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.empty_report = empty_report

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.empty_report is not None:
            ctx.meta[EMPTY_REPORT] = self.empty_report
        try:
            return super().parse_args(ctx, list(args))
        except click.UsageError:
            parser = self.make_parser(ctx)
            parser.ignore_unknown_options = True
            with contextlib.suppress(click.UsageError):
                options, *_ = parser.parse_args(list(args))
                ctx.meta.setdefault(OUTPUT_FORMAT, options.get("output_format"))
            raise


class Program(click.Group):
    """The ``q2mfa`` command. Every error reaches the user as a :class:`Q2mfaError`."""

    command_class = Command

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _shown_as_q2mfa_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _shown_as_q2mfa_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def _shown_as_q2mfa_errors() -> Iterator[None]:
    """Turn any error but a closed pipe, which click handles, into a :class:`Q2mfaError`."""
    try:
        yield
    except (Q2mfaError, click.exceptions.Exit) as error:
        if isinstance(error, Interrupted) and sys.stderr.isatty():
            # The terminal shows ^C at the end of the line.
            click.echo(err=True)
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "q2mfa"
        raise UsageError(_one_line(error.format_message()), f"See `{command} --help`.") from error
    except (KeyboardInterrupt, click.Abort):
        if sys.stderr.isatty():
            click.echo(err=True)
        raise Interrupted from None
    except click.ClickException as error:
        raise Q2mfaError(_one_line(error.format_message()), "See `q2mfa --help`.", "failed") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise
        raise Q2mfaError(
            _one_line(f"q2mfa itself failed: {type(error).__name__}: {error}"),
            "Run again with --debug, and report what it shows.",
            "internal",
        ) from error


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


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return a callback that keeps an option's value where an error finds it."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        context.meta[key] = value
        return value

    return callback


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember(DEBUG),
    help="On an error, show a traceback too.",
)

workspace_option = click.option(
    "-o",
    "--output-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    help="The workspace.  [default: the nearest folder upward with configuration/settings.py, else here]",
)


@main.command(epilog=CREATE_EPILOG)
@as_options()
@workspace_option
@click.option(
    "--answers", metavar="FILE", help="Read the answers from a YAML, JSON or TOML file; - is stdin."
)
@click.option(
    "--check-provider",
    is_flag=True,
    help="Redirect only: ask the issuer first, as `q2mfa provider` does, and configure what fits it.",
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
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    is_eager=True,
    callback=_remember(OUTPUT_FORMAT),
    help="How to report.",
)
@debug_option
def create(
    output_dir: Path | None,
    answers: str | None,
    check_provider: bool,
    no_input: bool,
    plain: bool,
    dry_run: bool,
    force: bool,
    register: bool,
    output_format: str,
    **asked: Any,
) -> None:
    """Create an External MFA extension.

    Asks the menus of `q2 create_extension`. Flags skip the matching question. Also: create_extension.
    """
    from q2mfa_cli import report
    from q2mfa_cli.commands import create
    from q2mfa_cli.request import make_request
    from q2mfa_cli.workspace.find import find_workspace

    root = output_dir or find_workspace(Path())
    given = {
        question.name: asked[question.name]
        for question in QUESTIONS
        if asked[question.name] not in (None, ())
    }
    if answers is not None:
        requests = create.requests_from_file(answers, given)
    elif no_input:
        requests = [make_request(given)]
    else:
        requests = create.requests_from_prompts(root, given, lambda: _prompter(plain, output_format))
    if check_provider:
        requests = [
            create.fitted_to_provider(request, lambda line: click.echo(line, err=True))
            for request in requests
        ]
    plan = create.create(
        root,
        requests,
        force=force,
        register=register,
        dry_run=dry_run,
        progress=_progress(output_format),
    )
    as_asked = report.as_json if output_format == "json" else report.as_text
    _print(as_asked(plan, dry_run), dry_run)


@main.command()
@click.argument("name")
@workspace_option
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@debug_option
@click.pass_context
def test(context: click.Context, name: str, output_dir: Path | None, pytest_args: tuple[str, ...]) -> None:
    """Run an extension's own tests.

    On the Q2 SDK where it is installed, else on q2mfa's fake of it. What follows -- goes to pytest.
    """
    from q2mfa_cli.commands.test import run_tests
    from q2mfa_cli.workspace.find import find_workspace

    context.exit(run_tests(output_dir or find_workspace(Path()), name, pytest_args))


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
    """Show an extension at work, on a local fake of Q2's platform.

    Plays online banking, with the extension in its iframe and HQ behind it, and shows the eight steps of External MFA
    as they happen. The extension is loaded anew when a file of it changes.
    """
    from q2mfa_cli.workspace.find import find_workspace

    workspace = (output_dir or find_workspace(Path.cwd())).resolve()
    if check:
        from q2mfa_cli.commands.preview import run_check

        if issuer is not None:
            raise UsageError("--check logs in at the embedded provider only.", "Leave --issuer out.")
        run_check(workspace, name, click.echo)
        return
    from q2mfa_cli.commands.preview import run_preview

    run_preview(workspace, name, port, issuer, not no_browser, click.echo)


@main.command(
    epilog=PROVIDER_EPILOG,
    empty_report={"issuer": None, "vendor": None, "findings": [], "outbound_hosts": [], "settings": {}},
)
@click.argument("issuer")
@click.option("--client-id", metavar="TEXT", help="The client that is registered there.")
@click.option(
    "--client-secret-env",
    metavar="NAME",
    help="The environment variable with the client's secret, or its private key as a JWK: try the credentials.",
)
@click.option(
    "--redirect-uri", metavar="URL", help="What is registered for the client: <base_assets_url>/verify.html."
)
@click.option("--embedder", metavar="URL", help="The origin of online banking, which frames the login page.")
@click.option(
    "--scope", "scopes", metavar="TEXT", multiple=True, help="Repeatable; openid is always asked for."
)
@click.option(
    "--acr-values", metavar="TEXT", default="", help="What the extension asks for, separated by spaces."
)
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high", "critical"]),
    default="low",
    show_default=True,
    help="The least severity that makes the exit status 1; the login works without what is below high.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    is_eager=True,
    callback=_remember(OUTPUT_FORMAT),
    help="How to report.",
)
@debug_option
@click.pass_context
def provider(
    context: click.Context,
    issuer: str,
    client_id: str | None,
    client_secret_env: str | None,
    redirect_uri: str | None,
    embedder: str | None,
    scopes: tuple[str, ...],
    acr_values: str,
    fail_on: str,
    output_format: str,
) -> None:
    """Ask an identity provider whether it works in an outlet.

    Sends requests to the provider only. Says what to change there, and what to configure here.
    """
    from q2mfa_cli.commands.provider import ask_provider, shown_report

    try:
        judgment = ask_provider(
            issuer,
            client_id=client_id,
            secret_variable=client_secret_env,
            redirect_uri=redirect_uri,
            embedder=embedder,
            scopes=scopes,
            acr_values=acr_values,
        )
        report = shown_report(judgment, output_format)
    except Q2mfaError:
        raise
    except Exception as error:
        raise ToolFailed(
            _one_line(f"q2mfa itself failed: {type(error).__name__}"),
            "Run again with --debug, and report what it shows.",
            "internal",
        ) from error
    _print(report, dry_run=True)
    context.exit(1 if any(finding.is_at_least(fail_on) for finding in judgment.findings) else 0)


def _prompter(plain: bool, output_format: str) -> Prompter:
    from q2mfa_cli.prompts import LinePrompter, TerminalPrompter

    # Python sets a stream to None if it was closed when the process started.
    is_typed = sys.stdin is not None and sys.stdin.isatty()
    is_seen = sys.stdout is not None and sys.stdout.isatty()
    if is_typed and is_seen and not plain and output_format == "text" and os.environ.get("TERM") != "dumb":
        return TerminalPrompter()
    # Questions go where a person can see them, and never into the JSON.
    out = sys.stderr if output_format == "json" or (is_typed and not is_seen) else sys.stdout
    return LinePrompter(sys.stdin.buffer if sys.stdin else None, out, echo=not is_typed)


def _progress(
    output_format: str,
) -> Callable[[Sequence[ExtensionRequest]], Iterable[ExtensionRequest]]:
    """Return a progress bar for a batch on a terminal; pipes and JSON get none."""

    def bar(requests: Sequence[ExtensionRequest]) -> Iterator[ExtensionRequest]:
        if len(requests) < 2 or output_format == "json" or not sys.stderr.isatty():
            yield from requests
            return
        with click.progressbar(
            requests, file=sys.stderr, item_show_func=lambda request: request.name if request else None
        ) as items:
            yield from items

    return bar


def _print(report: str, dry_run: bool) -> None:
    """Print a report. If that fails, say what was done nevertheless."""
    # A path may hold what standard output cannot encode.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(report.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        # Else Python tries again at exit, and fails.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        done = "nothing was written, as --dry-run says" if dry_run else "what it reports is done, all of it"
        raise Q2mfaError(
            f"The report cannot be written: {error.strerror}.", f"Only that failed: {done}.", "report_failed"
        ) from error


def _one_line(text: str) -> str:
    """Return *text* on one line of at most some 300 characters, without characters that act on a terminal."""
    line = " ".join(text.split())
    if len(line) > 300:
        line = f"{line[:200]} … {line[-90:]}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
