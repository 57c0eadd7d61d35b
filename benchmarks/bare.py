"""The smallest script that renders a template with Jinja and writes the same files, without any checks.

python bare.py TEMPLATE INTO NAME=VALUE...
"""

import json
import os
import sys

import jinja2

template, into, *given = sys.argv[1:]
with open(os.path.join(template, "cookiecutter.json"), encoding="utf-8") as file:
    defaults = json.load(file)
answers = {key: value[0] if isinstance(value, list) else value for key, value in defaults.items()}
answers |= dict(pair.split("=", 1) for pair in given)
root = os.path.join(template, "{{cookiecutter.workspace}}")
jinja = jinja2.Environment(
    loader=jinja2.FileSystemLoader([root, os.path.join(template, "templates")]),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
)
jinja.filters["jsonify"] = lambda value: json.dumps(value, sort_keys=True, indent=4)
for name in [name for name in answers if name.startswith("__")]:
    answers[name] = jinja.from_string(answers[name]).render(cookiecutter=answers)
for folder, _, names in os.walk(root):
    for name in names:
        source = os.path.relpath(os.path.join(folder, name), root)
        path = jinja.from_string(source).render(cookiecutter=answers)
        if os.path.basename(path) and "__pycache__" not in path:
            target = os.path.join(into, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(jinja.get_template(source).render(cookiecutter=answers))
