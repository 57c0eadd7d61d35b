"""A dry run writes nothing, and reports exactly what the same run without --dry-run does."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

from command import SETTINGS, contents
from hypothesis import event, given
from hypothesis import strategies as st
from small_workspaces import SETTINGS_PATH, run, temporary_workspace

from q2mfa_cli.plan import unified_diff

WORKSPACES = st.fixed_dictionaries(
    {
        SETTINGS_PATH: st.sampled_from(
            [
                SETTINGS,
                SETTINGS.replace(b"\n", b"\r\n"),
                SETTINGS.replace(b"'Existing'", b"'Existing', 'Foo'"),
                b"from q2_sdk.core.default_settings import *\nINSTALLED_EXTENSIONS = [\n    'A',\n]",
                b"INSTALLED_EXTENSIONS = load()\n",
                b"INSTALLED_EXTENSIONS = ['A'\n",
                b"INSTALLED_EXTENSIONS = []\nOUTBOUND_WHITELIST = ['idp.bank.example']\n",
                None,
            ]
        ),
        "requirements.txt": st.sampled_from(
            [b"q2-sdk==2.208.1\n", b"", b"q2-sdk", b"a\r\nPyOTP >= 2\r\n", "q2-sdk\n".encode("utf-16"), None]
        ),
        "configuration/__init__.py": st.sampled_from([b"", None]),
    }
)
REQUEST = st.fixed_dictionaries(
    {"name": st.sampled_from(["Foo", "Foo", "Bar", "Baz", "Existing", "foo"])},
    optional={
        "rendering": st.sampled_from(["ssr", "csr"]),
        "mfa": st.sampled_from(["standard", "redirect"]),
        "issuer": st.sampled_from(["https://idp.bank.example", "https://idp.example.com"]),
    },
).map(lambda request: {**request, "mfa": "redirect"} if "issuer" in request else request)
# What happened to files of an extension that was created before.
HISTORIES = st.dictionaries(
    st.sampled_from(["Foo/extension.py", "Foo/urls.py", "Foo/README.md", "configuration/Foo.py"]),
    st.sampled_from(["changed", "lost", "checked out on Windows"]),
)


def make(
    root: Path, files: dict[str, bytes | None], before: dict[str, str] | None, histories: dict[str, str]
) -> None:
    for path in (*files, "requirements.txt"):
        (root / path).unlink(missing_ok=True)
    if before:
        assert (
            run("create", "--answers", "-", "-o", root, stdin=json.dumps({**before, "name": "Foo"})).status
            == 0
        )
        for path, history in histories.items():
            content = (root / path).read_bytes()
            (root / path).unlink()
            if history != "lost":
                (root / path).write_bytes(
                    b"mine\n" if history == "changed" else content.replace(b"\n", b"\r\n")
                )
    for path, content in files.items():
        (root / path).unlink(missing_ok=True)
        if content is not None:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_bytes(content)


@given(
    files=WORKSPACES,
    before=REQUEST | st.none(),
    histories=HISTORIES,
    requests=st.lists(REQUEST, min_size=1, max_size=3, unique_by=itemgetter("name")),
    flags=st.sets(st.sampled_from(["--force", "--no-register"])),
)
def test_run_makes_exactly_the_changes_of_its_dry_run(
    files: dict[str, bytes | None],
    before: dict[str, str] | None,
    histories: dict[str, str],
    requests: list[dict[str, str]],
    flags: set[str],
) -> None:
    with temporary_workspace() as root:
        make(root, files, before, histories)
        old = contents(root.parent)
        arguments = ["create", "--answers", "-", "-o", str(root), *sorted(flags)]
        answers = json.dumps({"extensions": requests})
        planned = run(*arguments, "--dry-run", "--format=json", stdin=answers)
        printed = run(*arguments, "--dry-run", stdin=answers)
        assert contents(root.parent) == old

        done = run(*arguments, "--format=json", stdin=answers)
        assert planned.status == printed.status == done.status
        event(f"exit {done.status}")
        new = contents(root)
        old = {path.removeprefix("workspace/"): content for path, content in old.items()}
        if done.status:
            assert planned.err == done.err == printed.err and planned.json == done.json
            assert new == old
            return

        # The dry run, the report and the changes on disk agree: the same files, and no others.
        assert planned.json["extensions"] == done.json["extensions"]
        assert planned.json["next_steps"] == done.json["next_steps"]
        assert (planned.json["status"], done.json["status"]) in [
            ("planned", "created"),
            ("unchanged", "unchanged"),
        ]
        reported = {
            kind: {path for extension in done.json["extensions"] for path in extension[kind]}
            for kind in ("created", "edited", "unchanged", "removed")
        }
        files_of = {path for path in new if not path.endswith("/")}
        assert reported["created"] == files_of - old.keys()
        assert reported["edited"] == {path for path in files_of & old.keys() if new[path] != old[path]}
        assert reported["removed"] == {path for path in old.keys() - new.keys() if not path.endswith("/")}
        assert reported["unchanged"] <= files_of and not reported["unchanged"] & (
            reported["created"] | reported["edited"]
        )

        # The dry run shows the diff of each edited file but the records, which a person does not read.
        shown = {path for path in reported["edited"] | reported["removed"] if not path.startswith(".q2mfa/")}
        for path in shown:
            assert unified_diff(path, old[path], new.get(path)).rstrip("\n") in printed.out
        assert printed.out.count("\n--- ") == len(shown) + ("requirements.txt" in reported["created"])
        # A second run has nothing to do.
        assert run(*arguments, "--format=json", stdin=answers).json["status"] == "unchanged"
