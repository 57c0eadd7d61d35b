"""``q2mfa preview``: online banking with an extension in its outlet, in a browser."""
