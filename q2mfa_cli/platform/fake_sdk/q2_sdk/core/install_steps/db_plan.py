"""The base class for an extension's ``install/db_plan.py``."""


class DbPlan:
    """The data that ``q2 install`` writes to the database."""

    def __init__(self) -> None:
        self.ui_text_prefix = ""
