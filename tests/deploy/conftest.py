"""Tests that run exported code need a C compiler; where CI is set a missing one is a failure."""

import os

import pytest

from tinylib.deploy import host


@pytest.fixture(scope="session")
def cc():
    """Path of the C compiler."""
    try:
        return host.compiler()
    except host.MissingTool as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
