"""A WedgeOnlineBanking call: only in an authenticated session [seed]."""

from __future__ import annotations

from logging import Logger
from types import SimpleNamespace

from q2_sdk._platform import Session, platform


class ParamsObj:
    """The call's parameters."""

    def __init__(
        self,
        logger: Logger,
        disclaimer_data_id: int,
        hq_credentials: Session | None = None,
    ) -> None:
        self.logger = logger
        self.hq_credentials = hq_credentials
        self.parameters = {
            "disclaimer_data_id": disclaimer_data_id,
        }


async def execute(params_obj: ParamsObj) -> SimpleNamespace:
    """Call HQ.

    :raises TypeError: the parameters of another call.
    :raises PermissionError: the session is not authenticated.
    """
    if not isinstance(params_obj, ParamsObj):
        raise TypeError("AcceptDisclaimer takes its own ParamsObj")
    if params_obj.hq_credentials is None or not params_obj.hq_credentials.authenticated:
        raise PermissionError("WedgeOnlineBanking calls need an authenticated session")
    platform.hq.calls.append(("wedge_online_banking", "AcceptDisclaimer", params_obj.parameters))
    return SimpleNamespace(success=True, endpoint="AcceptDisclaimer")
