"""``q2mfa update``: update extensions to this version of q2mfa, and keep their owners' edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from q2mfa_cli import __version__
from q2mfa_cli.answers import answer_named
from q2mfa_cli.commands.create import UNCHANGED_OR_COMPLETE
from q2mfa_cli.errors import Interrupted, Q2mfaError, UsageError
from q2mfa_cli.integrations import Value
from q2mfa_cli.inventory import Extension, State, examine
from q2mfa_cli.merge import normalized
from q2mfa_cli.plan import present
from q2mfa_cli.questions import FACTORS, QUESTIONS, RENDERINGS
from q2mfa_cli.record import Record, read_record, record_path, recorded_names
from q2mfa_cli.rendering import render
from q2mfa_cli.request import Answers, make_request
from q2mfa_cli.transaction import Transaction
from q2mfa_cli.update_plan import (
    ExtensionUpdate,
    FileUpdate,
    Outcome,
    UpdateOptions,
    UpdatePlan,
    plan_update,
    record_update,
    recorded_extension,
)
from q2mfa_cli.update_report import as_json
from q2mfa_cli.workspace.find import read_workspace, resolved

Choose = Callable[[FileUpdate], str]
"""Asks how to resolve the conflicts of a file. Returns a resolution, or ``""`` to write nothing."""


def names_of(root: Path, names: Sequence[str], every: bool) -> list[str]:
    """Return the names of the extensions to update: *names* or, if *every* is true, all that have a record and a folder.

    :raises UsageError: Both or neither are given.
    """
    if names and every:
        raise UsageError("NAME and --all cannot be used together.", "Remove one of them.")
    if names:
        return list(dict.fromkeys(names))
    root = resolved(root)
    known = [name for name in recorded_names(root) if (root / name).is_dir()]
    if every:
        return known
    some = f" This workspace has: {', '.join(known[:5])}." if known else ""
    raise UsageError(f"No extension is named.{some}", "Pass a NAME, or --all.")


def check(root: Path, names: Sequence[str]) -> list[Extension]:
    """Return the extensions *names*, with their states.

    :raises Q2mfaError: There is no extension with one of these names.
    """
    root = resolved(root)
    for name in names:
        if not (root / name).is_dir():
            recorded_extension(root, name)
    return [examine(root, name) for name in names]


def is_current(extensions: Sequence[Extension]) -> bool:
    """Return whether no extension needs an update."""
    return all(each.state is State.CURRENT for each in extensions)


def update(
    root: Path, names: Sequence[str], options: UpdateOptions, *, choose: Choose | None, dry_run: bool
) -> UpdatePlan:
    """Update the extensions *names*. If a conflict is not resolved, none of them is updated.

    :param choose: Asks about each conflict that *options* does not resolve.
    :param dry_run: Do not apply the plan.
    :raises Q2mfaError: See :func:`~q2mfa_cli.update_plan.plan_update`; or the file system refused a change.
    :raises Interrupted: The user pressed Ctrl-C.
    """
    root = resolved(root)
    options = replace(options, restored=[_path_of(root, names, path) for path in options.restored])
    if choose and not dry_run:
        for file in plan_update(read_workspace(root), names, options).conflicts:
            chosen = choose(file)
            if not chosen:
                break
            options = replace(options, chosen={**options.chosen, file.path: chosen})
    return _applied(root, lambda: plan_update(read_workspace(root), names, options), dry_run)


def adopt(
    root: Path, name: str, changed: Answers, *, confirm: Callable[[UpdatePlan], bool], dry_run: bool
) -> UpdatePlan:
    """Create a record for an extension that has none, from its files and the templates of this version.

    :param changed: Answers that cannot be inferred from the files.
    :param confirm: Asks whether the inferred answers are right.
    :raises Q2mfaError: There is no such extension, or it has a record.
    :raises Interrupted: The user said that the answers are wrong, or pressed Ctrl-C.
    """
    root = resolved(root)
    if read_record(root, name):
        raise Q2mfaError(
            f"{name} is already tracked: {record_path(name)}.", f"Run `q2mfa update {name}`.", "recorded"
        )
    if examine(root, name).mfa == "" or not (root / name / "extension.py").is_file():
        raise Q2mfaError(
            f"There is no External MFA extension {name} in {root}.",
            "Run this in the workspace, or pass it with -o; `q2mfa list` shows the extensions.",
            "no_such_extension",
        )

    def plan() -> UpdatePlan:
        request = make_request({**_closest_answers(root, name), **changed})
        record = Record(__version__, request.answers, render(request))
        files = [_adopted(root, path, content) for path, content in record.files.items()]
        extension = ExtensionUpdate(record, record, (*files, record_update(root, record)), is_adopted=True)
        return UpdatePlan(read_workspace(root), (extension,))

    if not dry_run and not confirm(plan()):
        raise Interrupted(
            "Correct an answer with --answer, for example --answer rendering=csr.", "Nothing was written."
        )
    return _applied(root, plan, dry_run)


def refuse_conflicts(plan: UpdatePlan, dry_run: bool) -> None:
    """Check that the plan has no unresolved conflicts.

    :raises Q2mfaError: The plan has unresolved conflicts. The error contains the JSON report.
    """
    report = as_json(plan, dry_run)
    if plan.conflicts:
        named = _named(plan.conflicts)
        raise Q2mfaError(
            f"Your changes conflict with the new version in {named}. Nothing was written.",
            "Add --conflict markers, new, ours or theirs, or run this on a terminal to choose for each file.",
            "conflict",
            report,
        )
    if plan.open:
        raise Q2mfaError(
            f"{'Would leave' if dry_run else 'Left'} conflicts for you to resolve in {_named(plan.open)}.",
            "Resolve them, then run the generated tests. `q2mfa list` shows what is left.",
            "unresolved",
            report,
        )


def changed_answers(pairs: Sequence[str]) -> dict[str, Value]:
    """Return the answers in *pairs*, the values of ``--answer KEY=VALUE``.

    :raises UsageError: A pair has another form, or its answer does not exist or cannot change.
    """
    answers: dict[str, Value] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError("--answer needs KEY=VALUE.", "For example: --answer rendering=csr")
        question = answer_named(key, "--answer")
        if question.name == "name":
            raise UsageError("An extension cannot be renamed.", "Create a new extension.")
        answers[question.name] = (value,) if question.repeatable else value
    return answers


def _applied(root: Path, plan: Callable[[], UpdatePlan], dry_run: bool) -> UpdatePlan:
    if dry_run:
        return plan()
    try:
        # Even if there is nothing to do, the transaction cleans up after a run that was killed.
        with Transaction(root) as transaction:
            planned = plan()
            if not planned.conflicts:
                transaction.apply(planned.changes)
    except KeyboardInterrupt:
        raise Interrupted(UNCHANGED_OR_COMPLETE) from None
    return planned


def _path_of(root: Path, names: Sequence[str], path: str) -> str:
    """Return *path*, which may be relative to the extension or to the workspace, relative to the workspace."""
    wanted = Path(path).as_posix().removeprefix("./")
    candidates = [wanted, *(f"{name}/{wanted}" for name in names)]
    for name in names:
        record = recorded_extension(root, name)
        files = {*record.files, *render(record.request())}
        found = next((each for each in candidates if each in files), None)
        if found:
            return found
    raise UsageError(
        f"{path} is not a file that q2mfa generates for {', '.join(names)}.",
        "Use the path that the report of `q2mfa update` shows.",
        "no_such_file",
    )


def _adopted(root: Path, path: str, content: bytes) -> FileUpdate:
    owner = present(root, path)
    if not isinstance(owner, bytes):
        return FileUpdate(path, None, None, Outcome.DELETED, "it is missing")
    same = normalized(owner) == content
    note = "" if same else "it differs from what this version generates"
    return FileUpdate(path, owner, owner, Outcome.UNCHANGED if same else Outcome.KEPT, note)


def _closest_answers(root: Path, name: str) -> Answers:
    """Return the answers whose rendered files are the most similar to the extension's files."""
    mfa = examine(root, name).mfa
    choices = [
        {"name": name, "mfa": mfa, "rendering": rendering, **factor}
        for rendering in RENDERINGS
        for factor in ([{"factor": each} for each in FACTORS] if mfa == "standard" else [{}])
    ]
    closest = max(choices, key=lambda answers: _equal_lines(root, render(make_request(answers))))
    return {**closest, **_closest_texts(root, closest)}


def _closest_texts(root: Path, answers: Answers) -> dict[str, Value]:
    """Return the answers that can be read from a line of a file.

    Rendering the templates with a sample answer shows which line contains the answer, and where.
    """
    found: dict[str, Value] = {}
    integration = make_request(answers).integration
    for question in QUESTIONS:
        if (
            question.choices
            or not question.variable
            or question.default is None
            or not question.concerns(integration)
        ):
            continue
        for sample in SAMPLES:
            try:
                tree = render(
                    make_request({**answers, question.name: (sample,) if question.repeatable else sample})
                )
            except UsageError:
                continue
            for path, content in tree.items():
                owner = present(root, path)
                if isinstance(owner, bytes) and question.name not in found:
                    value = _value_in(owner, content, sample.encode())
                    try:
                        if value is not None:
                            found[question.name] = question.validate(
                                (value,) if question.repeatable else value
                            )
                    except UsageError:
                        continue
            break
    return found


# Each question accepts at least one of these samples. No template contains them.
SAMPLES = ("https://q2mfa-sample.example", "9073.5541.1", "q2mfa-sample")


def _value_in(owner: bytes, sample_text: bytes, sample: bytes) -> str | None:
    for line in sample_text.splitlines():
        if line.count(sample) == 1:
            before, _, after = line.partition(sample)
            pattern = rb"(?m)^" + re.escape(before) + rb"(.+?)" + re.escape(after) + rb"\r?$"
            if match := re.search(pattern, owner):
                return match[1].decode("utf-8", "replace")
    return None


def _equal_lines(root: Path, tree: Mapping[str, bytes]) -> int:
    count = 0
    for path, content in tree.items():
        owner = present(root, path)
        if isinstance(owner, bytes):
            count += len({*owner.splitlines()} & {*content.splitlines()}) + 1
    return count


def _named(files: Sequence[FileUpdate]) -> str:
    texts = [
        f"{file.path} ({len(file.merge.conflicts)} places)"
        if file.merge and len(file.merge.conflicts) > 1
        else file.path
        for file in files
    ]
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")
