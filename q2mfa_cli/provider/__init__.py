"""Check whether a real identity provider meets the requirements of a redirect extension.

``visit.py`` queries the provider and returns an :class:`~q2mfa_cli.provider.observation.Observation`. The checks are
functions of that value, in one module per family. ``checks.py`` lists them in a table. ``report.py`` prints the findings.
"""
