"""SIGTERM while a request over HTTP is in flight: it is answered when the model answers in time, and no further call is
begun that could not be answered any more."""

from __future__ import annotations

import json
import os
import signal

import pytest

from function.imaging.data_uri import encode_data_uri
from tests.delivery.test_exactly_once import in_background
from tests.held_model import held_model
from tests.support import http, log_lines, product_png, scene_png, wait_until
from tests.tiers import exhaustive


@pytest.mark.parametrize(("fault", "status"), [("IMAGE_OTHER", 503), *exhaustive((None, 200))])
def test_a_request_in_flight_is_answered_and_no_further_call_is_begun(own_cloud, gemini, fault, status):
    if fault:
        gemini.control(faults=[{"kind": fault, "times": None}])
    images = {"scene": scene_png(), "product": product_png()}
    body = {field: encode_data_uri(image, "image/png") for field, image in images.items()} | {"seed": 7, "attempts": 3}
    sent = json.dumps(body).encode(), {"Content-Type": "application/json"}
    with own_cloud.server(target="composite_http") as server, held_model(gemini, calls=1) as answer:
        thread, answers = in_background(http, server.url, *sent)
        wait_until(lambda: gemini.requests)
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: any("shutting down" in line["message"] for line in log_lines(server)))
        answer.set()
        thread.join()
    assert answers[0].status == status
    assert own_cloud.calls() == 1
