"""Base of an extension's ``install/db_plan.py``."""


class DbPlan:
    """What ``q2 install`` writes to the database."""

    def __init__(self) -> None:
        self.ui_text_prefix = ""
