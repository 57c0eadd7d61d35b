"""The errors a user can meet, each with its hint and exit status."""


class Q2mfaError(Exception):
    """Something the user can act on.

    :param message: one sentence: what is wrong.
    :param hint: one sentence: what to do about it.
    :param code: stable snake_case identifier for scripts (``error.code`` in the JSON report).
    :param exit_status: 1 for "could not", 2 for a usage error.
    """

    def __init__(self, message: str, hint: str, code: str, exit_status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.exit_status = exit_status


class UsageError(Q2mfaError):
    """What was asked for cannot be meant: exit status 2, before anything is read or written."""

    def __init__(self, message: str, hint: str, code: str = "usage") -> None:
        super().__init__(message, hint, code, exit_status=2)
