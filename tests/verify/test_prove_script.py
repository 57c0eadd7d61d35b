"""What an extension that redirects says in its ``prove.py``: how it is configured with another provider."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import Edit, hand_written
from verifying import verified

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.platform.verify.results import Verdict

pytestmark = pytest.mark.slow

PROVE = "tests/prove.py"
CHECKS = ("right-user", "cross-session", "rp-nonce")


def test_hand_written_extension_that_redirects_is_tried_at_both_providers(tmp_path: Path) -> None:
    served = hand_written(tmp_path, "city_login")
    report = verified(served.workspace, served.name, *CHECKS)
    assert report.findings == ()
    assert {outcome.verdict for outcome in report.outcomes if outcome.workflow} == {Verdict.PASSED}
    assert "OIDC_URL, OIDC_CLIENT, OIDC_SECRET are those of the embedded identity provider" in report.notes[0]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ((PROVE, "provider.issuer", "provider.url"), "AttributeError"),
        ((PROVE, "    return {\n", "    return [1] or {\n"), "TypeError"),
    ],
)
def test_configuration_that_fails_is_named_with_its_line(edit: Edit, says: str, tmp_path: Path) -> None:
    served = hand_written(tmp_path, "city_login")
    with (
        served.edited([edit]),
        pytest.raises(Q2mfaError, match=f"tests/prove.py cannot be used: {says}") as error,
    ):
        verified(served.workspace, served.name, *CHECKS)
    assert "configuration(provider)" in error.value.hint


def test_extension_that_names_no_provider_has_no_check_of_logins(tmp_path: Path) -> None:
    served = hand_written(tmp_path, "app_code")
    (outcome,) = (each for each in verified(served.workspace, served.name, "rp-iss").outcomes)
    assert (outcome.verdict, outcome.reason) == (
        Verdict.NOT_APPLICABLE,
        "The extension does not use an identity provider.",
    )
