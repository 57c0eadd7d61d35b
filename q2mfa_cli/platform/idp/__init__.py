"""A local OpenID provider, for use in place of a real identity provider.

It can run on its own origin, or below a path of an origin::

    sockets = bind_sockets(0, "127.0.0.1")
    provider = IdentityProvider(
        f"http://127.0.0.1:{sockets[0].getsockname()[1]}",
        client_id="q2-mfa",
        client_secret=secret,
        redirect_uri=redirect_uri,
        events=Events(),
    )
    HTTPServer(Application(handlers(provider))).add_sockets(sockets)

Its keys are new in each run, and it asks for no password. It is strict in everything else, so that a client that works with
it also works with a real provider.
"""

from q2mfa_cli.platform.idp.endpoints import handlers
from q2mfa_cli.platform.idp.provider import SWITCHES, IdentityProvider, Visitor

__all__ = ["SWITCHES", "IdentityProvider", "Visitor", "handlers"]
