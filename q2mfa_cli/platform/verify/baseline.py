"""Baselines: known findings by fingerprint and count, so that an old finding never hides a new one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.platform.verify.output_file import write_file
from q2mfa_cli.platform.verify.results import Finding, Suppression, digest_of

BASELINE_FORMAT = 1


@dataclass(frozen=True)
class Baseline:
    """The number of known findings per fingerprint, without the fingerprint's own number."""

    known: Mapping[str, int]

    def apply(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return *findings* with the known ones suppressed, up to the known number of each."""
        left = Counter(self.known)
        applied = []
        for finding in findings:
            digest = digest_of(finding)
            if finding.suppression is None and left[digest] > 0:
                left[digest] -= 1
                finding = replace(finding, suppression=Suppression("external", "It is in the baseline."))
            applied.append(finding)
        return applied


def read_baseline(file: Path) -> Baseline:
    """:raises UsageError: the file is no baseline."""
    try:
        document: Any = json.loads(file.read_text("utf-8"))
        if document["format"] != BASELINE_FORMAT:
            raise ValueError
        return Baseline({each["fingerprint"]: int(each["count"]) for each in document["findings"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{shown(str(file))} is not a baseline of `q2mfa verify`.",
            "Make one: q2mfa verify NAME --write-baseline FILE",
            "bad_baseline",
        ) from error


def write_baseline(file: Path, findings: Sequence[Finding]) -> None:
    """Write *findings* as the new baseline. IDs, paths and messages are for human readers.

    :raises Q2mfaError: the file cannot be written.
    """
    counted = Counter(digest_of(finding) for finding in findings)
    first = {digest_of(finding): finding for finding in reversed(findings)}
    document = {
        "format": BASELINE_FORMAT,
        "findings": [
            {
                "fingerprint": digest,
                "count": count,
                "id": first[digest].check.id,
                "path": first[digest].location.path,
                "message": first[digest].message,
            }
            for digest, count in sorted(counted.items())
        ],
    }
    write_file(file, json.dumps(document, indent=2) + "\n")
