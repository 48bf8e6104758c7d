"""The environment: every bad value is named, and a bad one stops the start."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from function.settings import InvalidSettingsError, Settings
from tests.support import PATIENCE_S

GOOD = {"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "k"}
ROOT = Path(__file__).parents[1]


def test_the_defaults_are_the_documented_ones():
    settings = Settings.from_environment(GOOD)
    assert settings.gemini_model == "gemini-2.5-flash-image"
    assert settings.model_chain == settings.manifest_models
    assert settings.model_chain == (
        "gemini-2.5-flash-image", "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image",
    )  # fmt: skip
    assert (settings.max_image_size, settings.thinking_level) == (None, "minimal")
    assert (settings.max_px, settings.max_attempts) == (768, 3)
    assert (settings.max_source_bytes, settings.max_source_pixels) == (50 * 2**20, 64_000_000)
    assert (settings.event_deadline_s, settings.event_max_age_s) == (300, 3600)
    assert settings.allowed_buckets == ()
    assert settings.source_formats == ("png", "jpeg", "webp", "avif", "heic", "tiff")


def test_lists_and_blanks_are_understood():
    settings = Settings.from_environment(
        GOOD
        | {"SOURCE_FORMATS": " PNG, jpeg ", "ALLOWED_BUCKETS": " one, two,, ", "MAX_PX": " 1024 ", "GEMINI_MODEL": ""}
    )
    assert settings.allowed_buckets == ("one", "two")
    assert settings.source_formats == ("png", "jpeg")
    assert settings.max_px == 1024
    assert settings.gemini_model == "gemini-2.5-flash-image"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SIGNING_KEY": "/no/such/key.pem"}, ["SIGNING_KEY", "is neither a file", "SIGNING_CERTIFICATE is not set"]),
        ({"SIGNING_KEY": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}, ["SIGNING_KEY", "key version"]),
        ({"TIMESTAMP_URL": "ftp://time.example"}, ["TIMESTAMP_URL"]),
        ({"SIGNING_KEY": "test", "SIGNING_CERTIFICATE": "c.pem"}, ["does not use it"]),
        ({"SIGNING_KEY": __file__, "SIGNING_CERTIFICATE": "/no"}, ["neither PEM nor a file"]),
        ({"OUTPUT_BUCKET": ""}, ["OUTPUT_BUCKET"]),
        ({"OUTPUT_BUCKET": "  "}, ["OUTPUT_BUCKET"]),
        ({"OUTPUT_BUCKET": "Not A Bucket"}, ["OUTPUT_BUCKET"]),
        ({"ALLOWED_BUCKETS": "gs://foo,Bad Bucket!"}, ["ALLOWED_BUCKETS"]),
        ({"ALLOWED_BUCKETS": "shared,results"}, ["ALLOWED_BUCKETS", "results would become sources"]),
        ({"MAX_PX": "255"}, ["MAX_PX", "256"]),
        ({"MAX_PX": "many"}, ["MAX_PX", "many"]),
        ({"MAX_ATTEMPTS": "0", "EVENT_DEADLINE_S": "-1"}, ["MAX_ATTEMPTS", "EVENT_DEADLINE_S"]),
        ({"SOURCE_FORMATS": "png,gif"}, ["SOURCE_FORMATS", "gif"]),
        ({"SOURCE_FORMATS": " , "}, ["SOURCE_FORMATS"]),
        ({"GEMINI_API_KEY": ""}, ["GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"]),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "true"}, ["GOOGLE_CLOUD_PROJECT"]),
        ({"GEMINI_FALLBACK_MODEL": "good, not good"}, ["GEMINI_FALLBACK_MODEL"]),
        (
            {"ALLOWED_PREFIXES": "team-a/,team-b/../team-a/"},
            ["ALLOWED_PREFIXES", "'team-b/../team-a/' is not a folder"],
        ),
        ({"ALLOWED_PREFIXES": "a=gs://other/a"}, ["ALLOWED_PREFIXES", "other", "ALLOWED_BUCKETS"]),
        ({"MAX_IMAGE_SIZE": "3K", "THINKING_LEVEL": "deep"}, ["MAX_IMAGE_SIZE", "THINKING_LEVEL"]),
        ({"OUTPUT_BUCKET": "", "MAX_PX": "1", "GEMINI_API_KEY": ""}, ["OUTPUT_BUCKET", "MAX_PX", "GEMINI_API_KEY"]),
    ],
)
def test_every_bad_value_is_named_in_one_message(changes, named):
    with pytest.raises(InvalidSettingsError) as caught:
        Settings.from_environment(GOOD | changes)
    assert all(name in str(caught.value) for name in named)


@pytest.mark.parametrize("blanks", ["", " "])
@pytest.mark.parametrize("word", ["true", "True", "TRUE", "t", "T", "1", "yes", "y", "Y", "on", "ON"])
def test_vertex_ai_is_asked_for_in_every_spelling_of_true_and_needs_no_key(word, blanks):
    stated = {"OUTPUT_BUCKET": "results", "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_GENAI_USE_VERTEXAI": word + blanks}
    assert Settings.from_environment(stated).use_vertexai


@pytest.mark.parametrize("blanks", ["", " "])
@pytest.mark.parametrize("word", ["false", "False", "f", "F", "0", "no", "n", "N", "off", ""])
def test_every_spelling_of_false_needs_a_key(word, blanks):
    stated = {"GOOGLE_GENAI_USE_VERTEXAI": word + blanks}
    assert not Settings.from_environment(GOOD | stated).use_vertexai
    with pytest.raises(InvalidSettingsError, match="GEMINI_API_KEY"):
        Settings.from_environment({"OUTPUT_BUCKET": "results"} | stated)


@pytest.mark.parametrize("word", ["2", "maybe", "tru", "yes!"])
def test_a_word_that_is_neither_true_nor_false_is_the_only_problem(word):
    with pytest.raises(InvalidSettingsError) as caught:
        Settings.from_environment({"OUTPUT_BUCKET": "results", "GOOGLE_GENAI_USE_VERTEXAI": word})
    assert f"GOOGLE_GENAI_USE_VERTEXAI={word!r}" in str(caught.value) and "GEMINI_API_KEY" not in str(caught.value)


def test_the_key_is_in_no_representation():
    assert "s3cret" not in repr(Settings.from_environment(GOOD | {"GEMINI_API_KEY": "s3cret"}))


def test_a_small_max_px_is_allowed_with_a_warning():
    assert "MAX_PX" in Settings.from_environment(GOOD | {"MAX_PX": "300"}).warnings(date(2026, 11, 27))[0]


def test_a_chain_is_asked_in_its_order_and_each_model_once():
    stated = {"GEMINI_MODEL": "b", "GEMINI_FALLBACK_MODEL": "a, b,c"}
    assert Settings.from_environment(GOOD | stated).model_chain == ("b", "a", "c")
    alone = Settings.from_environment(GOOD | {"GEMINI_MODEL": "b", "GEMINI_FALLBACK_MODEL": "b"})
    assert alone.model_chain == ("b",)


VERTEX = {"OUTPUT_BUCKET": "results", "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_GENAI_USE_VERTEXAI": "true"}


def test_a_model_that_the_location_does_not_serve_is_warned_of():
    settings = Settings.from_environment(VERTEX | {"GOOGLE_CLOUD_LOCATION": "europe-west4"})
    (warning,) = settings.warnings(date(2026, 11, 27))
    assert "gemini-nano-banana-2.1" in warning and "europe-west4" in warning and "global" in warning
    assert Settings.from_environment(VERTEX).warnings(date(2026, 11, 27)) == []


def test_a_location_that_serves_no_model_of_the_chain_stops_the_start():
    only = {"GEMINI_MODEL": "gemini-nano-banana-2.1", "GEMINI_FALLBACK_MODEL": "gemini-nano-banana-2.1"}
    with pytest.raises(InvalidSettingsError, match=r"europe-west4.*gemini-nano-banana-2.1.*global"):
        Settings.from_environment(VERTEX | only | {"GOOGLE_CLOUD_LOCATION": "europe-west4"})


def test_a_model_that_retires_soon_is_warned_of():
    settings = Settings.from_environment(GOOD | {"JUDGE_MODEL": "gemini-2.5-pro"})
    said = " ".join(settings.warnings(date(2026, 11, 27)))
    assert "gemini-2.5-pro will be shut down on 2026-12-01; gemini-3.8-flash answers in its place" in said
    assert "gemini-2.5-flash-image will be shut down" in " ".join(settings.warnings(date(2027, 1, 20)))


def test_a_bad_environment_stops_the_server_with_one_message():
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GEMINI", "GOOGLE"))}
    environment |= {"OUTPUT_BUCKET": "", "MAX_PX": "9", "GEMINI_API_KEY": "k", "PORT": "0"}
    command = [sys.executable, "-m", "functions_framework", "--source", "main.py", "--target", "composite",
               "--signature-type", "cloudevent", "--port", "0"]  # fmt: skip
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ran.returncode != 0
    assert "OUTPUT_BUCKET is not set" in ran.stderr and "MAX_PX='9'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_nothing_can_be_signed_without_the_library(monkeypatch):
    environment = {"OUTPUT_BUCKET": "results", "GEMINI_API_KEY": "k", "SIGNING_KEY": "test"}
    assert Settings.from_environment(environment).signing_key == "test"
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(InvalidSettingsError, match="c2pa-python, which signs, is not installed"):
        Settings.from_environment(environment)
    assert Settings.from_environment({**environment, "SIGNING_KEY": "none"}).signing_key is None
