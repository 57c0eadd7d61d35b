"""The customers of the dynamic checks: what the right user, and another person, send to an extension."""
