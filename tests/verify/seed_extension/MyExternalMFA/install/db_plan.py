from q2_sdk.core.install_steps import db_plan


class DbPlan(db_plan.DbPlan):
    pass
