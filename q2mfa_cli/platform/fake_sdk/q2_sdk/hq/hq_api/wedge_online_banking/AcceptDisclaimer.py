"""A call to HQ's WedgeOnlineBanking API. It needs an authenticated session."""

from __future__ import annotations

from logging import Logger
from types import SimpleNamespace

from q2_sdk.context import current
from q2mfa_cli.platform.sessions import Session


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

    :raises TypeError: *params_obj* is for another call.
    :raises PermissionError: The session is not authenticated.
    """
    if not isinstance(params_obj, ParamsObj):
        raise TypeError("AcceptDisclaimer takes its own ParamsObj")
    current().platform.hq.call(
        "wedge_online_banking", "AcceptDisclaimer", params_obj.parameters, params_obj.hq_credentials
    )
    return SimpleNamespace(success=True, endpoint="AcceptDisclaimer")
