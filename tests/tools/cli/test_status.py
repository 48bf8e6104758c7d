"""`status`: counts what is settled and what is to come."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from function.tools.cli import status as status_module
from tests.fault_proxy import FaultProxy
from tests.support import product_png, scene_png, wait_until


@pytest.fixture
def settled(own_cloud):
    """A pair with a result, a failed one, one to come, and a catalogue of which a row is bad."""
    with own_cloud.server() as function:
        own_cloud.deliver_until_settled(function, own_cloud.put_pair("s/one.json"))
        assert own_cloud.deliver(function, own_cloud.put("s/bad.json", "{}")).status == 200
        resource = own_cloud.put("s/spring.csv", "product,scene\nproduct.png,scene.png\nproduct.png,\n")
        assert own_cloud.deliver(function, resource).status == 200
        yield function


def test_pairs_are_counted_by_status_with_what_they_cost(own_cloud, command, settled):
    done = command("status", f"gs://{own_cloud.output}/s", "--json")
    assert done.status == 0, done.err
    status = json.loads(done.out)
    sidecar = own_cloud.sidecar("s/one.json")
    assert status["settled"] == 2
    assert status[sidecar["status"]] >= 1 and status["failed"] >= 1
    assert status["waiting"] == 1 and not status["done"]  # the catalogue's one good row
    assert status["errors"]["manifest_invalid"] == 1
    assert status["spent_usd"] == pytest.approx(sidecar["cost"]["usd"]) and status["spent_usd"] > 0
    assert status["catalogues"] == {
        f"gs://{own_cloud.input}/s/spring.csv": {
            "status": "review",
            "rows_written": 1,
            "rows_refused": 1,
            "budget": None,
        }
    }
    words = command("status", f"gs://{own_cloud.output}/s").out
    assert f"failed: gs://{own_cloud.input}/s/bad.json (manifest_invalid)" in words
    assert "█" in words and "66%" in words
    for said in ("2 of 3 settled", "manifest_invalid 1", "spent       $0.", "1 row written, 1 refused", "to come"):
        assert said in words


def test_a_sidecar_without_the_listed_price_is_read(own_cloud, command, settled):
    blob = own_cloud.client.bucket(own_cloud.output).get_blob("s/one.json")
    usd = blob.metadata.pop("usd")
    keys = {name: blob.metadata[name] for name in ("status", "manifest", "manifest-generation")}
    body = blob.download_as_bytes()
    blob.delete()
    fresh = own_cloud.client.bucket(own_cloud.output).blob("s/one.json")
    fresh.metadata = keys
    fresh.upload_from_string(body)
    status = json.loads(command("status", f"gs://{own_cloud.output}/s/one", "--json").out)
    assert status["spent_usd"] == pytest.approx(float(usd))


def test_a_replaced_manifest_counts_as_to_come_again(own_cloud, command, settled):
    own_cloud.put_pair("s/one.json", placement="left")
    own_cloud.put("s/bad.json", "[]")
    status = json.loads(command("status", f"gs://{own_cloud.output}/s", "--json").out)
    assert (status["waiting"], status["settled"], status["failed"], status["failures"]) == (3, 0, 0, {})
    assert status["spent_usd"] > 0


def test_while_it_watches_it_says_how_fast_and_how_long(monkeypatch, capsys):
    moments = iter([0.0, 0.0, 120.0])
    monkeypatch.setattr(status_module, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    screen = status_module._Screen("gs://out", as_json=False, live=True)
    screen.show(status_module.Status(settled=10, waiting=90))
    screen.show(status_module.Status(settled=30, waiting=70))
    assert "30%  10.0 pairs a minute, about 7 min 0 s left" in capsys.readouterr().out


@pytest.mark.exhaustive
def test_watching_ends_when_everything_is_settled(own_cloud, command, settled):
    row = own_cloud.client.bucket(own_cloud.input).get_blob("s/spring/000001.json")
    with FaultProxy(own_cloud.gcs.url) as proxy, ThreadPoolExecutor(1) as pool:

        def deliver_once_it_has_counted():
            wait_until(lambda: proxy.requests.count(("list", f"{own_cloud.input}/")) > 1)
            own_cloud.deliver(settled, dict(row._properties))

        delivered = pool.submit(deliver_once_it_has_counted)
        target = f"gs://{own_cloud.output}/s"
        done = command("status", target, "--watch", "--json", STORAGE_EMULATOR_HOST=proxy.url)
        delivered.result()
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[0]["waiting"] == 1
    assert lines[-1]["done"] and lines[-1]["settled"] == 3


def test_before_anything_is_settled_the_input_bucket_must_be_said(own_cloud, command):
    own_cloud.put("s/pair.json", "{}")
    target = f"gs://{own_cloud.output}/s"
    assert "--input" in command("status", target).out
    assert "0 of 1 settled" in command("status", target, "--input", f"gs://{own_cloud.input}").out


@pytest.mark.parametrize("target", ["output/s", "gs://", "gs://no-such-bucket-here"])
def test_a_bad_address_is_an_error_in_words(command, target):
    done = command("status", target)
    assert done.status == 2 and done.err.startswith("error: ")


@pytest.mark.exhaustive
def test_what_is_spent_and_left_of_the_caps_is_said(own_cloud, command):
    own_cloud.put("scene.png", scene_png())
    own_cloud.put("product.png", product_png())
    catalogue = own_cloud.put("spring.csv", "product,scene,seed,budget_usd\nproduct.png,scene.png,7,2.5\n")
    with own_cloud.server(MAX_USD_PER_DAY="25") as server:
        assert own_cloud.deliver(server, catalogue).status == 200
        row = own_cloud.client.bucket(own_cloud.input).get_blob("spring/000001.json")
        assert own_cloud.deliver(server, dict(row._properties)).status == 200
        during = command("status", f"gs://{own_cloud.output}").out
    usd = own_cloud.sidecar("spring/000001.json")["cost"]["usd"]
    assert "of $25.00 spent, $0.1" in during and "set aside" in during
    after = command("status", f"gs://{own_cloud.output}").out
    assert f"${usd:,.2f} of $25.00 spent, ${25 - usd:,.2f} left" in after
    assert f"${usd:,.2f} of $2.50 spent, ${2.5 - usd:,.2f} left" in after
    page = own_cloud._folder / "review"
    assert command("review", f"gs://{own_cloud.output}", "--to", page).status == 0
    assert f"${usd:,.2f} of $25.00 spent" in (page / "index.html").read_text()
