"""``configuration/settings.py`` in the shapes that real workspaces have, as the platform and both commands load it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from command import q2mfa, q2mfa_process
from tornado.web import Application

from q2mfa_cli.platform.configuration import workspace_settings

pytestmark = pytest.mark.usefixtures("fake_sdk")

STAR = "from q2_sdk.core.default_settings import *\n"

# Shapes seen in public workspaces.
SHAPES = {
    "pylint comment": "# Settings\nfrom q2_sdk.core.default_settings import *  # pylint: disable=W0401,W0614\n",
    "empty list": STAR + "INSTALLED_EXTENSIONS = []\n",
    "list with a comment only": STAR + 'INSTALLED_EXTENSIONS = [\n    # "your_extension_here"\n]\n',
    "one line": STAR + "INSTALLED_EXTENSIONS = ['A', 'B']\n",
    "double quotes": STAR + 'INSTALLED_EXTENSIONS = ["A", "B"]\n',
    "tuples": STAR + "INSTALLED_EXTENSIONS = ['A', ('b', 'path.to.b')]\n",
    "commented example": STAR
    + "# INSTALLED_EXTENSIONS = [\n#     'Example',\n# ]\nINSTALLED_EXTENSIONS = ['A']\n",
    "windows line endings": (STAR + "INSTALLED_EXTENSIONS = ['A']\n").replace("\n", "\r\n"),
    "environment": STAR + "HQ_URL = os.environ.get('HQ_URL', '')\n",
    "extended whitelist": STAR + "OUTBOUND_WHITELIST.extend(['localhost'])\n",
    "assigned whitelist": STAR + "OUTBOUND_WHITELIST = ['localhost']\nDANGEROUS_WHITELIST = []\n",
    "tenants and cores": STAR + "MULTITENANT = True\nCUSTOM_CORES = ['A']\nCORE = None\nCOMPANY = 'Bank'\n",
    "customer": STAR
    + "IS_CUSTOMER_CREATED = True\nVAULT_SCOPED_READ = True\nASSET_URL_OVERRIDE = 'https://x'\n",
    "cache": STAR + "CACHE = {**CACHE, 'ENCRYPTION_KEY': 'x'}\n",
    "logging filters": (
        "from q2_sdk.core.q2_logging.filters import StringSecretsFilter\n"
        + STAR
        + "GLOBAL_LOGGING_FILTERS.append(StringSecretsFilter(keys=['ssn']))\n"
    ),
    "other defaults": STAR + "print(LOGGING_CONF, USE_SCSS, HQ_URL, DEBUG)\n",
}
INSTALLED: dict[str, list[object]] = {
    "one line": ["A", "B"],
    "double quotes": ["A", "B"],
    "tuples": ["A", ("b", "path.to.b")],
    "commented example": ["A"],
    "windows line endings": ["A"],
}
ALLOWED_HOSTS = {"extended whitelist": ["localhost"], "assigned whitelist": ["localhost"]}


@pytest.fixture
def configuration(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The ``configuration`` folder of a workspace that can be imported."""
    monkeypatch.syspath_prepend(str(workspace))
    yield workspace / "configuration"
    for name in [name for name in sys.modules if name.partition(".")[0] == "configuration"]:
        del sys.modules[name]


@pytest.mark.parametrize("with_package", [True, False], ids=["package", "no __init__.py"])
@pytest.mark.parametrize("shape", SHAPES)
def test_settings_of_each_shape_can_be_loaded(shape: str, with_package: bool, configuration: Path) -> None:
    (configuration / "settings.py").write_bytes(SHAPES[shape].encode())
    if not with_package:
        (configuration / "__init__.py").unlink()
    settings = workspace_settings()
    assert settings is not None
    assert INSTALLED.get(shape, []) == settings.INSTALLED_EXTENSIONS
    assert ALLOWED_HOSTS.get(shape, []) == settings.OUTBOUND_WHITELIST


def test_settings_outside_of_a_workspace_are_the_defaults() -> None:
    from q2_sdk.context import settings

    assert settings().OUTBOUND_WHITELIST == []


def test_global_and_handler_filters_remove_values_from_the_log(
    configuration: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
    from q2_sdk.tools.testing.models import RequestMock

    class Handler(Q2TectonClientRequestHandler):
        LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=["code", "Authorization", "number"])]

    (configuration / "settings.py").write_text(SHAPES["logging filters"])
    logger = Handler(Application(), RequestMock(), logging_level="DEBUG").logger
    caplog.set_level("DEBUG", logger.name)
    logger.debug("%s", {"code": "it's", "Authorization": b"Basic x", "number": 7, "kept": "a"})
    logger.debug('{"code": "a \\" quote", "ssn":"1-2", "number": 8}')
    logger.debug("<code a='b'>x</code><kept>y</kept>")
    logger.debug("%s", "code=x")
    assert [record.getMessage() for record in caplog.records] == [
        "{'code': *****, 'Authorization': *****, 'number': *****, 'kept': 'a'}",
        '{"code": *****, "ssn":*****, "number": *****}',
        "<code a='b'>*****</code><kept>y</kept>",
        "code=x",  # a form as text: only XML, JSON and dicts are understood
    ]


COMMANDS = [(("test", "Foo"), 1), (("preview", "Foo", "--check"), 3)]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "failed"), COMMANDS)
def test_command_loads_the_settings_as_the_platform_does(
    command: tuple[str, ...], failed: int, workspace: Path
) -> None:
    settings = workspace / "configuration" / "settings.py"
    shapes = ("logging filters", "environment", "cache", "tenants and cores", "extended whitelist")
    settings.write_text("".join(SHAPES[shape] for shape in shapes) + "INSTALLED_EXTENSIONS = []\n")
    assert q2mfa("create", "Foo", "--no-input", cwd=workspace).status == 0
    run = q2mfa_process(*command, cwd=workspace)
    assert run.status == 0, run
    settings.write_text(settings.read_text() + "HQ_URL = undefined_name\n")
    run = q2mfa_process(*command, cwd=workspace)
    assert run.status == failed
    assert "undefined_name" in run.out + run.err


@pytest.mark.slow
def test_settings_without_the_sdk_defaults_are_reported(workspace: Path) -> None:
    (workspace / "configuration" / "settings.py").write_text("INSTALLED_EXTENSIONS = []\n")
    assert q2mfa("create", "Foo", "--no-input", cwd=workspace).status == 0
    run = q2mfa_process("preview", "Foo", "--check", cwd=workspace)
    assert run.status == 3
    assert "configuration/settings.py lacks " in run.err
    assert "begin it with `from q2_sdk.core.default_settings import *`" in run.err
