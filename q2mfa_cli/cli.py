"""The click commands. Each parses its arguments, calls one function, and prints the result.

Commands import other modules inside their functions, so that shell completion, `--help` and `--version` start fast.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from q2mfa_cli import __version__
from q2mfa_cli.errors import (
    DEBUG,
    EMPTY_REPORT,
    OUTPUT_FORMAT,
    PLAIN,
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
SEVERITIES = ("note", "low", "medium", "high", "critical")
ALIASES = {"create_extension": "create"}

EPILOG = """\b
Examples:
  q2mfa create                      answer the questions of `q2 create_extension`
  q2mfa create MyMFA --no-input     a passcode (TOTP) form, server-side rendered
  q2mfa create MyMFA --mfa redirect --rendering csr --issuer https://login.bank.example
  q2mfa test MyMFA                  run the generated tests
  q2mfa preview MyMFA               try it in a browser
  q2mfa verify MyMFA                find ways to pass MFA without proof
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
If it is not 0, nothing was changed, or the error lists the changes.
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
  markers  write both versions into the file, between <<<<<<< and >>>>>>>
  new      keep yours, and write the new version to NAME.q2mfa-new
  ours     keep yours
  theirs   use the new version

\b
Exit status: 0 success or up to date, 1 out of date, conflict or failure, 2 usage error, 130 interrupted.
If it is not 0, nothing was changed, or the error lists the changes.
"""

PREVIEW_EPILOG = """\b
Examples:
  q2mfa preview MyMFA
  q2mfa preview MyMFA --no-browser --port 9000
  q2mfa preview --check MyMFA
  q2mfa preview MyMFA --record
  q2mfa preview MyMFA --theme bank.css
  q2mfa preview MyMFA --issuer http://127.0.0.1:8080/realms/bank

\b
All servers listen on 127.0.0.1 only. Press Ctrl-C to stop; the exit status is then 0.
"""


DOCTOR_EPILOG = """\b
Exit status: 0 all commands work here, 1 at least one does not.
"""


PROVIDER_EPILOG = """\b
Examples:
  q2mfa provider https://login.bank.example
  q2mfa provider https://login.bank.example --client-id my-client \\
      --redirect-uri https://assets.bank.example/MyMFA/verify.html \\
      --client-secret-env MYMFA_CLIENT_SECRET --embedder https://online.bank.example
  q2mfa provider https://login.bank.example --format json --fail-on high

\b
The secret is read from the environment, sent only to the provider's token or PAR endpoint, and never printed.
For all checks, see docs/reference/provider-checks.md.
Exit status: 0 no findings, 1 findings (see --fail-on), 2 usage error, 3 the checks could not run.
"""


VERIFY_EPILOG = """\b
Examples:
  q2mfa verify MyMFA
  q2mfa verify MyMFA --check otp-replay --workflow login
  q2mfa verify MyMFA OtherMFA --profile asvs-l2 --fail-on medium
  q2mfa verify MyMFA --output sarif=q2mfa.sarif --output junit=q2mfa.xml
  q2mfa verify MyMFA --static-only

\b
It runs the extension's code in this process, on loopback and on q2mfa's fake of the platform. The code sees the
environment variables that configuration/ names and those that any process needs. --static-only runs none of it.

\b
For an extension that q2mfa did not generate, record tests/prove.py with `q2mfa preview MyMFA --record`.
To ignore a finding, give the reason:  # q2mfa: ignore[otp-window] agreed with the auditors
For all checks, see `q2mfa explain` or docs/reference/checks.md.
Exit status: 0 no findings, 1 findings (see --fail-on), 2 usage error, 3 the checks could not run.
"""


class Command(click.Command):
    """A command that prints usage errors as JSON if ``--format json`` is given, even if it cannot parse another option.

    :param empty_report: The other members of the JSON report of an error; ``None`` for those of ``create``.
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
        with _convert_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _convert_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def _convert_errors() -> Iterator[None]:
    """Turn every error except a closed pipe, which click handles, into a :class:`Q2mfaError`."""
    try:
        yield
    except (Q2mfaError, click.exceptions.Exit) as error:
        if isinstance(error, Interrupted) and sys.stderr.isatty():
            # The terminal shows ^C at the end of the line.
            click.echo(err=True)
        raise
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "q2mfa"
        meant = _suggested_flag(error)
        # click's own suggestion would contradict ours.
        what = error.message if meant else error.format_message()
        raise UsageError(_one_line(what), meant or f"See `{command} --help`.") from error
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
            _one_line(f"q2mfa failed unexpectedly: {type(error).__name__}: {error}"),
            "Run the command again with --debug, and report the output.",
            "internal",
        ) from error


def _suggested_flag(error: click.UsageError) -> str:
    """Suggest the right option if a choice is used as a flag: ``--redirect`` → ``--mfa redirect``."""
    if isinstance(error, click.NoSuchOption) and error.ctx and error.ctx.command.name == "create":
        for question in QUESTIONS:
            if (choice := error.option_name.lstrip("-")) in question.choices:
                return f"Did you mean {question.flag} {choice}?"
    return ""


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
    """Return a callback that stores an option's value in the context, for :meth:`Q2mfaError.show`."""

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
    help="Show a traceback on errors.",
)

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    is_eager=True,
    callback=_remember(OUTPUT_FORMAT),
    help="Report format.",
)

workspace_option = click.option(
    "-o",
    "--output-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, readable=False),
    help="The workspace.  [default: this folder or the nearest parent with configuration/settings.py]",
)


def severity_options(least: str) -> Callable[[CommandFunction], CommandFunction]:
    """Return a decorator with the options of a command that reports findings.

    :param least: The lowest severity of its findings.
    """
    options = (
        click.option(
            "--min-severity",
            type=click.Choice(SEVERITIES[SEVERITIES.index(least) :]),
            default=least,
            show_default=True,
            help="Show only findings of this severity or higher. JSON reports contain all findings.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice(SEVERITIES[1:]),
            default="low",
            show_default=True,
            help="Exit with 1 if there is a finding of this severity or higher, shown or not.",
        ),
        click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings."),
    )
    return lambda command: functools.reduce(lambda done, option: option(done), reversed(options), command)


@main.command(epilog=CREATE_EPILOG)
@as_options()
@workspace_option
@click.option(
    "--answers", metavar="FILE", help="Read the answers from a YAML, JSON or TOML file; - is stdin."
)
@click.option(
    "--check-provider",
    is_flag=True,
    help="Redirect only: check the issuer as `q2mfa provider` does, and configure the extension for it.",
)
@click.option(
    "--no-input", is_flag=True, help="Do not prompt. NAME is required; the defaults are ssr and standard."
)
@click.option(
    "--plain",
    is_flag=True,
    is_eager=True,
    callback=_remember(PLAIN),
    help="Use numbered menus and no color, even on a terminal.",
)
@click.option("-y", "--yes", is_flag=True, help="Skip the confirmation after the questions.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would change, with a diff of the edits. Write nothing."
)
@click.option("--force", is_flag=True, help="Overwrite existing files that differ.")
@click.option(
    "--register/--no-register",
    default=True,
    help="Whether to add the extension to configuration/settings.py.  [default: register]",
)
@format_option
@click.option("-v", "--verbose", is_flag=True, help="List every file.")
@debug_option
def create(
    output_dir: Path | None,
    answers: str | None,
    check_provider: bool,
    no_input: bool,
    plain: bool,
    yes: bool,
    dry_run: bool,
    force: bool,
    register: bool,
    verbose: bool,
    output_format: str,
    **asked: Any,
) -> None:
    """Create an External MFA extension.

    Asks the same questions as `q2 create_extension`. Flags skip the matching question. Alias: create_extension.
    """
    from q2mfa_cli import report
    from q2mfa_cli.commands import create
    from q2mfa_cli.prompts import is_complete
    from q2mfa_cli.request import make_request

    is_typed = sys.stdin is not None and sys.stdin.isatty()
    asks = is_typed and not no_input and answers is None
    root = create.chosen_workspace(output_dir, functools.partial(click.confirm, err=True) if asks else None)
    given = {
        question.name: asked[question.name]
        for question in QUESTIONS
        if asked[question.name] not in (None, ())
    }
    confirm: Callable[[Plan], bool] | None = None
    if answers is not None:
        requests = create.requests_from_file(answers, given)
    elif no_input:
        requests = [make_request(given)]
    else:
        prompter = _prompter(plain, output_format)
        requests = create.requests_from_prompts(root, given, prompter)
        if prompter.is_typed and not is_complete(given) and not yes:

            def confirm(plan: Plan) -> bool:
                return prompter.confirm(report.summary(plan), "Create it?")

    if check_provider:
        requests = [
            create.configured_for_provider(request, lambda line: click.echo(line, err=True))
            for request in requests
        ]
    plan = create.create(
        root,
        requests,
        force=force,
        register=register,
        dry_run=dry_run,
        progress=_progress(output_format),
        confirm=confirm,
    )
    if output_format == "json":
        _print(report.as_json(plan, dry_run), dry_run)
    else:
        # A pipe gets neither wrapping nor color.
        width = shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else 0
        _print(report.as_text(plan, dry_run, verbose, width), dry_run, plain)


@main.command(epilog=UPDATE_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@workspace_option
@click.option("--all", "every", is_flag=True, help="Update every extension that q2mfa generated here.")
@click.option(
    "--check",
    is_flag=True,
    help="Only list what is out of date, with security fixes. Exit with 1 if anything is.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, with a diff. Write nothing.")
@click.option(
    "--conflict",
    type=click.Choice(["markers", "new", "ours", "theirs"]),
    help="How to resolve conflicts.  [default: ask; without a terminal, write nothing]",
)
@click.option(
    "--answer",
    "answers",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change an answer given to `create`, for example rendering=csr.",
)
@click.option("--restore", metavar="PATH", multiple=True, help="Restore a file that you deleted.")
@click.option("--adopt", is_flag=True, help="Start tracking an extension that has no record.")
@click.option("--yes", is_flag=True, help="With --adopt: skip the confirmation.")
@click.option("--no-input", is_flag=True, help="Do not prompt.")
@format_option
@debug_option
@click.pass_context
def update(
    context: click.Context,
    names: tuple[str, ...],
    output_dir: Path | None,
    every: bool,
    check: bool,
    dry_run: bool,
    conflict: str | None,
    answers: tuple[str, ...],
    restore: tuple[str, ...],
    adopt: bool,
    yes: bool,
    no_input: bool,
    output_format: str,
) -> None:
    """Update extensions to this version of q2mfa.

    Keeps your edits: each file merges your changes with the new version. Writes everything or nothing.
    """
    from q2mfa_cli import update_report
    from q2mfa_cli.commands import update
    from q2mfa_cli.update_plan import UpdateOptions
    from q2mfa_cli.workspace.find import find_workspace

    merging = {"--conflict": conflict, "--restore": restore}
    changing = {**merging, "--answer": answers, "--adopt": adopt}
    _refuse_together("--check", check, changing, "Check first, then update.")
    _refuse_together("--adopt", adopt, merging, "Adopt first, then update.")
    if yes and not adopt:
        raise UsageError("--yes needs --adopt.", "To resolve conflicts without a question, pass --conflict.")
    root = output_dir or find_workspace(Path())
    names = tuple(update.names_of(root, names, every))
    changed = update.changed_answers(answers)
    asks = _is_terminal(output_format) and not no_input
    if check:
        found = update.check(root, names)
        is_current = update.is_current(found)
        if output_format == "json":
            status = "current" if is_current else "behind"
            _print(json.dumps(update_report.inventory_as_json(found, status)), True)
        else:
            _print(update_report.inventory_as_text(root, found), True)
        context.exit(0 if is_current else 1)
    if adopt:
        if len(names) != 1 or every:
            raise UsageError("--adopt needs exactly one NAME.", "Pass the name of one extension.")
        if not (yes or asks or dry_run):
            raise UsageError(
                "--adopt needs a terminal to ask for confirmation.",
                "Check the result of --dry-run, then add --yes.",
            )
        plan = update.adopt(
            root, names[0], changed, confirm=lambda plan: yes or _confirm_adoption(plan), dry_run=dry_run
        )
    else:
        options = UpdateOptions(changed, restore, conflict or "")
        choose = _ask_resolution if asks and not conflict else None
        plan = update.update(root, names, options, choose=choose, dry_run=dry_run)
    if output_format == "text":
        _print(update_report.as_text(plan, dry_run), dry_run)
    update.refuse_conflicts(plan, dry_run)
    if output_format == "json":
        _print(json.dumps(update_report.as_json(plan, dry_run)), dry_run)


def _refuse_together(flag: str, is_given: bool, others: Mapping[str, object], remedy: str) -> None:
    """Refuse *flag* with each of the *others*, which would have no effect."""
    other = next((name for name, value in others.items() if is_given and value), None)
    if other:
        raise UsageError(f"{flag} and {other} exclude each other.", remedy)


@main.command()
@click.argument("name")
@workspace_option
@click.option("--incoming", is_flag=True, help="Show what an update would change instead.")
@debug_option
def diff(name: str, output_dir: Path | None, incoming: bool) -> None:
    """Show what you changed in an extension since it was generated."""
    from q2mfa_cli.commands import diff
    from q2mfa_cli.workspace.find import find_workspace

    shown = diff.incoming_changes if incoming else diff.own_changes
    changes = shown(output_dir or find_workspace(Path()), name)
    if changes:
        _print(changes.rstrip("\n"), True)


@main.command()
@click.argument("name")
@workspace_option
@click.option("--force", is_flag=True, help="Also remove files that you edited.")
@click.option("--dry-run", is_flag=True, help="Show what would change, with a diff. Write nothing.")
@format_option
@debug_option
def remove(name: str, output_dir: Path | None, force: bool, dry_run: bool, output_format: str) -> None:
    """Remove an extension that `create` generated.

    Removes its files, and its entries in settings.py and requirements.txt that nothing else needs. Keeps your own files.
    """
    from q2mfa_cli import update_report
    from q2mfa_cli.commands import remove
    from q2mfa_cli.workspace.find import find_workspace

    plan = remove.remove(output_dir or find_workspace(Path()), name, force=force, dry_run=dry_run)
    if output_format == "json":
        _print(json.dumps(update_report.as_json(plan, dry_run)), dry_run)
    else:
        _print(update_report.as_text(plan, dry_run), dry_run)


@main.command(name="list")
@workspace_option
@format_option
@debug_option
def list_extensions(output_dir: Path | None, output_format: str) -> None:
    """List the External MFA extensions in a workspace, and show which are out of date."""
    from q2mfa_cli import update_report
    from q2mfa_cli.inventory import inventory
    from q2mfa_cli.workspace.find import find_workspace, resolved

    root = resolved(output_dir or find_workspace(Path()))
    found = inventory(root)
    if output_format == "json":
        _print(json.dumps(update_report.inventory_as_json(found, "listed")), True)
    else:
        _print(update_report.inventory_as_text(root, found), True)


@main.command()
@click.argument("name")
@workspace_option
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
@debug_option
@click.pass_context
def test(context: click.Context, name: str, output_dir: Path | None, pytest_args: tuple[str, ...]) -> None:
    """Run an extension's own tests.

    Uses the Q2 SDK if it is installed, otherwise q2mfa's fake of it. Arguments after -- go to pytest.
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
    help="Port of online banking; the next two ports are also used. 0 picks any.  [default: the first free from 8642]",
)
@click.option(
    "--issuer", metavar="URL", help="Redirect only: use a real identity provider instead of the embedded one."
)
@click.option(
    "--check",
    is_flag=True,
    help="Run `q2mfa verify --profile quick` instead: the most common attacks, without a browser.",
)
@click.option(
    "--theme",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The bank's style sheet, applied over Tecton's base theme and reloaded when the file changes.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Write NAME/tests/prove.py, which `q2mfa verify` needs, from the first run that completes MFA.",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@debug_option
@click.pass_context
def preview(
    context: click.Context,
    name: str,
    output_dir: Path | None,
    port: int | None,
    issuer: str | None,
    check: bool,
    theme: Path | None,
    record: bool,
    no_browser: bool,
) -> None:
    """Try an extension in a browser, on a local fake of Q2's platform.

    Simulates online banking, with the extension in its iframe and HQ behind it, and shows the eight steps of External
    MFA as they happen. The extension reloads when one of its files changes.
    """
    from q2mfa_cli.workspace.find import find_workspace

    workspace = (output_dir or find_workspace(Path.cwd())).resolve()
    if check and record:
        raise UsageError("--check and --record exclude each other.", "Record first, then check.")
    if check:
        if issuer is not None:
            raise UsageError("--check works only with the embedded provider.", "Remove --issuer.")
        context.invoke(verify, names=(name,), output_dir=workspace, profile="quick")
        return
    from q2mfa_cli.commands.preview import run_preview

    run_preview(workspace, name, port, issuer, not no_browser, click.echo, theme, record)


def _is_terminal(output_format: str) -> bool:
    streams = (sys.stdin, sys.stdout)
    return output_format == "text" and all(stream is not None and stream.isatty() for stream in streams)


def _ask_resolution(file: FileUpdate) -> str:
    """Show the conflicts of a file, and ask how to resolve them."""
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
@severity_options("low")
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
    from q2mfa_cli.commands.provider import check_provider, shown_report

    try:
        judgment = check_provider(
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


@main.command(epilog=VERIFY_EPILOG, empty_report={"extensions": [], "not_shown": []})
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@workspace_option
@click.option(
    "--profile",
    type=click.Choice(["baseline", "asvs-l2", "fapi2", "quick"]),
    default="baseline",
    show_default=True,
    help="The checks to run, and their severities.",
)
@click.option("--check", "checks", metavar="ID", multiple=True, help="Run only this check; repeatable.")
@click.option(
    "--workflow",
    "workflows",
    type=click.Choice(["login", "transaction", "patrol"]),
    multiple=True,
    help="Run dynamic checks only in this workflow; repeatable.",
)
@click.option("--static-only", is_flag=True, help="Read the source, and run none of its code.")
@severity_options("note")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Ignore the findings in this file.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the findings as the new baseline. Exit with 0.",
)
@click.option("--no-ignores", is_flag=True, help="Also count findings that comments ignore.")
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
    """Find ways to pass MFA without proof.

    Reads the source of External MFA extensions, including hand-written ones, and attacks them on a local fake of Q2's
    platform. Runs their code.
    """
    from q2mfa_cli.commands import verify
    from q2mfa_cli.platform.verify.check import Severity
    from q2mfa_cli.workspace.find import find_workspace

    try:
        files = verify.parse_outputs(outputs)
        options = verify.VerifyOptions(profile, checks, workflows, static_only, baseline, not no_ignores)
        workspace = (output_dir or find_workspace(Path.cwd())).resolve()
        with _progress_line(output_format) as progress:
            reports = verify.verify(workspace, names, options, progress)
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
            _one_line(f"q2mfa failed unexpectedly: {type(error).__name__}: {error}"),
            "Run the command again with --debug, and report the output.",
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
def _progress_line(output_format: str) -> Iterator[Callable[[str], None]]:
    """On a terminal, show the progress on one line, and clear that line at the end. Otherwise, show nothing."""
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
    # Prompts go to the stream that a person sees, and never into the JSON report.
    out = sys.stderr if output_format == "json" or (is_typed and not is_seen) else sys.stdout
    return LinePrompter(sys.stdin.buffer if sys.stdin else None, out, echo=not is_typed)


def _progress(
    output_format: str,
) -> Callable[[Sequence[ExtensionRequest]], Iterable[ExtensionRequest]]:
    """Return a function that shows a progress bar for several requests on a terminal. Pipes and JSON have no bar."""

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
    """Print a report. If printing fails, raise an error that says what was written."""
    # A path may contain characters that standard output cannot encode.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(
            report.encode(encoding, "backslashreplace").decode(encoding),
            color=False if plain else allowed_color(),
        )
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        # Otherwise, Python flushes stdout again at exit and fails.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        done = "Nothing was written (--dry-run)." if dry_run else "All changes that it reports were made."
        raise Q2mfaError(
            f"The report cannot be printed: {error.strerror}.",
            f"Nothing else failed. {done}",
            "report_failed",
        ) from error


def _one_line(text: str) -> str:
    """Return *text* on one line of at most 300 characters, with control characters escaped."""
    line = " ".join(text.split())
    if len(line) > 300:
        line = f"{line[:200]} … {line[-90:]}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in line)
