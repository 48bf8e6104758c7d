"""The client's own waiting, and credentials that cannot be had for the moment."""

from __future__ import annotations

import logging

import google.auth.credentials
import pytest
from google import genai
from google.auth.exceptions import RefreshError, TransportError
from google.genai import types

from function.deadline import Deadline
from function.errors import ModelUnansweredError, ModelUnavailableError
from function.generation.backoff import FIRST_BACKOFF_S, JITTER, MAX_BACKOFF_S, backoff_s
from function.generation.gemini.client import MAX_TRIES, GeminiClient
from function.generation.provider import Request

REQUEST = Request("gemini-2.5-flash-image", "an empty table", (), "1:1", None, 7)


class Token(google.auth.credentials.Credentials):
    """Credentials whose token cannot be fetched for the first `failures` times."""

    def __init__(self, failures, error):
        super().__init__()
        self.failures, self.error, self.asked = failures, error, 0

    def refresh(self, request):
        self.asked += 1
        if self.asked <= self.failures:
            raise self.error
        self.token = "t"


def client_with(credentials, url):
    client = GeminiClient(api_key=None, vertexai=True, project="p", location="global", api_version=None)
    client._client = genai.Client(
        vertexai=True, project="p", location="global", credentials=credentials,
        http_options=types.HttpOptions(base_url=url, api_version="v1beta1"),
    )  # fmt: skip
    return client


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("function.generation.gemini.client.backoff_s", lambda number: 0.01)


@pytest.mark.parametrize("error", [TransportError("no route to the token service"), RefreshError("503", {})])
def test_a_token_that_cannot_be_had_for_a_moment_is_asked_for_again(gemini, error):
    credentials = Token(2, error)
    assert client_with(credentials, gemini.url).generate(REQUEST, Deadline(60)).outcome == "image"
    assert credentials.asked == 3


def test_a_token_that_cannot_be_had_is_a_passing_fault_that_has_cost_nothing(gemini):
    credentials = Token(1000, TransportError("no route to the token service"))
    with pytest.raises(ModelUnavailableError, match=rf"no route to the token service \({MAX_TRIES} times\)") as caught:
        client_with(credentials, gemini.url).generate(REQUEST, Deadline(60))
    assert not isinstance(caught.value, ModelUnansweredError)
    assert gemini.requests == []


def test_each_call_that_is_put_off_is_a_line(gemini, caplog):
    """Of which the share of 429 among the calls is made."""
    caplog.set_level(logging.INFO, "function")
    gemini.control(faults=[{"kind": "429", "times": 2}])
    assert client_with(Token(0, None), gemini.url).generate(REQUEST, Deadline(60)).outcome == "image"
    put_off = [(record.model, record.status) for record in caplog.records if record.message == "model call put off"]
    assert put_off == [("gemini-2.5-flash-image", 429)] * 2


def test_two_that_were_refused_at_once_do_not_come_again_at_once():
    waits = {backoff_s(1) for _ in range(20)}
    assert len(waits) > 10 and min(waits) >= FIRST_BACKOFF_S and max(waits) <= FIRST_BACKOFF_S * (1 + JITTER)
    assert backoff_s(100) <= MAX_BACKOFF_S * (1 + JITTER)
