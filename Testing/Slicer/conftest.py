"""One stand-in application for the whole run; every test starts with a fresh scene and ends without leftovers."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def application():
    from slicer_standin.application import start

    running = start()
    yield running
    running.stop()


@pytest.fixture
def standin(application):
    application.reset()
    yield application
    application.reset()


@pytest.fixture
def panel(standin):
    widget = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    yield widget
    standin.close_module(widget)
