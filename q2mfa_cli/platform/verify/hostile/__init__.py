"""OpenID providers that misbehave on demand, for ``q2mfa verify`` and for the tests of the generated extensions.

::

    with running(Client("q2-mfa", secret)) as providers:
        provider = providers.new()
        provider.lie = Lie(claims=changed(aud="another-client"))
        …
        provider.lie = HONEST

They listen on loopback and use real keys, in a thread of this process.
"""

from q2mfa_cli.platform.verify.hostile.provider import (
    ELSEWHERE,
    EMAIL,
    HONEST,
    USER,
    Client,
    HostileProvider,
    Lie,
)
from q2mfa_cli.platform.verify.hostile.serving import HostileProviders, running

__all__ = [
    "ELSEWHERE",
    "EMAIL",
    "HONEST",
    "USER",
    "Client",
    "HostileProvider",
    "HostileProviders",
    "Lie",
    "running",
]
