"""A local OpenID provider: redirects lead here if there is no real identity provider.

It is mounted on an origin of its own, or below a path of one::

    sockets = bind_sockets(0, "127.0.0.1")
    provider = IdentityProvider(
        f"http://127.0.0.1:{sockets[0].getsockname()[1]}",
        client_id="q2-mfa",
        client_secret=secret,
        redirect_uri=redirect_uri,
        events=Events(),
    )
    HTTPServer(Application(handlers(provider))).add_sockets(sockets)

Its keys are new in every run and it asks for no password. It is strict about everything else, so that a client that
works with it works with a real provider.
"""

from q2mfa_cli.platform.idp.endpoints import handlers
from q2mfa_cli.platform.idp.provider import SWITCHES, IdentityProvider, Visitor

__all__ = ["SWITCHES", "IdentityProvider", "Visitor", "handlers"]
