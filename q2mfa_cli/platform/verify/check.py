"""Checks, and the problems that they find."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from q2mfa_cli.integrations import Integration


class Severity(enum.IntEnum):
    """The severity of a finding, in the order of ``--fail-on`` and ``--min-severity``."""

    NOTE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        return self.name.lower()


class Precision(enum.Enum):
    """The likelihood that a finding is right, in SARIF's terms. It is very high for dynamic checks, which saw HQ accept a token."""

    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very-high"


@dataclass(frozen=True)
class Check:
    """The metadata of one check. The module of its family runs it under the same ID.

    :param id: for flags, ignores, SARIF and ``q2mfa explain``. :param title: the defect, as a noun phrase.
    :param requirement: what must hold, as one sentence. :param risk: what an attacker or a fault can do otherwise.
    :param remedy: what to change. :param sources: such as ``"RFC 9700, 4.7.1"``, ``"ASVS 10.2.1"`` or ``"CWE-352"``.
    :param severity: unless the finding says otherwise. :param seen: ``"static"``, ``"dynamic"`` or both.
    :param integrations: those that it applies to; empty for every extension, including hand-written ones.
    :param profiles: the severity by profile, where it differs. A check whose *severity* is None runs in these profiles only.
    :param workflows: the ids of those that a dynamic check runs in; empty for all. :param once: whether one workflow is
        enough because they do not differ. :param is_quick: whether the quick profile includes it.
    :param wrong: code with the defect. :param right: the same code without it.
    """

    id: str
    title: str
    requirement: str
    risk: str
    remedy: str
    sources: tuple[str, ...]
    severity: Severity | None
    seen: tuple[str, ...]
    precision: Precision = Precision.VERY_HIGH
    integrations: tuple[Integration, ...] = ()
    profiles: Mapping[str, Severity] = field(default_factory=dict)
    workflows: tuple[str, ...] = ()
    once: bool = False
    is_quick: bool = False
    wrong: str = ""
    right: str = ""

    def severity_in(self, profile: str) -> Severity | None:
        """Return the severity in *profile*; None if the profile does not include the check."""
        return self.profiles.get(profile, self.severity)


@dataclass(frozen=True, order=True)
class Location:
    """A place in a source file.

    :param path: relative to the workspace, with slashes. :param line: from 1. :param column: from 1. :param source: the line's text.
    """

    path: str
    line: int
    column: int = 1
    source: str = ""


@dataclass(frozen=True)
class Problem:
    """A problem that one run of a check found.

    :param message: a sentence that states the fact, with names in double quotes and without values that differ between runs.
    :param location: the line of the defect; for a dynamic check, the ``def`` of the route.
    :param severity: if it differs from the check's. :param sequence: the calls, one line each, masked; dynamic checks only.
    :param workflow: the label of the workflow; dynamic checks only.
    """

    message: str
    location: Location
    severity: Severity | None = None
    sequence: tuple[str, ...] = ()
    workflow: str = ""


class NotApplicable(Exception):
    """The check does not apply to this extension. The message is the reason, as a sentence."""


class Skipped(Exception):
    """The check applies, but cannot run here. The message is the reason, as a sentence."""


BASELINE, ASVS_L2, FAPI2, QUICK = "baseline", "asvs-l2", "fapi2", "quick"

PROFILES: Mapping[str, str] = {
    BASELINE: "what any External MFA extension has to get right",
    ASVS_L2: "also what OWASP ASVS 5.0, level 2 asks for",
    FAPI2: "also what the FAPI 2.0 Security Profile asks of a client",
    QUICK: "whether the right user gets through and the most common attacks do not, in seconds; it does not read the source",
}
