"""``q2mfa preview``: an extension in the outlet of a fake online banking, in a browser."""
