"""`calibrate`: what people decided, beside what the function had said of the same pictures."""

import json

import pytest

from function.tools.cli.decided import MAX_NAMES, MIN_DECISIONS, Check, Manifest, Result, Risk, Settled, Tally
from function.tools.cli.shares import share
from tests.tools.cli.test_odd_objects import put  # noqa: F401 (a fixture)

PASSED, FAILED = {"passed": True}, {"passed": False}


@pytest.fixture
def settle(own_cloud, put):  # noqa: F811
    """A settled pair: a sidecar, and a result with what was decided about it."""

    def settle(name: str, status: str, risk: float | None, decision: str | None = None, **more: object) -> None:
        output = own_cloud.client.bucket(own_cloud.output)
        decided_about = more.pop("decided_about", "17")
        said = {
            "status": status,
            "manifest": {"bucket": own_cloud.input, "name": name, "generation": 17},
            "result": {"uri": f"gs://{own_cloud.output}/{name.removesuffix('.json')}.png"},
            "risk": None if risk is None else {"value": risk, "prior": 0.5, "calibration": "one"},
            "checks": {"no_halo": PASSED if status == "accepted" else FAILED, "scene_kept": PASSED},
            "attempts": [{"usd": 0.04, "risk": {"value": risk or 0.0}}],
        } | more
        put(name, json.dumps(said).encode(), status=status)
        blob = output.blob(name.removesuffix(".json") + ".png")
        blob.metadata = {"status": status, "manifest-generation": decided_about}
        blob.metadata |= {"review-decision": decision} if decision else {}
        blob.upload_from_string(b"png", "image/png")

    return settle


def test_status_risk_and_checks_are_held_against_what_people_decided(own_cloud, settle, command):
    settle("a/good.json", "accepted", 0.04, "accept")
    settle("a/let-through.json", "accepted", 0.15, "reject")
    settle("a/alarm.json", "review", 0.35, "accept")
    settle("a/bad.json", "review", 0.9, "reject")
    settle("a/nobody-looked.json", "review", 0.55)
    settle("a/made-anew.json", "accepted", 0.04, "reject", decided_about="16")
    settle("a/before-risks.json", "accepted", None, "accept")
    first, second = {"usd": 0.04, "risk": {"value": 0.18}}, {"usd": 0.05, "risk": {"value": 0.7}}
    settle("a/twice.json", "review", 0.18, attempts=[first, second], decided_about="17")
    settle("a/failed.json", "failed", None, result=None)
    settle("b/other-prefix.json", "review", 0.9, "reject")
    done = command("calibrate", f"gs://{own_cloud.output}/a/", "--json")
    assert done.status == 0, done.err
    said = json.loads(done.out)
    assert (said["pairs"], said["without_picture"], said["without_risk"]) == (9, 1, 1)
    assert (said["accepted"], said["rejected"], said["too_few"]) == (3, 2, True)
    assert said["by_status"] == {"accepted": 4, "review": 4}
    assert said["decided"] == [
        {"status": "accepted", "accepted": 2, "rejected": 1},
        {"status": "review", "accepted": 1, "rejected": 1},
    ]
    by_risk = {one["from"]: (one["accepted"], one["rejected"]) for one in said["by_risk"]}
    assert by_risk == {0.0: (1, 0), 0.1: (0, 1), 0.2: (1, 0), 0.4: (0, 0), 0.6: (0, 0), 0.8: (0, 1)}
    halo = next(one for one in said["by_check"] if one["check"] == "no_halo")
    assert (halo["failed_and_accepted"], halo["failed_and_rejected"], halo["passed_and_rejected"]) == (1, 1, 1)
    below = {one["below"]: one for one in said["thresholds"]}
    assert [below[at]["looked_at"] for at in (0.05, 0.2, 0.4)] == [5, 3, 2]
    assert [below[at]["bad_let_through"] for at in (0.05, 0.2, 0.4)] == [0, 1, 1]
    assert [below[at]["of_decided"] for at in (0.05, 0.2, 0.4)] == [1, 2, 3]
    assert [below[at]["saved_usd"] for at in (0.1, 0.2)] == [0.0, 0.05]


def test_a_person_reads_the_same_and_that_it_is_too_little(own_cloud, settle, command):
    settle("a/good.json", "accepted", 0.04, "accept")
    settle("a/let-through.json", "accepted", 0.15, "reject")
    done = command("calibrate", f"gs://{own_cloud.output}")
    assert done.status == 0, done.err
    assert "2 pictures, 2 decided (1 accepted, 1 rejected)" in done.out
    assert f"TOO FEW to judge by: it takes {MIN_DECISIONS} accepted and {MIN_DECISIONS} rejected" in done.out
    assert f"accepted           2   {share(1, 2)}" in done.out
    assert f"0.1 to 0.2   {share(1, 1)}" in done.out
    row = [line.split() for line in done.out.splitlines() if line.startswith("0.2 ")][-1]
    assert row == ["0.2", "0", *share(1, 2).split(), "0.00"]


def test_what_is_odd_is_named_and_the_rest_is_counted(own_cloud, settle, put, command):  # noqa: F811
    settle("a/good.json", "accepted", 0.04, "accept")
    settle("a/maybe.json", "review", 0.5, "maybe")
    settle("a/elsewhere.json", "review", 0.5, "reject", result={"uri": "gs://another-bucket/a/elsewhere.png"})
    put("a/broken.json", b"{")
    put("a/types.json", b'{"status": "review", "manifest": [], "result": 5}')
    put("a/risk.json", b'{"status": "review", "manifest": {"generation": 17}, "risk": {"value": 7}}')
    put("a/rows.csv.json", b"{}")
    done = command("calibrate", f"gs://{own_cloud.output}", "--json")
    assert done.status == 0, done.err
    said = json.loads(done.out)
    assert (said["pairs"], said["accepted"], said["rejected"]) == (3, 1, 0)
    for name in ("a/broken.json", "a/types.json", "a/risk.json", "a/maybe.png"):
        assert done.err.count(f"/{name}: ") == 1
    assert "at risk.value" in done.err
    assert done.err.count("note: ") == 4


def test_what_the_function_writes_and_people_decide_is_understood(own_cloud, command, tmp_path):
    with own_cloud.server() as function:
        own_cloud.deliver_until_settled(function, own_cloud.put_pair("s/one.json"))
    sidecar = own_cloud.sidecar("s/one.json")
    decisions = [{"result": sidecar["result"]["uri"], "decision": "reject"}]
    (tmp_path / "decisions.json").write_text(json.dumps(decisions))
    assert command("decide", tmp_path / "decisions.json", f"gs://{own_cloud.output}", "--by", "jo").status == 0
    said = json.loads(command("calibrate", f"gs://{own_cloud.output}", "--json").out)
    assert (said["pairs"], said["rejected"], said["without_risk"]) == (1, 1, 0)
    assert said["calibrations"] == {sidecar["risk"]["calibration"]: 1}
    assert {one["check"] for one in said["by_check"]} == set(sidecar["checks"])


def test_an_empty_or_unnamed_place_is_an_error(own_cloud, command):
    assert command("calibrate", f"gs://{own_cloud.output}/nothing").status == 1
    assert command("calibrate", "output").status == 2


def test_names_that_sidecars_make_up_take_no_more_memory():
    tally = Tally()
    for number in range(3 * MAX_NAMES):
        pair = Settled(
            status="review",
            manifest=Manifest(generation=1),
            result=Result(uri="gs://b/n"),
            risk=Risk(value=0.5, calibration=f"c{number}"),
            checks={f"check{number}": Check(passed=False)},
        )
        tally.add(pair, "reject")
    assert len(tally.checks()) == len(tally.calibrations) == MAX_NAMES
    assert tally.total("reject") == 3 * MAX_NAMES


def test_enough_decisions_are_not_too_few():
    tally = Tally()
    pair = Settled(status="review", manifest=Manifest(generation=1), result=Result(uri="gs://b/n"))
    for decision in ("accept", "reject"):
        assert tally.too_few
        for _ in range(MIN_DECISIONS):
            tally.add(pair, decision)
    assert not tally.too_few
