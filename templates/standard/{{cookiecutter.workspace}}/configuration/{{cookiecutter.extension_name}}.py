{% if cookiecutter.factor == "message" %}import os as __os

{% endif %}##### NON EXPORTED CODE HERE -- PREPEND ALL NON EXPORTED VARIABLES WITH __ #####
{%- if cookiecutter.factor == "message" %}

# The key of the hashes that the cache gets of phone numbers and codes: 32 random characters or more, in the server's
# environment, never in a file. To make one: python -c "import secrets; print(secrets.token_urlsafe(32))"
HASH_SECRET = __os.environ.get("{{ cookiecutter.extension_name | upper }}_HASH_SECRET", "")
{%- endif %}

##### DO NOT EDIT BELOW THIS LINE -- AUTO GENERATED CONFIG #####

FEATURE = {
    "core": False,
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
