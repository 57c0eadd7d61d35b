"""The mixin for a handler under test."""

from __future__ import annotations

from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.sessions import Session


class MockHandlerMixin:
    """Gives a handler a user and a session without a browser."""

    _platform: Platform
    _session: Session | None

    def mock_online_user(self) -> None:
        """Do nothing, because the fake always has its one user."""

    def mock_online_session(self) -> None:
        """Open an authenticated session."""
        self._session = self._platform.hq.open_session(authenticated=True)
