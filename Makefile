PYTHON ?= python3
VENV = .venv

.PHONY: demo test wheel snapshots screenshots mutate benchmark
demo: $(VENV)/ready
	rm -rf build/demo && mkdir -p build/demo/configuration
	printf 'from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n' > build/demo/configuration/settings.py
	touch build/demo/configuration/__init__.py build/demo/requirements.txt
	$(VENV)/bin/q2mfa create MyExternalMFA --no-input -o build/demo
	$(VENV)/bin/q2mfa test MyExternalMFA -o build/demo

test: $(VENV)/ready
	$(VENV)/bin/ruff check q2mfa_cli tests benchmarks
	$(VENV)/bin/ruff format --check q2mfa_cli tests benchmarks
	$(VENV)/bin/mypy
	$(VENV)/bin/python tests/chromium.py
	$(VENV)/bin/python -m pytest

# The same tests on what a user installs; not `python -m pytest`, which would find the checkout first.
wheel: $(VENV)/ready
	rm -rf build/wheel
	$(VENV)/bin/python -m build --quiet --wheel --outdir build/wheel/dist
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/pip install --quiet "$$(echo build/wheel/dist/*.whl)[dev]"
	build/wheel/venv/bin/python -I -c 'import q2mfa_cli; assert "site-packages" in q2mfa_cli.__file__'
	build/wheel/venv/bin/python tests/chromium.py
	build/wheel/venv/bin/pytest

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

# The golden trees of tests/snapshots, and the tables of docs that cite them, written anew; `git diff` is the review.
snapshots: $(VENV)/ready
	rm -rf tests/snapshots
	for mfa in standard redirect; do for rendering in ssr csr; do \
		$(VENV)/bin/q2mfa create MyExternalMFA --no-input --mfa $$mfa --rendering $$rendering \
			-o tests/snapshots/$$mfa-$$rendering || exit 1; \
	done; done
	PYTHONPATH=tests $(VENV)/bin/python -m attacks.security_document

# The README's pictures of `q2mfa preview`, taken anew.
screenshots: $(VENV)/ready
	$(VENV)/bin/python tests/chromium.py
	PYTHONPATH=tests $(VENV)/bin/python docs/screenshots.py

# Break the generated code in every small way; some minutes. What survives is listed, with its argument.
mutate: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --editable '.[dev,mutation]'
	PYTHONPATH=tests $(VENV)/bin/python -m mutation

# Ratios against Cookiecutter, a bare Jinja script and `import click`; some ten minutes, on a machine with nothing else to do.
benchmark:
	$(PYTHON) benchmarks/run.py
