"""An OpenID provider on loopback: who the customer is sent to where there is no real identity provider.

It is mounted on an origin of its own, or below a path of one::

    sockets = bind_sockets(0, "127.0.0.1")
    issuer = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    provider = IdentityProvider(issuer, client_id="q2-mfa", client_secret=secret, redirect_uri=redirect_uri)
    HTTPServer(Application(provider.handlers())).add_sockets(sockets)

Its keys are new in every run and it asks for no password; in all else it is strict, so that what works with it works
with a real provider.
"""

from q2mfa_cli.platform.idp.provider import SWITCHES, IdentityProvider

__all__ = ["SWITCHES", "IdentityProvider"]
