"""Check an extension without a browser: the right user completes MFA, and every other attempt is refused."""
