"""Cookiecutter renders folders before files: a client-side rendered extension is left an empty one."""

import os

templates = os.path.join("{{ cookiecutter.extension_name }}", "templates")
if os.path.isdir(templates) and not os.listdir(templates):
    os.rmdir(templates)
