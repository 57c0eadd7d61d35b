import os as __os

##### NON EXPORTED CODE HERE -- PREPEND ALL NON EXPORTED VARIABLES WITH __ #####

# The identity provider, exactly as the "issuer" of its metadata spells it. Its host, and those of its token, key and
# pushed authorization endpoints, have to be in OUTBOUND_WHITELIST of settings.py.
ISSUER = "https://idp.example.com"

# What the provider calls this client, and the secret they share: in the server's environment, never in a file. With
# private_key_jwt it is the private key, as a JWK with "alg" and "kid".
CLIENT_ID = ""
CLIENT_SECRET = __os.environ.get("MYEXTERNALMFA_CLIENT_SECRET", "")

# client_secret_basic, client_secret_post or private_key_jwt. Empty: the first of the two secrets that the provider
# announces, or client_secret_basic if it announces nothing.
CLIENT_AUTH_METHOD = ""

SCOPES = "openid"

# "fapi2": what the FAPI 2.0 Security Profile asks of a client. PAR and private_key_jwt; PS256, ES256 or EdDSA; iss.
PROFILE = ""

# Send the authorization request to the provider directly, and not through the browser (PAR): "auto" if the provider
# announces it, "required", or "off" if it announces PAR and does not accept it from this client.
PAR = "auto"

# How old the user's login at the provider may be, in seconds. 0: they log in again, for this.
MAX_AGE = 0

# Check the time of the login (auth_time) that the provider states. False: only if the provider states none, or a wrong
# one. Then the user is asked to log in again, no matter what MAX_AGE says, and only the provider enforces it.
CHECK_AUTH_TIME = True

# How they must have logged in, as the provider's acr values, separated by spaces; empty: any way it has.
ACR_VALUES = ""

# Other audiences that the provider puts into each ID token beside this client, such as Oracle's own URL.
TRUSTED_AUDIENCES = []

# The right person: this claim of the ID token has to equal this attribute of mfa_info (sso_identifier or
# registration_value). Choose a claim that users cannot change themselves.
IDENTITY_CLAIM = "sub"
IDENTITY_ATTRIBUTE = "sso_identifier"

# The attribute of mfa_info that is the user's name at the provider, to fill in its login form; empty: none.
LOGIN_HINT = ""

##### DO NOT EDIT BELOW THIS LINE -- AUTO GENERATED CONFIG #####

FEATURE = {
    "core": False,
    "additionalDomains": ["/".join(ISSUER.split("/")[:3])],  # where the page moves on to
    "modules": {
        "Main": {
            "overpanel": False,
            "primary": True,
            "navigable": True,
            "formPostAuth": False,
            "url": "{BASE_URL}/index.html",
            "meta": {"type": {"shape": "Content", "context": "None"}},
        }
    },
}
