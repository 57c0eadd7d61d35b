import os as __os

##### NON EXPORTED CODE HERE -- PREPEND ALL NON EXPORTED VARIABLES WITH __ #####

# The key of the hashes that the cache gets of phone numbers and codes: 32 random characters or more, in the server's
# environment, never in a file. To make one: python -c "import secrets; print(secrets.token_urlsafe(32))"
HASH_SECRET = __os.environ.get("MYEXTERNALMFA_HASH_SECRET", "")

##### DO NOT EDIT BELOW THIS LINE -- AUTO GENERATED CONFIG #####

FEATURE = {
    "core": False,
    "modules": {
        "Main": {
            "overpanel": False,
            "primary": True,
            "navigable": True,
            "formPostAuth": True,
            "url": "./sdk/authenticated/{featureName}",
            "meta": {"type": {"shape": "Content", "context": "None"}},
        }
    },
}
