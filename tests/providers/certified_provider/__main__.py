"""Run the provider on loopback until Return or Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import sys

from attacks.served_extension import CLIENT_ID, CLIENT_SECRET

from providers.certified_provider import running


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m providers.certified_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--par", choices=["off", "on", "required"], default="on", help="default: on")
    parser.add_argument(
        "--alg", choices=["RS256", "ES256", "PS256"], default="RS256", help="of ID tokens; default: RS256"
    )
    parser.add_argument(
        "--auth-method",
        choices=["client_secret_basic", "client_secret_post"],
        default="client_secret_basic",
        help="of the client; default: client_secret_basic",
    )
    parser.add_argument(
        "--redirect-uri",
        action="append",
        required=True,
        help="where the client may be returned to; once or more",
    )
    given = vars(parser.parse_args())
    given["redirect_uris"] = given.pop("redirect_uri")
    try:
        with running(**given, client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as provider:
            print(f"issuer         {provider.issuer}")
            print(f"client id      {CLIENT_ID}")
            print(f"client secret  {CLIENT_SECRET}")
            print("Any login and password will do. Return ends it.", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                sys.stdin.readline()
    except RuntimeError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
