"""Catalogues: every row becomes a pair manifest once, whatever happens on the way."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from function.deadline import Deadline
from function.delivery.catalogue import MAX_REFUSED_LISTED, process_catalogue
from function.delivery.cloud_event import Upload
from function.delivery.lease import acquire_lease
from function.delivery.row_writer import row_name
from function.errors import LeaseHeldError, StorageUnavailableError, TransientError
from function.manifest.parse import parse_manifest
from function.manifest.references import resolve
from function.service import Service
from function.settings import Settings
from tests.fault_proxy import FaultProxy
from tests.support import PATIENCE_S, log_lines

HEADER = "product,scene,labels.sku\n"


def csv_of(count: int, header: str = HEADER) -> str:
    """A catalogue of `count` good rows."""
    return header + "".join(f"p{number}.png,s.png,SKU-{number}\n" for number in range(1, count + 1))


@pytest.fixture
def services(own_cloud, monkeypatch):
    """The function's clients in this process, on the emulators."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", own_cloud.gcs.url)
    return Service(Settings.from_environment(own_cloud.environment())).services()


@pytest.fixture
def proxied(own_cloud, monkeypatch):
    """The same with a proxy before the storage emulator, for faults → (services, proxy)."""
    with FaultProxy(own_cloud.gcs.url) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        yield Service(Settings.from_environment(own_cloud.environment())).services(), proxy


def upload_of(resource, age_s: float = 0.0) -> Upload:
    """The event's own view of an upload."""
    time = datetime.now(UTC) - timedelta(seconds=age_s)
    return Upload("event", resource["bucket"], resource["name"], int(resource["generation"]), time)


def process(services, resource, *, deadline_s: float = 60, age_s: float = 0.0) -> None:
    """One delivery."""
    process_catalogue(upload_of(resource, age_s), services, Deadline(deadline_s))


def rows_of(cloud, prefix: str = "a/spring/"):
    """The row manifests that stand, by number."""
    blobs = cloud.client.list_blobs(cloud.input, prefix=prefix)
    return {int(blob.name[len(prefix) : -len(".json")]): blob for blob in blobs}


def test_every_row_becomes_a_manifest_and_the_sidecar_counts_them(own_cloud, services):
    resource = own_cloud.put("a/spring.csv", "\ufeff" + csv_of(3).replace(",", ";").replace("\n", "\r\n"))
    process(services, resource)
    rows = rows_of(own_cloud)
    assert sorted(rows) == [1, 2, 3]
    assert rows[2].name == row_name("a/spring.csv", 2) == "a/spring/000002.json"
    assert rows[2].metadata == {
        "catalogue": f"gs://{own_cloud.input}/a/spring.csv",
        "catalogue-generation": str(resource["generation"]),
    }
    sidecar = own_cloud.sidecar("a/spring.csv.json")
    assert (sidecar["status"], sidecar["rows_written"], sidecar["rows_refused"]) == ("accepted", 3, 0)
    assert sidecar["catalogue"]["generation"] == int(resource["generation"])
    assert sidecar["manifests"] == f"gs://{own_cloud.input}/a/spring/"
    assert own_cloud.metadata("a/spring.csv.json")["status"] == "accepted"


@pytest.mark.parametrize(
    "catalogue", ["spring.csv", "a/spring.csv", "a b/ü%20#?/spring.v2.csv", "a/../b/x.csv", "a//x.csv"]
)
def test_relative_names_stay_relative_to_the_catalogues_folder(own_cloud, services, catalogue):
    references = ["s.png", "deep/er/s.png", "./s.png", "/root/s.png", "deep/../s.png", "s,1.png", "a:b.png", "ftp:c"]
    content = "product,scene\n" + "".join(f'"{name}",gs://{own_cloud.input}/x.png\n' for name in references)
    process(services, own_cloud.put(catalogue, content))
    stem = catalogue.removesuffix(".csv")
    rows = rows_of(own_cloud, f"{stem}/")
    assert sorted(rows) == [1, 2, 3, 4, 5, 6, 7]  # the last one names a scheme that is not read
    options = {"allowed_buckets": {own_cloud.input}, "bucket": own_cloud.input}
    for number, blob in rows.items():
        manifest = parse_manifest(blob.download_as_bytes(), services.settings)
        meant = resolve(references[number - 1], "product", folder=catalogue.rpartition("/")[0], **options)
        assert resolve(manifest.product, "product", folder=stem, **options) == meant
        assert manifest.scene == f"gs://{own_cloud.input}/x.png"


def test_a_name_that_leaves_the_bucket_is_refused_by_row(own_cloud, services):
    process(services, own_cloud.put("a/spring.csv", "product,scene\n../../p.png,s.png\n../p.png,s.png\n"))
    assert sorted(rows_of(own_cloud)) == [2]
    assert "leads out of the bucket" in own_cloud.sidecar("a/spring.csv.json")["refused"][0]["reason"]


def test_bad_rows_are_named_by_number_line_and_reason_and_stop_no_other(own_cloud, services):
    lines = [
        '{"product": "p.png", "scene": "s.png"}',
        "",
        '["p.png", "s.png"]',
        '{"product": "p.png", "scene": "s.png", "colour": "red"}',
        '{"product": "p.png", "scene": "gs://somebody-elses/s.png"}',
        '{"product": "\\ud800", "scene": "s.png"}',
        '{"product": "p.png", "scene": {"prompt": "a beach"}, "attempts": 99}',
        '{"product": "p.png", "scene": {"prompt": "a beach"}, "attempts": 2}',
    ]
    process(services, own_cloud.put("a/spring.jsonl", "\n".join(lines)))
    assert sorted(rows_of(own_cloud)) == [1, 7]
    sidecar = own_cloud.sidecar("a/spring.jsonl.json")
    assert (sidecar["status"], sidecar["rows_written"], sidecar["rows_refused"]) == ("review", 2, 5)
    assert [(row["row"], row["line"]) for row in sidecar["refused"]] == [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]
    reasons = [row["reason"] for row in sidecar["refused"]]
    for reason, said in zip(reasons, ["a list", "colour", "ALLOWED_BUCKETS", "product", "attempts"], strict=True):
        assert said in reason


def named_rows(*skus: str) -> str:
    rows = "".join(f"{sku}.png,s.png,{sku},{{labels.sku}}\n" for sku in skus)
    return "product,scene,labels.sku,name\n" + rows


def test_an_inserted_row_of_a_named_catalogue_moves_nothing(own_cloud, services):
    process(services, own_cloud.put("a/spring.csv", named_rows("cup", "pot", "jar")))
    before = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input, prefix="a/spring/")}
    assert sorted(before) == ["a/spring/cup.json", "a/spring/jar.json", "a/spring/pot.json"]
    process(services, own_cloud.put("a/spring.csv", named_rows("cup", "new", "pot", "jar")))
    after = {blob.name: blob.generation for blob in own_cloud.client.list_blobs(own_cloud.input, prefix="a/spring/")}
    assert set(after) - set(before) == {"a/spring/new.json"}
    assert {name: after[name] for name in before} == before  # no new generation, hence no event and no picture


def test_names_that_two_rows_have_are_refused_by_row(own_cloud, services):
    lines = [
        "product,scene,name",
        "p.png,s.png,cup",
        "p.png,s.png,Cup",
        "p.png,s.png,000004",
        "p.png,s.png,",
        "p,s,a/b",
    ]
    process(services, own_cloud.put("a/spring.csv", "\n".join(lines)))
    written = [blob.name for blob in own_cloud.client.list_blobs(own_cloud.input, prefix="a/spring/")]
    assert written == ["a/spring/000004.json", "a/spring/cup.json"]
    refused = {one["row"]: one["reason"] for one in own_cloud.sidecar("a/spring.csv.json")["refused"]}
    assert set(refused) == {2, 4, 5}
    assert "row 1 has this name too" in refused[2] and "row 3 has this name too" in refused[4] and "'/'" in refused[5]


@pytest.mark.parametrize("content", [b"", b"product,scene\n", "product,scene\né,s\n".encode("cp1252"), b"a,b\nc,d\n"])
def test_a_catalogue_that_cannot_be_used_is_a_recorded_failure(own_cloud, services, content):
    process(services, own_cloud.put("a/spring.csv", content))
    sidecar = own_cloud.sidecar("a/spring.csv.json")
    assert (sidecar["status"], sidecar["rows_written"]) == ("failed", 0)
    assert sidecar["error"]["code"] == "manifest_invalid"
    assert not rows_of(own_cloud)


@pytest.mark.parametrize("name", [".csv", "a/.csv", "x" * 1015 + ".csv"])
def test_a_name_that_rows_cannot_be_named_after_is_a_recorded_failure(own_cloud, services, name):
    process(services, own_cloud.put(name, csv_of(1)))
    assert own_cloud.sidecar(f"{name}.json")["error"]["code"] == "manifest_invalid"


def test_every_row_bad_is_a_failure_that_quotes_the_first(own_cloud, services):
    process(services, own_cloud.put("a/spring.csv", "product,scene,seed\np,s,x\np,s,y\n"))
    sidecar = own_cloud.sidecar("a/spring.csv.json")
    assert (sidecar["status"], sidecar["rows_refused"]) == ("failed", 2)
    assert "row 1: seed: 'x'" in sidecar["error"]["message"]


def test_more_refusals_than_are_listed_are_all_counted(own_cloud, services):
    bad = "\n".join(["[]"] * (MAX_REFUSED_LISTED + 7) + ['{"product": "p", "scene": "s"}'])
    process(services, own_cloud.put("a/spring.jsonl", bad))
    sidecar = own_cloud.sidecar("a/spring.jsonl.json")
    assert sidecar["rows_refused"] == MAX_REFUSED_LISTED + 7
    assert len(sidecar["refused"]) == MAX_REFUSED_LISTED


def test_a_delivery_after_the_sidecar_changes_nothing(own_cloud, services):
    resource = own_cloud.put("a/spring.csv", csv_of(3))
    process(services, resource)
    before = {number: blob.generation for number, blob in rows_of(own_cloud).items()}
    process(services, resource)
    assert {number: blob.generation for number, blob in rows_of(own_cloud).items()} == before


def test_many_deliveries_at_once_write_every_row_once(own_cloud, services):
    resource = own_cloud.put("a/spring.csv", csv_of(300))
    start, outcomes = threading.Barrier(6), []

    def deliver() -> None:
        start.wait()
        try:
            process(services, resource)
            outcomes.append("settled")
        except LeaseHeldError:
            outcomes.append("again")

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6 and "settled" in outcomes
    assert own_cloud.sidecar("a/spring.csv.json")["rows_written"] == 300
    generations = [blob.metageneration for blob in rows_of(own_cloud).values()]
    assert generations == [1] * 300


def test_a_delivery_that_is_cut_off_is_taken_up_where_it_stopped(own_cloud, proxied):
    services, proxy = proxied
    resource = own_cloud.put("a/spring.csv", csv_of(600))
    # The first delivery is cut off on the fastest machine too.
    proxy.add("503", "insert", f"{own_cloud.input}/a/spring/000600.json", times=None)
    deadline_s, deliveries, stands = 1.0, 0, {}
    while "a/spring.csv.json" not in own_cloud.names():
        try:
            process(services, resource, deadline_s=deadline_s)
        except TransientError:
            deadline_s += 1.0
            proxy.clear()
        deliveries += 1
        now = {number: blob.generation for number, blob in rows_of(own_cloud).items()}
        assert now.items() >= stands.items(), "a row was written twice"
        stands = now
        assert deliveries < 30
    assert deliveries > 1, "it was never cut off"
    assert sorted(stands) == list(range(1, 601))
    assert own_cloud.sidecar("a/spring.csv.json")["rows_written"] == 600


def test_a_reuploaded_catalogue_replaces_only_the_rows_it_changes(own_cloud, services):
    process(services, own_cloud.put("a/spring.csv", csv_of(4)))
    before = rows_of(own_cloud)
    # Columns in another order and a fifth row: rows 1, 3 and 4 say the same as before.
    changed = "scene,product,labels.sku\n" + "".join(
        f"s.png,p{number}.png,SKU-{number}{'-new' if number == 2 else ''}\n" for number in range(1, 6)
    )
    resource = own_cloud.put("a/spring.csv", changed)
    process(services, resource)
    after = rows_of(own_cloud)
    assert {number for number in before if before[number].generation == after[number].generation} == {1, 3, 4}
    assert json.loads(after[2].download_as_bytes())["labels"] == {"sku": "SKU-2-new"}
    assert after[2].metadata["catalogue-generation"] == str(resource["generation"])
    assert own_cloud.sidecar("a/spring.csv.json")["rows_written"] == 5


def test_a_late_event_of_an_older_catalogue_writes_nothing(own_cloud, services):
    first = own_cloud.put("a/spring.csv", csv_of(2))
    second = own_cloud.put("a/spring.csv", csv_of(1))
    process(services, second)
    process(services, first)
    assert sorted(rows_of(own_cloud)) == [1]
    assert own_cloud.sidecar("a/spring.csv.json")["catalogue"]["generation"] == int(second["generation"])


def test_an_older_delivery_stops_when_a_newer_catalogue_takes_over(own_cloud, proxied):
    """The newer generation claims the catalogue while the older run reads it."""
    services, proxy = proxied
    first = own_cloud.put("a/spring.csv", csv_of(2000))
    reading = proxy.add("pause", "get", f"{own_cloud.input}/a/spring.csv")
    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(process, services, first)
        assert reading.held.wait(PATIENCE_S), "it was never read"
        second = upload_of(own_cloud.put("a/spring.csv", csv_of(1)))
        # The claim alone, as if its process had gone no further yet.
        acquire_lease(services.storage, own_cloud.output, second, Deadline(60))
        reading.released.set()
        older.result()
    assert not rows_of(own_cloud)
    assert own_cloud.names() == []


def test_a_file_that_is_not_the_catalogues_is_never_overwritten(own_cloud, services):
    mine = own_cloud.put("a/spring/000002.json", '{"product": "mine.png", "scene": "mine.png"}')
    process(services, own_cloud.put("a/spring.csv", csv_of(3)))
    assert rows_of(own_cloud)[2].generation == int(mine["generation"])
    sidecar = own_cloud.sidecar("a/spring.csv.json")
    assert (sidecar["status"], sidecar["rows_written"], sidecar["refused"][0]["row"]) == ("review", 2, 2)
    assert "not written by this catalogue" in sidecar["refused"][0]["reason"]
    # Nor is another catalogue's, whose name differs in its ending only.
    process(services, own_cloud.put("a/spring.jsonl", '{"product": "other.png", "scene": "s.png"}\n'))
    assert own_cloud.sidecar("a/spring.jsonl.json")["status"] == "failed"
    assert b"p1.png" in rows_of(own_cloud)[1].download_as_bytes()


def test_a_sidecar_place_taken_by_something_else_is_left_alone_and_told(own_cloud, services):
    own_cloud.put("a/spring.csv.json", "mine", bucket=own_cloud.output)
    process(services, own_cloud.put("a/spring.csv", csv_of(2)))
    assert own_cloud.get("a/spring.csv.json") == b"mine"
    assert own_cloud.sidecar("a/spring.csv.conflict.json")["error"]["code"] == "output_conflict"
    assert not rows_of(own_cloud)


def test_a_sidecar_whose_metadata_was_rewritten_still_counts(own_cloud, services):
    resource = own_cloud.put("a/spring.csv", csv_of(2))
    process(services, resource)
    blob = own_cloud.client.bucket(own_cloud.output).get_blob("a/spring.csv.json")
    body = blob.download_as_bytes()
    blob.delete()
    own_cloud.put("a/spring.csv.json", body, bucket=own_cloud.output)  # as a copy that drops metadata does
    process(services, resource)
    assert "a/spring.csv.conflict.json" not in own_cloud.names()


@pytest.mark.parametrize("where", ["a/spring.csv.json", "_work/claims/*"])
def test_an_output_bucket_that_may_not_be_used_comes_again_and_says_so(own_cloud, proxied, caplog, where):
    """A permission is mended by a person, and then the catalogue is settled: it is no mistake of this program."""
    services, proxy = proxied
    resource = own_cloud.put("a/spring.csv", csv_of(2))
    fault = proxy.add("403", "*", f"{own_cloud.output}/{where}")
    with pytest.raises(StorageUnavailableError, match="cannot be used"):
        process(services, resource)
    assert fault.fired and not any(record.exc_info for record in caplog.records)
    process(services, resource)
    assert own_cloud.sidecar("a/spring.csv.json")["status"] == "accepted"


def test_a_permission_that_is_lost_on_the_way_is_no_mistake_of_this_program(own_cloud, proxied, caplog):
    services, proxy = proxied
    resource = own_cloud.put("a/spring.csv", csv_of(2))
    fault = proxy.add("403", "insert", f"{own_cloud.output}/a/spring.csv.json")
    with pytest.raises(StorageUnavailableError, match="cannot be used"):
        process(services, resource)
    assert fault.fired and not any(record.exc_info for record in caplog.records)
    process(services, resource)  # at once: the lease was released
    assert own_cloud.sidecar("a/spring.csv.json")["status"] == "accepted"


def test_a_fault_is_passed_on_until_it_has_been_waited_for_long_enough(own_cloud, proxied):
    services, proxy = proxied
    resource = own_cloud.put("a/spring.csv", csv_of(3))
    fault = proxy.add("503", "list", f"{own_cloud.input}/*", times=None)
    for _ in range(2):
        with pytest.raises(TransientError):
            process(services, resource, deadline_s=2, age_s=3 * services.settings.event_max_age_s)
    assert fault.fired and own_cloud.names() == []
    own_cloud.backdate_first_delivery(resource, services.settings.event_max_age_s)
    process(services, resource, deadline_s=2)
    error = own_cloud.sidecar("a/spring.csv.json")["error"]
    assert error["retryable"] is True


def test_rows_that_fail_to_be_written_are_written_by_the_next_delivery(own_cloud, proxied):
    services, proxy = proxied
    resource = own_cloud.put("a/spring.csv", csv_of(40))
    fault = proxy.add("503", "insert", f"{own_cloud.input}/*", times=None, chance=0.5)
    for _ in range(20):
        try:
            process(services, resource, deadline_s=3)
            break
        except TransientError:
            continue
    assert fault.fired
    assert own_cloud.sidecar("a/spring.csv.json")["rows_written"] == 40
    assert sorted(rows_of(own_cloud)) == list(range(1, 41))


def test_an_identity_that_may_only_create_refuses_changed_rows_and_says_so(own_cloud, proxied):
    services, proxy = proxied
    process(services, own_cloud.put("a/spring.csv", csv_of(3)))
    changed = own_cloud.put("a/spring.csv", csv_of(4).replace("SKU-2", "SKU-2b"))
    fault = proxy.add("403", "insert", f"{own_cloud.input}/a/spring/000002.json", times=None)  # the one to replace
    process(services, changed)
    sidecar = own_cloud.sidecar("a/spring.csv.json")
    assert fault.fired
    assert (sidecar["rows_written"], [row["row"] for row in sidecar["refused"]]) == (3, [2])
    assert "storage.objects.delete" in sidecar["refused"][0]["reason"]


def test_a_deleted_catalogue_is_nothing_to_do(own_cloud, services):
    resource = own_cloud.put("a/spring.csv", csv_of(2))
    own_cloud.client.bucket(own_cloud.input).delete_blob("a/spring.csv")
    process(services, resource)
    assert own_cloud.names() == [] and not rows_of(own_cloud)


def test_over_the_real_server_a_catalogue_settles_and_is_logged(cloud, server):
    resource = cloud.put("a/spring.csv", csv_of(12) + "p.png,,\n")
    assert cloud.deliver(server, resource).status == 200
    sidecar = cloud.sidecar("a/spring.csv.json")
    assert (sidecar["rows_written"], sidecar["rows_refused"]) == (12, 1)
    lines = log_lines(server, f"{cloud.input}/{resource['name']}")
    settled = [line for line in lines if line["message"] == "catalogue settled"]
    assert [(line["rows_written"], line["rows_refused"]) for line in settled] == [(12, 1)]
    assert settled[0]["generation"] == int(resource["generation"])
