"""The checks to run, and the workflows to run them in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from q2mfa_cli.platform.preview.workflows import WORKFLOWS, Workflow
from q2mfa_cli.platform.verify.check import QUICK, Check
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.table import CHECKS


@dataclass(frozen=True)
class Selection:
    """The checks to run.

    :param profile: of :data:`PROFILES`. :param ids: IDs of checks; empty for all of the profile.
    :param workflows: IDs of the workflows for dynamic checks; empty for all. :param static_only: whether to leave out dynamic checks.
    """

    profile: str
    ids: Collection[str] = ()
    workflows: Collection[str] = ()
    static_only: bool = False

    @property
    def checks(self) -> list[Check]:
        return [
            check
            for check in CHECKS
            if check.severity_in(self.profile) is not None
            and (not self.ids or check.id in self.ids)
            and (check.is_quick or self.profile != QUICK)
        ]

    def workflows_of(self, check: Check) -> list[Workflow]:
        wanted = [
            workflow
            for workflow in WORKFLOWS
            if (not self.workflows or workflow.id in self.workflows)
            and (not check.workflows or workflow.id in check.workflows)
        ]
        return wanted[:1] if check.once else wanted

    def static(self) -> list[Check]:
        """Return the static checks. The quick profile has none."""
        return [] if self.profile == QUICK else [check for check in self.checks if check.id in STATIC]

    def dynamic(self) -> Iterator[tuple[Check, Workflow]]:
        """Yield each dynamic check with each of its workflows, in the order of the table."""
        if self.static_only:
            return
        for check in self.checks:
            if "dynamic" in check.seen:
                for workflow in self.workflows_of(check):
                    yield check, workflow
