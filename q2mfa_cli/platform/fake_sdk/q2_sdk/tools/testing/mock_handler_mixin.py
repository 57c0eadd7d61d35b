"""What a handler under test is mixed with [seen]."""

from __future__ import annotations

from q2_sdk._platform import Session, platform


class MockHandlerMixin:
    """Gives a handler a user and a session without a browser."""

    _session: Session | None

    def mock_online_user(self) -> None:
        """There is one user in the stand-in."""

    def mock_online_session(self) -> None:
        """Open an authenticated session."""
        self._session = platform.hq.open_session(authenticated=True)
