"""``q2mfa create``: collect requests, plan the extensions, and apply the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from q2mfa_cli.answers import read_answers
from q2mfa_cli.errors import Interrupted, Q2mfaError, ToolFailed, UsageError, shown
from q2mfa_cli.integrations import PLACEHOLDER_ISSUER, REDIRECT, integration_named
from q2mfa_cli.plan import Plan, Progress, plan_creation
from q2mfa_cli.prompts import Prompter, ask
from q2mfa_cli.request import Answers, ExtensionRequest, make_request, refuse_answers_of_others
from q2mfa_cli.transaction import Transaction
from q2mfa_cli.validators import check_name
from q2mfa_cli.workspace.find import SETTINGS, find_workspace, read_workspace, resolved
from q2mfa_cli.workspace.names import name_checker

UNCHANGED_OR_COMPLETE = "Either nothing or everything was written. Run the command again."


def chosen_workspace(output_dir: Path | None, confirm: Callable[[str], bool] | None) -> Path:
    """Return the folder for new extensions: *output_dir* or, by default, the workspace that contains the current folder.

    :param confirm: Asks whether to use the current folder if it is not in a workspace; ``None`` to not ask.
    :raises UsageError: The current folder is not in a workspace, and *confirm* is ``None``.
    :raises Q2mfaError: The user declined.
    """
    if output_dir is not None:
        return output_dir
    root = find_workspace(Path())
    if (root / SETTINGS).is_file():
        return root
    what = f"This is not a Q2 SDK workspace: neither this folder nor one above it has {SETTINGS}."
    hint = "Go to your workspace, or pass a folder with -o (-o . for this one)."
    if confirm is None:
        raise UsageError(what, hint, "no_workspace")
    if not confirm(f"{what}\nCreate the extension here anyway?"):
        raise Q2mfaError("Nothing was created.", hint, "declined")
    return root


def requests_from_file(source: str, given: Answers) -> list[ExtensionRequest]:
    """Return the requests in an answers file.

    :param given: Answers from the command line. They take precedence, and are allowed only if the file has one request.
    :raises Q2mfaError: The file cannot be read, an answer is not valid, or *given* is not empty and the file has several
        requests.
    """
    entries = read_answers(source)
    if given and len(entries) > 1:
        raise UsageError(
            "The answers file has several requests, so NAME and flags that answer questions cannot be combined with it.",
            "Put those answers into the file.",
        )
    return [make_request({**entry, **given}) for entry in entries]


def requests_from_prompts(root: Path, given: Answers, prompter: Prompter) -> list[ExtensionRequest]:
    """Ask the open questions, and return the request.

    :param given: Answers from the command line. They are validated before the first question.
    :raises Q2mfaError: An answer is not valid.
    :raises Interrupted: The user pressed Ctrl-C.
    """
    is_free = name_checker(read_workspace(root))

    def check(name: str) -> str:
        return is_free(check_name(name))

    if "name" in given:
        check(str(given["name"]))
    if "mfa" in given:
        refuse_answers_of_others(given, integration_named(str(given["mfa"])))
    try:
        return [make_request(ask(given, prompter, check))]
    except KeyboardInterrupt:
        raise Interrupted("Nothing was written. Run the command again.") from None


def configured_for_provider(request: ExtensionRequest, say: Callable[[str], None]) -> ExtensionRequest:
    """Check the request's identity provider, and return the request with the answers that the provider needs.

    Answers that differ from their defaults do not change, except that the issuer gets the spelling of the metadata.

    :param say: Prints a line.
    :raises UsageError: The request has no identity provider.
    :raises Q2mfaError: The provider cannot be reached, or cannot work in an outlet.
    """
    if request.integration is not REDIRECT or request.answers["issuer"] == PLACEHOLDER_ISSUER:
        raise UsageError(
            "--check-provider needs the identity provider of a redirect-based extension.",
            "Add --mfa redirect --issuer URL, or remove --check-provider.",
        )
    from q2mfa_cli.commands.provider import check_provider  # only needed for --check-provider

    answers = request.answers
    issuer, client_id = str(answers["issuer"]), str(answers["client_id"])
    try:
        judgment = check_provider(
            issuer,
            client_id=client_id or None,
            scopes=tuple(answers["scopes"]),
            requires_par=answers["par"] == "required",
        )
    except ToolFailed as error:
        raise Q2mfaError(error.message, f"{error.hint} Nothing was written.", error.code) from error
    say(f"{issuer}: {judgment.sentence}")
    for finding in judgment.found:
        say(f"  {finding.severity}[{finding.check.id}]: {finding.outcome.text} {finding.remedy}")
    if not judgment.can_be_configured:
        raise Q2mfaError(
            f"{shown(issuer)} cannot be configured. {judgment.sentence} Nothing was written.",
            f"See `q2mfa provider {issuer}`, or remove --check-provider.",
            "provider_unusable",
        )
    settings = judgment.settings
    fitting = {
        "issuer": str(settings["ISSUER"]),
        "par": settings.get("PAR", answers["par"]) if answers["par"] == "auto" else answers["par"],
        "client_auth_method": answers["client_auth_method"] or settings.get("CLIENT_AUTH_METHOD", ""),
        "outbound_hosts": (*answers["outbound_hosts"], *judgment.outbound_hosts),
    }
    # An empty answer is a question's default, which the validator rejects.
    given = {name: value for name, value in answers.items() if value}
    return make_request({**given, **fitting})


def create(
    root: Path,
    requests: Sequence[ExtensionRequest],
    *,
    force: bool = False,
    register: bool = True,
    dry_run: bool = False,
    progress: Progress = iter,
    confirm: Callable[[Plan], bool] | None = None,
) -> Plan:
    """Plan the extensions of *requests* in the workspace at *root*, and create all of them or none.

    :param dry_run: Do not apply the plan.
    :param confirm: Shows a plan, and returns whether to apply it. ``None`` applies the plan without asking.
    :raises Q2mfaError: See :func:`~q2mfa_cli.plan.plan_creation`; or the file system refused a change.
    :raises Interrupted: The user pressed Ctrl-C, or the process received a signal to stop.
    """
    root = resolved(root)

    def plan() -> Plan:
        return plan_creation(
            read_workspace(root), requests, force=force, register=register, progress=progress
        )

    if dry_run:
        return plan()
    # The workspace is not locked while the user decides, which may take long. So the plan is made again before it is applied.
    if confirm and (shown := plan()).changes and not confirm(shown):
        raise Q2mfaError("Nothing was created.", "Run the command again with different answers.", "declined")
    try:
        with Transaction(root) as transaction:
            planned = plan()
            transaction.apply(planned.changes)
    except KeyboardInterrupt:
        raise Interrupted(UNCHANGED_OR_COMPLETE) from None
    return planned
