"""The local stack says which model answers, and the function that it starts agrees."""

from __future__ import annotations

import os

import pytest

from function.settings import InvalidSettingsError, Settings
from function.tools.local.stack import EMULATOR_KEY, OUTPUT_BUCKET, ModelAccess

TRUE = ("true", "True", "TRUE", "t", "T", "1", "yes", "y", "Y", "on", "ON")
FALSE = ("false", "False", "f", "F", "0", "no", "n", "N", "off", "")
SPELLINGS = [(word + blanks, word in TRUE) for word in (*TRUE, *FALSE) for blanks in ("", " ", "\t")]


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-project")


def function_settings() -> Settings:
    """What the function reads when the emulator's key is all that the stack adds."""
    return Settings.from_environment({**os.environ, "OUTPUT_BUCKET": OUTPUT_BUCKET, "GEMINI_API_KEY": EMULATOR_KEY})


@pytest.mark.parametrize(("spelling", "vertex"), SPELLINGS)
def test_what_is_said_of_vertex_ai_is_what_the_function_does(monkeypatch, spelling, vertex):
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", spelling)
    access = ModelAccess.from_environment()
    assert access.real == function_settings().use_vertexai == vertex
    assert ("nothing is spent" in access.said) != vertex


@pytest.mark.parametrize(("key", "real"), [("k", True), (" ", False), ("", False)])
@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_a_blank_key_is_no_key(monkeypatch, name, key, real):
    monkeypatch.setenv(name, key)
    assert ModelAccess.from_environment().real == real


@pytest.mark.parametrize(
    ("name", "value"), [("GOOGLE_GENAI_USE_VERTEXAI", "maybe"), ("MAX_ATTEMPTS", "many"), ("EVENT_DEADLINE_S", "0")]
)
def test_what_the_function_would_refuse_is_refused_before_anything_starts(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettingsError, match=f"{name}={value!r}"):
        ModelAccess.from_environment()
