"""``q2mfa verify``: attack an extension on the fake platform, and read its source."""
