"""A dry run writes nothing, and the run that follows does exactly what it said."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path

from command import SETTINGS, contents
from hypothesis import event, given
from hypothesis import strategies as st
from test_fuzz import a_workspace, run
from trials import SETTINGS_PATH

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
# What became of an extension that was created before: each of its files may have been changed, lost, or checked out.
FATES = st.dictionaries(
    st.sampled_from(["Foo/extension.py", "Foo/urls.py", "Foo/README.md", "configuration/Foo.py"]),
    st.sampled_from(["changed", "lost", "checked out on Windows"]),
)


def make(
    root: Path, files: dict[str, bytes | None], before: dict[str, str] | None, fates: dict[str, str]
) -> None:
    for path in (*files, "requirements.txt"):
        (root / path).unlink(missing_ok=True)
    if before:
        assert (
            run("create", "--answers", "-", "-o", root, stdin=json.dumps({**before, "name": "Foo"})).status
            == 0
        )
        for path, fate in fates.items():
            content = (root / path).read_bytes()
            (root / path).unlink()
            if fate != "lost":
                (root / path).write_bytes(b"mine\n" if fate == "changed" else content.replace(b"\n", b"\r\n"))
    for path, content in files.items():
        (root / path).unlink(missing_ok=True)
        if content is not None:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_bytes(content)


@given(
    files=WORKSPACES,
    before=REQUEST | st.none(),
    fates=FATES,
    requests=st.lists(REQUEST, min_size=1, max_size=3, unique_by=itemgetter("name")),
    flags=st.sets(st.sampled_from(["--force", "--no-register"])),
)
def test_a_run_does_what_the_dry_run_said(
    files: dict[str, bytes | None],
    before: dict[str, str] | None,
    fates: dict[str, str],
    requests: list[dict[str, str]],
    flags: set[str],
) -> None:
    with a_workspace() as root:
        make(root, files, before, fates)
        old = contents(root.parent)
        arguments = ["create", "--answers", "-", "-o", str(root), *sorted(flags)]
        answers = json.dumps({"extensions": requests})
        said = run(*arguments, "--dry-run", "--format=json", stdin=answers)
        shown = run(*arguments, "--dry-run", stdin=answers)
        assert contents(root.parent) == old

        done = run(*arguments, "--format=json", stdin=answers)
        assert said.status == shown.status == done.status
        event(f"exit {done.status}")
        new = contents(root)
        old = {path.removeprefix("workspace/"): content for path, content in old.items()}
        if done.status:
            assert said.err == done.err == shown.err and said.json == done.json
            assert new == old
            return

        # What was said is what is reported, and what is reported is what was done: every file touched, and no other.
        assert said.json["extensions"] == done.json["extensions"]
        assert said.json["next_steps"] == done.json["next_steps"]
        assert (said.json["status"], done.json["status"]) in [
            ("planned", "created"),
            ("unchanged", "unchanged"),
        ]
        fate = {
            kind: {path for extension in done.json["extensions"] for path in extension[kind]}
            for kind in ("created", "edited", "unchanged")
        }
        files_of = {path for path in new if not path.endswith("/")}
        assert fate["created"] == files_of - old.keys()
        assert fate["edited"] == {path for path in files_of & old.keys() if new[path] != old[path]}
        assert old.keys() - new.keys() <= {path for path in old if path.endswith("/")}
        assert fate["unchanged"] <= files_of and not fate["unchanged"] & (fate["created"] | fate["edited"])

        # The diff is that of the files before and after.
        for path in fate["edited"]:
            assert unified_diff(path, old[path], new[path]).rstrip("\n") in shown.out
        assert shown.out.count("\n--- ") == len(fate["edited"]) + ("requirements.txt" in fate["created"])
        # And the same once more finds nothing to do.
        assert run(*arguments, "--format=json", stdin=answers).json["status"] == "unchanged"
