PYTHON ?= python3
VENV = .venv

# The versions that the tests were last run with; `make lock` refreshes them.
LOCKED = --constraint requirements-dev.txt

# Some tests wait for a server or a browser: one process more than there are processors.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

# pytest compiles the tests anew in every run where Python may not keep them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo check test lint wheel snapshots screenshots mutate benchmark benchmark-preview docs lock matrix
demo: $(VENV)/ready
	rm -rf build/demo && mkdir -p build/demo/configuration
	printf 'from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n' > build/demo/configuration/settings.py
	touch build/demo/configuration/__init__.py build/demo/requirements.txt
	$(VENV)/bin/q2mfa create MyExternalMFA --no-input -o build/demo
	$(VENV)/bin/q2mfa test MyExternalMFA -o build/demo

# Lint, types and the unit lane: after every change.
check: lint
	$(VENV)/bin/pytest

# Everything, once: before a push.
test: lint
	$(VENV)/bin/python tests/prerequisites.py
	$(VENV)/bin/pytest tests -n $(WORKERS)
	$(VENV)/bin/pytest --windows -m "not (browser or node or slow)" tests/unit tests/cli tests/update

lint: $(VENV)/ready
	$(VENV)/bin/ruff check q2mfa_cli tests benchmarks docs
	$(VENV)/bin/ruff format --check q2mfa_cli tests benchmarks docs
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy --platform win32 --cache-dir .mypy_cache/win32 q2mfa_cli
	$(VENV)/bin/mypy --platform darwin --cache-dir .mypy_cache/darwin q2mfa_cli

# `make test` on the built wheel, which is what a user installs.
wheel:
	rm -rf build/wheel
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/pip wheel --quiet --no-deps --wheel-dir build/wheel/dist .
	build/wheel/bin/pip install --quiet $(LOCKED) "$$(echo build/wheel/dist/*.whl)[dev]"
	build/wheel/bin/python -I -c 'import q2mfa_cli; assert "site-packages" in q2mfa_cli.__file__'
	touch build/wheel/ready
	$(MAKE) --no-print-directory test VENV=build/wheel

$(VENV)/ready: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet $(LOCKED) --editable '.[dev]'
	touch $@

# The documentation site, in build/site. To see it while you write: .venv/bin/mkdocs serve
docs: $(VENV)/ready
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
	@echo "Open build/site/index.html"

# The unit and server lanes and the generated extensions' tests on Python 3.10 to 3.13, from pyenv or PATH. Takes some minutes.
matrix:
	$(PYTHON) tests/matrix.py

# Writes requirements-dev.txt: the newest version of each development dependency, for every Python and system.
lock: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --editable '.[dev,lock]'
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --extra dev --no-annotate \
		--no-emit-package q2mfa-cli --custom-compile-command 'make lock' --output-file requirements-dev.txt pyproject.toml

# Rewrites the derived files, the golden trees, the tables of docs/explanation/redirect-attacks.md, and docs/reference/dialogue.md. Review `git diff`.
snapshots: $(VENV)/ready
	$(VENV)/bin/python docs/write_derived_files.py
	rm -rf tests/snapshots
	for rendering in ssr csr; do \
		for variant in standard "standard --factor message" redirect; do \
			$(VENV)/bin/q2mfa create MyExternalMFA --no-input --mfa $$variant --rendering $$rendering \
				-o "tests/snapshots/$$(echo $$variant | sed 's/ --factor /-/')-$$rendering" || exit 1; \
		done; \
	done
	rm -rf tests/snapshots/*/.q2mfa
	PYTHONPATH=tests $(VENV)/bin/python -m attacks.security_document
	PYTHONPATH=tests $(VENV)/bin/python -m recorded_dialogue

# Retakes the README's pictures of `q2mfa preview`.
screenshots: $(VENV)/ready
	$(VENV)/bin/python tests/prerequisites.py
	PYTHONPATH=tests $(VENV)/bin/python docs/screenshots.py

# Breaks the generated code in many small ways; takes about half an hour. Lists the mutants that survive, with the reason.
mutate: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --editable '.[dev,mutation]'
	PYTHONPATH=tests $(VENV)/bin/python -m mutation

# Compares q2mfa with Cookiecutter, a bare Jinja script and `import click`; takes some minutes on an idle machine.
benchmark:
	$(PYTHON) benchmarks/run.py

# Measures what `q2mfa preview` takes to start, while nothing happens, for a thousand challenges, and for a call.
benchmark-preview: $(VENV)/ready
	$(VENV)/bin/python benchmarks/preview.py
