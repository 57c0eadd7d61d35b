##### NON EXPORTED CODE HERE -- PREPEND ALL NON EXPORTED VARIABLES WITH __ #####

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
