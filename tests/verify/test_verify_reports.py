"""The reports of `q2mfa verify`: the same findings as text, JSON, SARIF and JUnit; ignores and baselines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from node import WEB, install

from q2mfa_cli.platform.verify.baseline import read_baseline, write_baseline
from q2mfa_cli.platform.verify.check import Location, Problem, Severity
from q2mfa_cli.platform.verify.dynamic.requests import holds
from q2mfa_cli.platform.verify.explanation import check_named
from q2mfa_cli.platform.verify.ignores import apply_ignores, problems_of, read_ignores
from q2mfa_cli.platform.verify.report.json import as_json, schema
from q2mfa_cli.platform.verify.report.junit import as_junit
from q2mfa_cli.platform.verify.report.sarif import as_sarif
from q2mfa_cli.platform.verify.report.text import as_text
from q2mfa_cli.platform.verify.results import Finding, FoundProblems, Outcome, Report, Suppression, Verdict

GUESSABLE, COMPARED, NO_PROOF = (
    check_named(each) for each in ("token-guessable", "compare-timing", "token-without-proof")
)
LINE = Location("My MFA/extension.py", 41, 5, "    async def check(self):")
SEQUENCE = ("1 Page → Extension: requestExtensionData: check", "2 Extension → HQ: set_external_mfa_token")


def report() -> Report:
    found = FoundProblems("baseline")
    for workflow in ("login", "patrol"):
        found.add(NO_PROOF, [Problem('Route "check" sets a token.', LINE, None, SEQUENCE)], workflow)
    note = Problem(
        "The token is a version 4 UUID.",
        Location("My MFA/extension.py", 3, 1, "token = uuid4()"),
        Severity.NOTE,
    )
    found.add(GUESSABLE, [note])
    outcomes = (
        Outcome(GUESSABLE, "", Verdict.FAILED),
        Outcome(NO_PROOF, "login", Verdict.FAILED),
        Outcome(NO_PROOF, "patrol", Verdict.FAILED),
        Outcome(COMPARED, "", Verdict.SKIPPED, "The parser is not installed."),
        Outcome(check_named("txn-bound"), "transaction", Verdict.NOT_APPLICABLE, "It has no transaction."),
    )
    return Report("MyMFA", "own", "baseline", outcomes, found.findings())


def test_same_problem_in_two_workflows_is_one_finding_and_the_worst_comes_first() -> None:
    first, second = report().findings
    assert (first.check, first.workflows, first.severity) == (
        NO_PROOF,
        ("login", "patrol"),
        Severity.CRITICAL,
    )
    assert (second.check, second.severity) == (GUESSABLE, Severity.NOTE)


def test_text_report_has_the_problem_the_location_and_the_command() -> None:
    text = as_text([report()], Severity.LOW)
    assert (
        """critical[token-without-proof]: Route "check" sets a token.
  --> My MFA/extension.py:41:5
   |
41 |     async def check(self):
   |
   = note: seen in Log in, Patrol event
   = note: sequence
       1 Page → Extension: requestExtensionData: check
       2 Extension → HQ: set_external_mfa_token
"""
        in text
    )
    assert "= repeat: q2mfa verify MyMFA --check token-without-proof --workflow login\n" in text
    assert "0 checks passed, 2 failed, 1 not applicable, 1 skipped.\n" in text
    assert "skipped: compare-timing: The parser is not installed.\n" in text
    assert "Not covered by local checks:\n" in text and "UUID" not in text
    assert "UUID" in as_text([report()], Severity.NOTE)


def test_json_report_is_valid_by_its_schema() -> None:
    document = json.loads(as_json([suppressed(report())]))
    jsonschema.validate(document, schema())
    (extension,) = document["extensions"]
    assert document["status"] == "found" and document["not_shown"]
    assert [each["suppression"] is None for each in extension["findings"]] == [False, True]
    assert {each["reason"] for each in extension["checks"]} == {
        None,
        "The parser is not installed.",
        "It has no transaction.",
    }


def suppressed(report: Report) -> Report:
    first, *others = report.findings
    suppression = Suppression("inSource", "Agreed with the auditors.")
    return replace(report, findings=(replace(first, suppression=suppression), *others))


def test_suppressed_finding_does_not_fail_and_is_not_shown() -> None:
    assert report().is_failed(Severity.LOW) and not suppressed(report()).is_failed(Severity.LOW)
    text = as_text([suppressed(report())], Severity.NOTE)
    assert "critical[" not in text and "1 finding suppressed by ignore comments or the baseline." in text


def test_sarif_has_what_github_asks_for() -> None:
    document = json.loads(as_sarif([suppressed(report())]))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0" and document["$schema"].startswith("https://")
    assert run["automationDetails"]["id"] == "q2mfa/MyMFA/"
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["id"] and rule["shortDescription"]["text"] and rule["fullDescription"]["text"]
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert rule["properties"]["precision"] in ("medium", "high", "very-high")
        assert re.fullmatch(r"\d\.\d", rule["properties"]["security-severity"])
        assert len(rule["properties"]["tags"]) <= 10
    assert "external/cwe/cwe-306" in next(r for r in rules if r["id"] == NO_PROOF.id)["properties"]["tags"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "My%20MFA/extension.py"
        region = place["region"]
        assert 1 <= region["startLine"] <= region["endLine"] and region["startColumn"] < region["endColumn"]
        assert re.fullmatch(r"[0-9a-f]{32}:\d+", result["partialFingerprints"]["primaryLocationLineHash"])
    assert [each["level"] for each in run["results"]] == ["error", "note"]
    assert run["results"][0]["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "Agreed with the auditors."}
    ]
    says = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert "compare-timing: skipped: The parser is not installed." in says


@pytest.mark.node
def test_sarif_is_valid_by_its_schema() -> None:
    install()
    file = WEB / "node_modules" / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    jsonschema.validate(
        json.loads(as_sarif([report(), suppressed(report())])), json.loads(file.read_text("utf-8"))
    )


def test_junit_has_a_case_for_each_check_in_each_workflow() -> None:
    suite = ElementTree.fromstring(as_junit([report()])).find("testsuite")
    assert suite is not None
    assert suite.attrib == {"name": "MyMFA", "tests": "5", "failures": "3", "skipped": "2"}
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    failure = cases["MyMFA.Log in", NO_PROOF.id].find("failure")
    assert failure is not None and failure.get("type") == "critical" and SEQUENCE[0] in (failure.text or "")
    skipped = cases["MyMFA.source", COMPARED.id].find("skipped")
    assert skipped is not None and skipped.get("message") == "skipped: The parser is not installed."


# Ignores and baselines


def finding(path: str, line: int, source: str, identifier: str = "compare-timing") -> Finding:
    found = FoundProblems("baseline")
    found.add(check_named(identifier), [Problem("It compares a secret.", Location(path, line, 1, source))])
    return found.findings()[0]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("a.py", "if a == b:  # q2mfa: ignore[compare-timing] both are public\n", 1),
        ("a.py", "# q2mfa: ignore[compare-timing] both are public\nif a == b:\n", 2),
        ("a.js", "if (a == b) {} // q2mfa: ignore[compare-timing] both are public\n", 1),
        ("a.js", "/* q2mfa: ignore[compare-timing, dom-xss] both are public */\nif (a == b) {}\n", 2),
        ("a.html", "<!-- q2mfa: ignore[compare-timing] both are public -->\n<p>\n", 2),
        ("a.html.jinja2", "{# q2mfa: ignore[compare-timing] both are public #}\n{{ a }}\n", 2),
    ],
)
def test_comment_with_a_reason_suppresses(file: str, text: str, line: int, tmp_path: Path) -> None:
    folder = tmp_path / "MyMFA"
    folder.mkdir()
    (folder / file).write_text(text)
    ignores = read_ignores(tmp_path, folder, "MyMFA")
    (here,) = apply_ignores([finding(f"MyMFA/{file}", line, "x")], ignores)
    assert here.suppression == Suppression("inSource", "both are public")
    (elsewhere,) = apply_ignores([finding(f"MyMFA/{file}", line + 1, "x")], ignores)
    assert elsewhere.suppression is None
    (other,) = apply_ignores([finding(f"MyMFA/{file}", line, "x", "outbound")], ignores)
    assert other.suppression is None


def test_comment_without_reason_or_use_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "MyMFA"
    folder.mkdir()
    (folder / "a.py").write_text(
        "a == b  # q2mfa: ignore[compare-timing]\n"
        "c = 1  # q2mfa: ignore[compare-timing] nothing is compared\n"
        "d = 1  # q2mfa: ignore[no-such-check] whatever\n"
        "e = 1  # q2mfa: ignore[rp-state] only a dynamic check could tell\n"
        'f = "# q2mfa: ignore[compare-timing] a text is no comment"\n'
    )
    ignores = read_ignores(tmp_path, folder, "MyMFA")
    found = finding("MyMFA/a.py", 1, "a == b")
    assert apply_ignores([found], ignores)[0].suppression is None
    problems = [
        (identifier, problem.location.line)
        for identifier, problem in problems_of(ignores, [found], {"compare-timing"})
    ]
    assert problems == [("ignore-without-reason", 1), ("ignore-unused", 2), ("ignore-unused", 3)]


def test_baseline_suppresses_as_many_findings_as_it_lists(tmp_path: Path) -> None:
    def findings(*lines: int) -> list[Finding]:
        found = FoundProblems("baseline")
        problems = [
            Problem("It compares a secret.", Location("a.py", line, 1, "if a  ==  b:")) for line in lines
        ]
        found.add(COMPARED, problems)
        return list(found.findings())

    file = tmp_path / "baseline.json"
    write_baseline(file, findings(10))
    moved = read_baseline(file).apply(findings(20))
    assert [each.suppression and each.suppression.kind for each in moved] == ["external"]
    one_more = read_baseline(file).apply(findings(20, 30))
    assert [each.suppression is None for each in one_more] == [False, True]


def test_fingerprint_survives_another_line_number_and_other_spaces() -> None:
    first, second = finding("a.py", 10, "if a == b:"), finding("a.py", 99, "    if a  ==  b:")
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != finding("a.py", 10, "if a == c:").fingerprint


@pytest.mark.parametrize(
    ("text", "value", "is_held"),
    [
        ("code=123456", "123456", True),
        ("tries_123456", "123456", True),
        ("expires 1764123456", "123456", False),
        ("key ab123456cd", "123456", False),
        ("key abJBSWY3DPcd", "JBSWY3DP", True),
    ],
)
def test_code_inside_a_hash_or_a_time_is_no_leak(text: str, value: str, is_held: bool) -> None:
    assert holds(text, value) is is_held
