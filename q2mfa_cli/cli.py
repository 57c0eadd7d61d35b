"""The click commands. Each parses, calls one function, and prints what it returns.

Commands import what they need inside their functions: shell completion, `--help` and `--version` start without it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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
    allowed_color,
)
from q2mfa_cli.questions import QUESTIONS, as_options

if TYPE_CHECKING:
    from q2mfa_cli.plan import Plan
    from q2mfa_cli.prompts import Prompter
    from q2mfa_cli.request import ExtensionRequest
    from q2mfa_cli.update_plan import FileUpdate, UpdatePlan

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])
ALIASES = {"create_extension": "create"}

EPILOG = """\b
Examples:
  q2mfa create                      answer the questions of `q2 create_extension`
  q2mfa create MyMFA --no-input     a passcode (TOTP) form, server-side rendered
  q2mfa create MyMFA --mfa redirect --rendering csr --issuer https://login.bank.example
  q2mfa test MyMFA                  run the generated tests
  q2mfa preview MyMFA               try it in a browser
  q2mfa verify MyMFA                look for ways to pass MFA without proof
  q2mfa doctor                      check this machine and workspace
  q2mfa provider https://login.bank.example    check whether an identity provider works

\b
Shell completion (for bash; zsh_source and fish_source work too):
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
Exit status: 0 success, 1 failure, 2 usage error, 130 interrupted.
If it is not 0, nothing was changed (or the error lists what was).
"""

UPDATE_EPILOG = """\b
Examples:
  q2mfa update MyMFA
  q2mfa update --all --dry-run
  q2mfa update --all --check
  q2mfa update MyMFA --answer issuer=https://login.bank.example
  q2mfa update MyMFA --restore MyMFA/urls.py
  q2mfa update MyMFA --adopt

\b
If you and the new version changed the same lines, --conflict decides:
  markers  write both versions into the file, between     help="Run the workflows over HTTP, without a browser, and exit. `q2mfa verify` checks much more.",
)
@click.option(
    "--theme",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The bank's style sheet, applied over Tecton's base theme and reloaded when the file changes.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@debug_option
def preview(
    name: str,
    output_dir: Path | None,
    port: int | None,
    issuer: str | None,
    check: bool,
    theme: Path | None,
    no_browser: bool,
) -> None:
    """Try an extension in a browser, on a local fake of Q2's platform.

    Simulates online banking, with the extension in its iframe and HQ behind it, and shows the eight steps of External
    MFA as they happen. The extension reloads when one of its files changes.
    """
    from q2mfa_cli.workspace.find import find_workspace

    workspace = (output_dir or find_workspace(Path.cwd())).resolve()
    if check:
        from q2mfa_cli.commands.preview import run_check

        if issuer is not None:
            raise UsageError("--check works only with the embedded provider.", "Remove --issuer.")
        run_check(workspace, name, click.echo)
        return
    from q2mfa_cli.commands.preview import run_preview

    run_preview(workspace, name, port, issuer, not no_browser, click.echo, theme)


def _is_terminal(output_format: str) -> bool:
    streams = (sys.stdin, sys.stdout)
    return output_format == "text" and all(stream is not None and stream.isatty() for stream in streams)


def _ask_resolution(file: FileUpdate) -> str:
    """Show a conflict, and ask how to resolve it."""
    from q2mfa_cli.prompts import Choice, Menu
    from q2mfa_cli.update_plan import conflict_text

    click.echo(conflict_text(file))
    choices = (
        Choice("Write both versions into the file, with markers", "markers"),
        Choice("Keep mine, and write the new version to a file next to it", "new"),
        Choice("Keep mine", "ours"),
        Choice("Use the new version", "theirs"),
        Choice("Stop and write nothing", ""),
    )
    return _prompter(False, "text").choose(Menu(f"How should {file.path} be resolved?", choices))


def _confirm_adoption(plan: UpdatePlan) -> bool:
    """Show the answers that q2mfa inferred for an extension, and ask for confirmation."""
    from q2mfa_cli.update_report import as_text

    click.echo(as_text(plan, True))
    answers = plan.extensions[0].record.answers.items()
    believed = ", ".join(
        f"{key} {value if isinstance(value, str) else ' '.join(value)}" for key, value in answers
    )
    return click.confirm(f"q2mfa inferred these answers: {believed}. Are they right?")


@main.command(epilog=DOCTOR_EPILOG)
@workspace_option
@format_option
@debug_option
@click.pass_context
def doctor(context: click.Context, output_dir: Path | None, output_format: str) -> None:
    """Check this machine and the workspace for everything that q2mfa needs."""
    from q2mfa_cli.commands import doctor
    from q2mfa_cli.workspace.find import find_workspace

    checks = doctor.examine(output_dir or find_workspace(Path()))
    _print(doctor.as_json(checks) if output_format == "json" else doctor.as_text(checks), dry_run=True)
    context.exit(1 if doctor.has_problem(checks) else 0)


@main.command(
    epilog=PROVIDER_EPILOG,
    empty_report={"issuer": None, "vendor": None, "findings": [], "outbound_hosts": [], "settings": {}},
)
@click.argument("issuer")
@click.option("--client-id", metavar="TEXT", help="The client ID registered with the provider.")
@click.option(
    "--client-secret-env",
    metavar="NAME",
    help="Name of the environment variable with the client secret, or its private key as a JWK. Tests the credentials.",
)
@click.option(
    "--redirect-uri",
    metavar="URL",
    help="The client's registered redirect URI: <base_assets_url>/verify.html.",
)
@click.option(
    "--embedder", metavar="URL", help="The origin of online banking, which shows the login page in a frame."
)
@click.option(
    "--scope",
    "scopes",
    metavar="TEXT",
    multiple=True,
    help="A scope to request; repeatable. openid is always included.",
)
@click.option(
    "--acr-values",
    metavar="TEXT",
    default="",
    help="The ACR values that the extension requests, separated by spaces.",
)
@click.option(
    "--require-par",
    is_flag=True,
    help='The extension has PAR = "required".',
)
@click.option("--profile", type=click.Choice(["fapi2"]), help="The extension's PROFILE, if it is set.")
@click.option(
    "--browser",
    is_flag=True,
    help="Also load the login page in a frame, in headless Chromium (needs Playwright).",
)
@severity_options("low", "medium", "high", "critical")
@format_option
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
    require_par: bool,
    profile: str | None,
    browser: bool,
    min_severity: str,
    fail_on: str,
    exit_zero: bool,
    output_format: str,
) -> None:
    """Check whether an identity provider works in an outlet.

    Sends requests only to the provider. Reports what to change there, and what to configure in the workspace.
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
            requires_par=require_par,
            profile=profile or "",
            in_browser=browser,
        )
        report = shown_report(judgment, output_format, min_severity)
    except Q2mfaError:
        raise
    except Exception as error:
        raise ToolFailed(
            _one_line(f"q2mfa failed unexpectedly: {type(error).__name__}"),
            "Run the command again with --debug, and report the output.",
            "internal",
        ) from error
    _print(report, dry_run=True)
    fails = any(finding.is_at_least(fail_on) for finding in judgment.findings) and not exit_zero
    context.exit(1 if fails else 0)


SEVERITIES = ("note", "low", "medium", "high", "critical")


@main.command(epilog=VERIFY_EPILOG, empty_report={"extensions": [], "not_shown": []})
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@workspace_option
@click.option(
    "--profile",
    type=click.Choice(["baseline", "asvs-l2", "fapi2"]),
    default="baseline",
    show_default=True,
    help="Which checks, and how severe they are.",
)
@click.option("--check", "checks", metavar="ID", multiple=True, help="Only this check; repeatable.")
@click.option(
    "--workflow",
    "workflows",
    type=click.Choice(["login", "transaction", "patrol"]),
    multiple=True,
    help="Try it in this workflow only; repeatable.",
)
@click.option("--static-only", is_flag=True, help="Read the source, and run none of its code.")
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES[1:]),
    default="low",
    show_default=True,
    help="The least severity that makes the exit status 1.",
)
@click.option(
    "--min-severity", type=click.Choice(SEVERITIES), default="note", show_default=True, help="Show no less."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Findings that are known, and do not count.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what is found as the new baseline, and exit with 0.",
)
@click.option("--no-ignores", is_flag=True, help="Count the findings that comments ignore, too.")
@click.option(
    "--output",
    "outputs",
    metavar="FORMAT=FILE",
    multiple=True,
    help="Also write a file, as sarif=, junit= or json=; repeatable.",
)
@format_option
@debug_option
@click.pass_context
def verify(
    context: click.Context,
    names: tuple[str, ...],
    output_dir: Path | None,
    profile: str,
    checks: tuple[str, ...],
    workflows: tuple[str, ...],
    static_only: bool,
    fail_on: str,
    min_severity: str,
    exit_zero: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    no_ignores: bool,
    outputs: tuple[str, ...],
    output_format: str,
) -> None:
    """Look for what lets the wrong customer through.

    Reads the source of External MFA extensions and attacks them on a local fake of Q2's platform, hand-written ones
    too. Runs their code.
    """
    from q2mfa_cli.commands import verify
    from q2mfa_cli.platform.verify.check import Severity
    from q2mfa_cli.workspace.find import find_workspace

    try:
        files = verify.parse_outputs(outputs)
        wish = verify.Wish(profile, checks, workflows, static_only, baseline, not no_ignores)
        workspace = (output_dir or find_workspace(Path.cwd())).resolve()
        with _passing_line(output_format) as progress:
            reports = verify.verify(workspace, names, wish, progress)
        report = verify.shown_report(reports, output_format, Severity[min_severity.upper()])
        verify.write_outputs(reports, files)
        if write_baseline is not None:
            verify.write_baseline(write_baseline, reports)
    except (UsageError, ToolFailed):
        raise
    except Q2mfaError as error:
        raise ToolFailed(error.message, error.hint, error.code) from error
    except Exception as error:
        raise ToolFailed(
            _one_line(f"q2mfa itself failed: {type(error).__name__}: {error}"),
            "Run again with --debug, and report what it shows.",
            "internal",
        ) from error
    _print(report, dry_run=True)
    is_failed = any(each.is_failed(Severity[fail_on.upper()]) for each in reports)
    context.exit(1 if is_failed and not exit_zero and write_baseline is None else 0)


@main.command()
@click.argument("identifier", metavar="[ID]", required=False)
@debug_option
def explain(identifier: str | None) -> None:
    """Explain a check of `q2mfa verify`; without ID, list them all."""
    from q2mfa_cli.platform.verify import explanation

    if identifier is None:
        _print(explanation.list_of_checks(), dry_run=True)
    else:
        _print(explanation.explanation(explanation.check_named(identifier)), dry_run=True)


@contextlib.contextmanager
def _passing_line(output_format: str) -> Iterator[Callable[[str], None]]:
    """On a terminal, show what is going on in one line that goes away; else show nothing."""
    if output_format == "json" or sys.stderr is None or not sys.stderr.isatty():
        yield lambda text: None
        return
    try:
        yield lambda text: click.echo(f"\r\x1b[K{text}", err=True, nl=False)
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)


def _prompter(plain: bool, output_format: str) -> Prompter:
    from q2mfa_cli.prompts import LinePrompter, TerminalPrompter

    # Python sets a stream to None if it was closed when the process started.
    is_typed = sys.stdin is not None and sys.stdin.isatty()
    is_seen = sys.stdout is not None and sys.stdout.isatty()
    can_draw = is_typed and is_seen and os.environ.get("TERM") != "dumb"
    if can_draw and not plain and output_format == "text" and TerminalPrompter.is_possible():
        return TerminalPrompter()
    # Prompts go where a person can see them, never into the JSON.
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


def _print(report: str, dry_run: bool, plain: bool = False) -> None:
    """Print a report. If that fails, say what was done anyway."""
    # A path may hold what standard output cannot encode.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(
            report.encode(encoding, "backslashreplace").decode(encoding),
            color=False if plain else allowed_color(),
        )
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        # Otherwise Python tries again at exit, and fails.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        done = "Nothing was written (--dry-run)." if dry_run else "All changes that it reports were made."
        raise Q2mfaError(
            f"The report cannot be printed: {error.strerror}.",
            f"Nothing else failed. {done}",
            "report_failed",
        ) from error


def _one_line(text: str) -> str:
    """Return *text* on one line of at most some 300 characters, without characters that act on a terminal."""
    line = " ".join(text.split())
    if len(line) > 300:
        line = f"{line[:200]} … {line[-90:]}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
