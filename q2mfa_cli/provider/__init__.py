"""What a redirect extension needs from an identity provider, and whether a real provider has it.

``visit.py`` queries the provider and returns an :class:`~q2mfa_cli.provider.observation.Observation`. The checks, one module per
family, are functions of that value. ``checks.py`` is the table of them. ``report.py`` shows what they found.
"""
