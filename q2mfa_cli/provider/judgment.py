"""The judgment of an observation: the verdict, the findings, the remedies and the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from q2mfa_cli.provider.capabilities import KEY_METHOD, SECRET_METHODS, authentication_methods
from q2mfa_cli.provider.checks import CHECKS, Check
from q2mfa_cli.provider.discovery import (
    PAR_ENDPOINT,
    backend_hosts,
    matches_loosely,
    page_origins,
    right_spelling,
)
from q2mfa_cli.provider.observation import Failure, NoResponse, Observation
from q2mfa_cli.provider.outcome import SEVERITIES, Kind, Outcome
from q2mfa_cli.provider.vendors import Vendor, vendor_of

FRAMING = ("framing", "browser")


class Verdict(Enum):
    """Whether the provider works in an outlet."""

    WORKS = "works"
    AFTER_CHANGES = "works_after_changes"
    CANNOT = "cannot_work"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Finding:
    """One outcome of one check, with the remedy for the provider's vendor."""

    check: Check
    outcome: Outcome
    vendor: Vendor | None

    @property
    def severity(self) -> str:
        """The severity of a finding; ``info`` for other outcomes."""
        is_found = self.outcome.kind is Kind.FOUND
        return (self.outcome.severity or self.check.severity) if is_found else "info"

    @property
    def _topic(self) -> str:
        """The id of the check that has the vendor's remedy."""
        return "framing" if self.check.id in FRAMING else self.check.id

    @property
    def impossible(self) -> str:
        """Why the vendor cannot pass the check; empty if it can."""
        vendor_says = self.vendor.impossible.get(self._topic, "") if self.vendor else ""
        return vendor_says if self.outcome.kind is Kind.FOUND else ""

    @property
    def remedy(self) -> str:
        """What to change; empty if nothing. A remedy of the vendor takes precedence over that of the check."""
        vendor_says = self.vendor.remedies.get(self._topic, "") if self.vendor else ""
        if self.outcome.kind is not Kind.FOUND:
            # A vendor's remedy for framing does not help if the login page was not checked.
            more = vendor_says if self.outcome.remedy and self._topic not in FRAMING else ""
            return f"{self.outcome.remedy} {more}".strip()
        return self.impossible or self.outcome.remedy or vendor_says or self.check.remedy

    def is_at_least(self, severity: str) -> bool:
        is_found = self.outcome.kind is Kind.FOUND
        return is_found and SEVERITIES.index(self.severity) >= SEVERITIES.index(severity)

    @property
    def blocks(self) -> bool:
        """Whether no customer can log in until the finding is fixed."""
        return self.is_at_least("high")


@dataclass(frozen=True)
class Judgment:
    """The outcomes of all checks for one provider, and the verdict."""

    seen: Observation
    vendor: Vendor | None
    findings: Sequence[Finding]

    def of_kind(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.outcome.kind is kind]

    @property
    def found(self) -> list[Finding]:
        """The findings, most severe first."""
        return sorted(self.of_kind(Kind.FOUND), key=lambda finding: -SEVERITIES.index(finding.severity))

    @property
    def blocking(self) -> list[Finding]:
        return [finding for finding in self.found if finding.blocks]

    @property
    def framing(self) -> Sequence[Outcome]:
        """The outcomes of the framing checks: of the headers, and of Chromium."""
        return [finding.outcome for finding in self.findings if finding.check.id in FRAMING]

    @cached_property
    def verdict(self) -> Verdict:
        if any(finding.impossible for finding in self.blocking):
            return Verdict.CANNOT
        if self.blocking:
            return Verdict.AFTER_CHANGES
        is_framed = any(outcome.kind is Kind.PASSED for outcome in self.framing)
        return Verdict.WORKS if is_framed else Verdict.UNDECIDED

    @property
    def sentence(self) -> str:
        """The verdict, as a sentence."""
        ids = list(dict.fromkeys(finding.check.id for finding in self.blocking))
        match self.verdict:
            case Verdict.WORKS:
                return "It works in an outlet."
            case Verdict.AFTER_CHANGES:
                return f"It works after {len(ids)} change{'s' if len(ids) > 1 else ''}: {', '.join(ids)}."
            case Verdict.CANNOT:
                return f"It cannot work in an outlet: {', '.join(f.check.id for f in self.blocking if f.impossible)}."
            case Verdict.UNDECIDED:
                return f"Undecided: no problem found so far. {self.framing[0].text}"

    @property
    def is_unreachable(self) -> bool:
        """Whether nothing could be checked, because the provider did not respond."""
        response = self.seen.discovery
        silent = isinstance(response, NoResponse) and response.failure in (Failure.CONNECTION, Failure.TIME)
        return silent and all(finding.check.id == "discovery" for finding in self.blocking)

    @property
    def can_be_configured(self) -> bool:
        """Whether the provider can work, and its metadata has this issuer, perhaps in another spelling."""
        spelling = right_spelling(self.seen)
        return self.verdict is not Verdict.CANNOT and matches_loosely(spelling, self.seen.issuer)

    @property
    def outbound_hosts(self) -> list[str]:
        return backend_hosts(self.seen) if self.seen.metadata else []

    @property
    def other_origins(self) -> list[str]:
        """The origins that ``additionalDomains`` needs besides the issuer's origin."""
        return page_origins(self.seen)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings of ``configuration/<Name>.py`` that this provider needs and that differ from the defaults."""
        if not self.seen.metadata:
            return {}
        settings: dict[str, Any] = {"ISSUER": right_spelling(self.seen) or self.seen.issuer}
        if self.seen.client_id:
            settings["CLIENT_ID"] = self.seen.client_id
        if self.seen.profile:
            settings["PROFILE"] = self.seen.profile
        methods = authentication_methods(self.seen)
        takes_secrets = set(SECRET_METHODS) & set(methods) and not self.seen.profile
        if KEY_METHOD in methods and not takes_secrets:
            settings["CLIENT_AUTH_METHOD"] = KEY_METHOD
        required = self.seen.metadata.get("require_pushed_authorization_requests") is True
        if (required or self.seen.requires_par) and self.seen.is_safe(self.seen.metadata.get(PAR_ENDPOINT)):
            settings["PAR"] = "required"
        if self.seen.acr_values:
            settings["ACR_VALUES"] = " ".join(self.seen.acr_values)
        return {**settings, **(self.vendor.settings if self.vendor else {})}


def judge(seen: Observation) -> Judgment:
    """Run all checks on *seen*, and return the judgment."""
    vendor = vendor_of(seen)
    findings = [Finding(check, outcome, vendor) for check in CHECKS for outcome in check.run(seen)]
    return Judgment(seen, vendor, findings)
