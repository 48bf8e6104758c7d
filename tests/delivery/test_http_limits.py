"""`composite_http` and `composite` under requests that are too large, too slow, or no requests at all."""

from __future__ import annotations

import http.client
import json
import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.delivery.test_http_api import post_form
from tests.support import PATIENCE_S, log_lines, product_png, scene_png
from tests.support import http as ask
from tests.tiers import exhaustive

LIMIT = 32 * 2**20
BODY_TIMEOUT_S = 3.0
THREADS = 8  # of the server


@pytest.fixture(scope="module")
def hasty(session_http_server, gcs, gcs_client_session, gemini_session, folder):
    """`composite_http` that waits for a body for a short time only."""
    from tests.support import Cloud

    place = Cloud(gcs, gcs_client_session, gemini_session, folder, prefix="shared/")
    with place.server(target="composite_http", BODY_TIMEOUT_S=str(BODY_TIMEOUT_S)) as process:
        yield process


def head(server, *lines: str, method: str = "POST", path: str = "/") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Content-Type: application/json", *lines)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)


def response_of(connection: socket.socket) -> tuple[int, dict]:
    """Status and JSON of the response on a connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def send_until_answered(connection: socket.socket, pieces) -> None:
    """Send on until the server has had enough."""
    try:
        for piece in pieces:
            connection.sendall(piece)
    except OSError:
        pass


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_is_too_large_by_its_own_word_is_refused_before_any_of_it_is_sent(session_http_server, method):
    with connect(session_http_server) as connection:
        connection.sendall(head(session_http_server, f"Content-Length: {LIMIT + 1}", method=method))
        status, body = response_of(connection)
    expected = (413, "request_too_large") if method == "POST" else (405, "method_not_allowed")
    assert (status, body["error"]["code"]) == expected


def test_a_caller_who_sends_it_all_first_reads_the_response_too(session_http_server):
    response = ask(session_http_server.url, bytes(LIMIT + 2**20), {"Content-Type": "application/json"})
    assert (response.status, response.json()["error"]["code"]) == (413, "request_too_large")


def test_a_body_without_a_length_is_cut_at_the_limit(session_http_server):
    chunk = b"%x\r\n" % 2**20 + bytes(2**20) + b"\r\n"
    with connect(session_http_server) as connection, ThreadPoolExecutor(1) as sender:
        connection.sendall(head(session_http_server, "Transfer-Encoding: chunked"))
        sender.submit(send_until_answered, connection, (chunk for _ in range(1024)))  # 1 GiB, should it be read
        status, body = response_of(connection)
        connection.shutdown(socket.SHUT_RDWR)
    assert (status, body["error"]["code"]) == (413, "request_too_large")


def test_a_body_without_a_length_is_a_body(session_http_server):
    connection = http.client.HTTPConnection("127.0.0.1", session_http_server.port, timeout=PATIENCE_S)
    connection.request("POST", "/", iter([b'{"scene": ', b'"data:,"}']), {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert response.status == 400 and "product: is required" in json.loads(response.read())["error"]["message"]
    connection.close()


@pytest.mark.parametrize("chunks", exhaustive(36 * 2**20))
def test_a_body_in_chunks_of_one_byte_takes_no_minutes(session_http_server, chunks):
    many = b"1\r\nx\r\n" * 2**16
    with connect(session_http_server) as connection, ThreadPoolExecutor(1) as sender:
        connection.sendall(head(session_http_server, "Transfer-Encoding: chunked"))
        sender.submit(send_until_answered, connection, (many for _ in range(chunks // 2**16)))
        status, body = response_of(connection)
        connection.shutdown(socket.SHUT_RDWR)
    assert (status, body["error"]["message"]) == (413, "the request comes in too many chunks")


@contextmanager
def slow_callers(server, count: int):
    """So many connections on which a body trickles until the block is over."""
    done = threading.Event()
    stated, chunked = "Content-Length: 1000", "Transfer-Encoding: chunked"
    framings = [stated if number % 2 else chunked for number in range(count)]
    connections = [connect(server) for _ in framings]

    def trickle(connection, framing) -> None:
        connection.sendall(head(server, framing))
        while not done.wait(0.05):
            send_until_answered(connection, [b"1" if framing == stated else b"1\r\nx\r\n"])

    with ThreadPoolExecutor(count) as senders:
        senders.map(trickle, connections, framings)
        try:
            yield connections
        finally:
            done.set()
    for connection in connections:
        connection.close()


def test_slow_bodies_are_given_up(hasty):
    with slow_callers(hasty, THREADS - 1) as connections:
        responses = [response_of(connection) for connection in connections]
    told = [(status, body["error"]["code"]) for status, body in responses]
    assert told == [(408, "request_timeout")] * len(responses)


def test_bodies_that_are_slow_on_every_thread_keep_nobody_waiting_until_they_are_given_up(session_http_server):
    with slow_callers(session_http_server, THREADS) as connections:
        assert ask(session_http_server.url, b"{}", {"Content-Type": "application/json"}).status == 400
        ended, _, _ = select.select(connections, [], [], 0)
        assert {response_of(connection)[0] for connection in ended} == {408}
    assert 1 <= len(ended) <= THREADS // 2


def test_an_event_whose_body_does_not_come_is_to_come_again(own_cloud):
    resource = {"bucket": own_cloud.input, "name": "x.json", "generation": "1"}
    _, headers = own_cloud.event(resource)
    lines = [f"{name}: {value}" for name, value in headers.items() if name != "Content-Type"]
    with own_cloud.server(BODY_TIMEOUT_S="1") as server, connect(server) as connection:
        connection.sendall(head(server, *lines, "Content-Length: 1000") + b'{"bucket"')
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 503
        lines = log_lines(server)
    assert [line["severity"] for line in lines if "handed over" not in line["message"]] == ["WARNING"]


def test_a_body_that_breaks_off_costs_nothing(gemini, session_http_server):
    with connect(session_http_server) as connection:
        connection.sendall(head(session_http_server, "Content-Length: 1000") + b'{"scene": "data:,"}')
        connection.shutdown(socket.SHUT_WR)
        status, body = response_of(connection)
    assert (status, body["error"]["code"]) == (400, "request_incomplete")


def test_unknown_form_fields_are_named_in_a_short_error(gemini, session_http_server):
    fields = {f"{number}{'x' * 100_000}": "1" for number in range(50)} | {"colour": "red"}
    response = post_form(session_http_server, {"scene": scene_png()}, fields)
    assert response.status == 400 and len(response.body) < 4096
    assert "unknown field (known: product" in response.json()["error"]["message"]


def test_a_file_that_comes_twice_is_named(gemini, session_http_server):
    mark, part = "m" * 16, 'Content-Disposition: form-data; name="{}"; filename="x"\r\n\r\n'
    body = b""
    for name, content in (("product", product_png()), ("scene", scene_png()), ("scene", b"another")):
        body += f"--{mark}\r\n{part.format(name)}".encode() + content + b"\r\n"
    body += f"--{mark}--\r\n".encode()
    response = ask(session_http_server.url, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    assert response.status == 400 and response.json()["error"]["message"] == "scene is given twice"
    assert gemini.requests == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_are_allowed(session_http_server, method):
    response = ask(session_http_server.url, None, {}, method=method)
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_an_event_function_too_says_which_method_is_allowed(session_server):
    response = ask(session_server.url, None, {}, method="GET")
    assert (response.status, response.headers["Allow"]) == (405, "POST")


def test_what_is_not_there_is_404(gemini, session_http_server):
    response = ask(session_http_server.url + "/helth", b"{}", {"Content-Type": "application/json"})
    assert (response.status, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("target", ["composite", "composite_http"])
def test_health_is_answered_before_any_client_is_built(own_cloud, target):
    """Neither storage nor model can be reached, and nothing is imported for it."""
    nowhere = {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9"}
    with own_cloud.server(target=target, PYTHONVERBOSE="1", **nowhere) as server:
        response = ask(server.url + "/health", None, {}, method="GET")
        head_response = ask(server.url + "/health", None, {}, method="HEAD")
        imported = server.log_path.read_text(encoding="utf-8", errors="replace")
    assert (response.status, response.json()["status"]) == (200, "ok")
    assert (head_response.status, head_response.body) == (200, b"")
    assert "import 'flask'" in imported
    assert "import 'google.cloud.storage'" not in imported and "import 'google.genai'" not in imported


@pytest.mark.parametrize(("given", "taken"), [("order-17/a", True), ("x" * 129, False), ("two words", False)])
def test_each_response_carries_its_request_id(session_http_server, given, taken):
    response = ask(session_http_server.url, b"{}", {"Content-Type": "application/json", "X-Request-Id": given})
    stated = response.headers["X-Request-Id"]
    assert (stated == given) == taken and stated
    assert any(line.get("event_id") == stated for line in log_lines(session_http_server))


def test_an_error_has_no_sidecar_and_says_what_it_has_cost(gemini, session_http_server):
    gemini.control(faults=[{"kind": "text_only", "times": None}])
    body = {"scene": "data:,", "product": "data:,"}
    free = ask(session_http_server.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    paid = post_form(session_http_server, {"scene": scene_png(), "product": product_png()}, {"seed": "987123"})
    assert (free.headers["X-Composite-Status"], free.headers["X-Composite-Usd"]) == ("failed", "0.000000")
    assert paid.status == 502 and float(paid.headers["X-Composite-Usd"]) > 0
    for response in (free, paid):
        assert set(response.json()) == {"error"} and set(response.json()["error"]) == {"code", "message"}


def test_a_picture_says_what_it_has_cost(gemini, session_http_server):
    response = post_form(session_http_server, {"scene": scene_png(), "product": product_png()}, {"seed": "55114"})
    usd = response.json()["sidecar"]["cost"]["usd"]
    assert usd > 0 and response.headers["X-Composite-Usd"] == f"{usd:.6f}"
    assert response.headers["X-Composite-Status"] == response.json()["sidecar"]["status"]
