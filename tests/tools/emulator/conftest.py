"""One emulator per module, without faults at the start of each test."""

from __future__ import annotations

import pytest

from function.tools.emulator.server import GeminiEmulator


@pytest.fixture(scope="module")
def running():
    with GeminiEmulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running):
    running.control(reset=True)
    return running
