import os as __os

##### NON EXPORTED CODE HERE -- PREPEND ALL NON EXPORTED VARIABLES WITH __ #####

# The identity provider, exactly as the "issuer" of its metadata spells it. Its host, and those of its token, key and
# pushed authorization endpoints, have to be in OUTBOUND_WHITELIST of settings.py.
ISSUER = {{ cookiecutter.issuer | jsonify }}

# What the provider calls this client, and the secret they share: in the server's environment, never in a file. With
# private_key_jwt it is the private key, as a JWK with "alg" and "kid".
CLIENT_ID = {% if cookiecutter.client_id.count('"') > cookiecutter.client_id.count("'") %}{{ "%r" | format(cookiecutter.client_id) }}{% else %}{{ cookiecutter.client_id | jsonify }}{% endif %}
CLIENT_SECRET = __os.environ.get("{{ cookiecutter.extension_name | upper }}_CLIENT_SECRET", "")

# client_secret_basic, client_secret_post or private_key_jwt; empty: the first of the two secrets that it announces.
CLIENT_AUTH_METHOD = ""

SCOPES = {{ cookiecutter.scopes | jsonify }}

# True: never send an authorization request through the browser; deny where the provider cannot take it directly (PAR).
REQUIRE_PAR = False

# How old the user's login at the provider may be, in seconds. 0: they prove who they are now, for this.
MAX_AGE = 0

# How they must have logged in, as the provider's acr values, separated by spaces; empty: any way it has.
ACR_VALUES = ""

# The right person: this claim of the ID token has to equal this attribute of mfa_info (sso_identifier or
# registration_value). Choose a claim that nobody can change for themselves.
IDENTITY_CLAIM = "sub"
IDENTITY_ATTRIBUTE = "sso_identifier"

# Where the page moves on to, and comes back from.
__ISSUER_ORIGIN = "/".join(ISSUER.split("/")[:3])

##### DO NOT EDIT BELOW THIS LINE -- AUTO GENERATED CONFIG #####

FEATURE = {
    "core": False,
    "additionalDomains": [__ISSUER_ORIGIN],
    "modules": {
        "Main": {
            "overpanel": False,
            "primary": True,
            "navigable": True,
{%- if cookiecutter.rendering == "ssr" %}
            "formPostAuth": True,
            "url": "./sdk/authenticated/{featureName}",
{%- else %}
            "formPostAuth": False,
            "url": "{BASE_URL}/index.html",
{%- endif %}
            "meta": {"type": {"shape": "Content", "context": "None"}},
        }
    },
}
