"""What `q2 install` writes to the database."""

from q2_sdk.core.install_steps import db_plan


class DbPlan(db_plan.DbPlan):
    def __init__(self):
        super().__init__()
        self.disallow_add_to_nav = True  # an MFA extension is no menu item
        self.ui_text_prefix = "MyExternalMFA"
