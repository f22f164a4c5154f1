"""No test asserts a time: hypothesis must not either. And what every test of the gradebook shares."""

import functools

import pytest
from hypothesis import settings

settings.register_profile("course", deadline=None)
settings.load_profile("course")


@pytest.fixture(scope="session")
def tables_asked_once():
    """For each new gradebook nbgrader asks a new process for the newest form of its tables: here one does."""
    from nbgrader import api

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", functools.cache(api.get_alembic_version))
        yield
