"""What the doctor says of an environment, and its exit status."""

import pytest

from function.generation.models import model_table
from tests.support import KEY

DEFAULT, SECOND, THIRD = "gemini-2.5-flash-image", "gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"


def test_all_well(doctor, own_cloud, gemini):
    visit = doctor("--input", f"gs://{own_cloud.input}")
    assert (visit.status, visit.problems) == (0, []), visit.out + visit.err
    said = {line[9:].partition(":")[0] for line in visit.out.splitlines() if line.startswith("ok ")}
    assert said == {
        "settings", "caps", "clock", "signing", "credentials", "model", "chain", "quota",
        "output bucket", "input bucket",
    }  # fmt: skip
    assert [DEFAULT in line for line in visit.lines("chain", "ok")] == [True]
    assert len(visit.lines("model", "ok")) == 3
    assert "$25.00 a day" in visit.lines("caps", "ok")[0]
    assert gemini.requests == [], "no picture is asked for"
    assert own_cloud.names(work=True) == [], "what was written is gone"


def test_every_line_is_json_when_asked_for(doctor):
    visit = doctor("--json")
    assert visit.status == 0, visit.out
    assert {"check", "status", "found", "advice", "measures"} == set(visit.findings()[0])
    assert {one["status"] for one in visit.findings()} <= {"ok", "warning"}


def test_a_default_model_that_is_closed_is_a_warning_for_the_next_one_draws(doctor, gemini):
    gemini.control(faults=[{"kind": "404", "times": None, "match": {"model": DEFAULT}}])
    visit = doctor()
    assert (visit.status, visit.problems) == (0, []), visit.out
    (line,) = visit.lines("model", "warning")
    assert DEFAULT in line and "404" in line
    assert SECOND in visit.lines("chain", "ok")[0]


def test_a_model_that_no_key_is_shown_but_that_counts_no_tokens_does_not_answer(doctor, gemini):
    gemini.control(faults=[{"kind": "404", "times": None, "match": {"model": DEFAULT, "call": "countTokens"}}])
    visit = doctor()
    assert visit.status == 0
    assert DEFAULT in visit.lines("model", "warning")[0]


def test_a_chain_of_which_none_answers_is_a_problem_that_names_what_there_is(doctor, gemini):
    gemini.control(
        faults=[{"kind": "404", "times": None, "match": {"model": name}} for name in (DEFAULT, SECOND, THIRD)]
    )
    visit = doctor()
    assert visit.status == 1
    (line,) = visit.lines("chain", "problem")
    assert "no model of the chain can be reached" in line and "gemini-3-pro-image" in line
    assert len(visit.lines("model", "warning")) == 3
    assert visit.lines("output bucket", "ok"), "the rest is looked at all the same"


@pytest.mark.parametrize(
    ("kind", "words", "advice"),
    [
        ("key_invalid", "does not accept the key", "aistudio.google.com/apikey"),
        ("401", "does not accept who calls", "another key"),
        ("403", "may not be called", "restrictions"),
        ("api_disabled", "its API is not enabled", "gcloud services enable generativelanguage.googleapis.com"),
        ("503", "is busy", "a few minutes"),
        ("400", "refuses", "choose another model"),
    ],
)
def test_a_refusal_says_what_it_is_and_what_to_do(doctor, gemini, kind, words, advice):
    gemini.control(faults=[{"kind": kind, "times": None}])
    visit = doctor()
    assert visit.status == 1
    assert len(visit.lines("model", "problem")) == 3
    assert all(words in line and advice in line for line in visit.lines("model"))
    assert visit.lines("chain", "problem")


@pytest.mark.exhaustive
def test_a_refusal_of_a_model_that_only_stands_in_is_a_warning(doctor, gemini):
    gemini.control(faults=[{"kind": "403", "times": None, "match": {"model": THIRD}}])
    visit = doctor()
    assert (visit.status, visit.problems) == (0, [])
    assert THIRD in visit.lines("model", "warning")[0]


def test_a_refusal_of_the_first_model_is_a_problem_although_the_next_answers(doctor, gemini):
    """Only a 404 passes on to the next one: such a pair fails."""
    gemini.control(faults=[{"kind": "403", "times": None, "match": {"model": DEFAULT}}])
    assert doctor().status == 1


def test_no_quota_says_to_enable_billing(doctor, gemini):
    gemini.control(faults=[{"kind": "no_quota", "times": None, "match": {"call": "countTokens"}}])
    visit = doctor()
    assert visit.status == 1
    (line,) = visit.lines("quota", "problem")
    assert "limit: 0" in line and "enable billing" in line


@pytest.mark.exhaustive
def test_a_busy_moment_is_no_quota_of_zero(doctor, gemini):
    gemini.control(faults=[{"kind": "429", "times": 1, "match": {"model": THIRD}}])
    visit = doctor()
    assert visit.status == 0
    assert "billing" not in visit.lines("quota", "warning")[0]


def test_a_model_service_that_is_not_there_is_a_sentence(doctor):
    visit = doctor(GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:9")
    assert visit.status == 1
    assert "check network and proxy" in visit.lines("model", "problem")[0]


def test_every_bad_value_is_named(doctor):
    visit = doctor(OUTPUT_BUCKET="", MAX_PX="12", THINKING_LEVEL="deep")
    assert visit.status == 1
    (line,) = visit.lines("settings", "problem")
    assert all(name in line for name in ("OUTPUT_BUCKET", "MAX_PX", "THINKING_LEVEL"))


def test_without_any_credentials_it_says_which_are_needed(doctor):
    visit = doctor(GEMINI_API_KEY=None)
    assert visit.status == 1
    assert "neither GEMINI_API_KEY nor GOOGLE_GENAI_USE_VERTEXAI" in visit.lines("settings", "problem")[0]


def test_a_key_that_was_pasted_badly_is_seen_before_it_is_sent(doctor, gemini):
    visit = doctor(GEMINI_API_KEY="AIzaSomeKeyThat\nWasBroken0123456789")
    assert visit.status == 1
    assert visit.lines("credentials", "problem")
    assert visit.lines("model") == []
    assert "WasBroken" not in visit.out + visit.err


def test_a_model_that_ends_soon_is_warned_of(doctor):
    retiring = next(name for name, row in model_table().text_models.items() if row.answered_by)
    visit = doctor(JUDGE_MODEL=retiring)
    assert visit.status == 0
    assert any(retiring in line and "shut down" in line for line in visit.lines("settings", "warning"))


@pytest.mark.exhaustive
def test_a_judge_that_does_not_answer_is_a_warning(doctor, gemini):
    gemini.control(faults=[{"kind": "404", "times": None, "match": {"model": "gemini-2.5-flash-lite"}}])
    visit = doctor(JUDGE_MODEL="gemini-2.5-flash-lite")
    assert visit.status == 0
    assert "JUDGE_MODEL" in visit.lines("second opinion", "warning")[0]


def test_nothing_that_stops_spending_is_a_warning(doctor):
    visit = doctor(MAX_USD_PER_DAY=None)
    assert visit.status == 0
    assert "nothing stops spending" in visit.lines("caps", "warning")[0]


def test_what_cannot_be_understood_could_not_run(doctor):
    visit = doctor("--input", "no-bucket")
    assert (visit.status, visit.out) == (2, "")
    assert "is not gs://" in visit.err


def test_a_service_that_quotes_the_key_does_not_have_it_printed(doctor, small_server):
    body = f'{{"name": "models/x", "totalTokens": "{KEY}"}}'.encode()
    visit = doctor(GOOGLE_GEMINI_BASE_URL=small_server(body))
    assert visit.status == 1
    assert "<secret>" in visit.out
