"""Fixtures of the SDK, for every test in this folder."""

from q2_sdk.tools.testing import clean_environment
from q2_sdk.tools.testing.conftest import *  # noqa: F403, RUF100 - as the SDK wants it

clean_environment.clean()
