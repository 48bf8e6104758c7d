"""The file of decisions that a page exports, and where they may be written."""

import json

import pytest

from function.deadline import Deadline
from function.tools.review.decide import write_decisions
from function.tools.review.decisions import InvalidDecisionsError, read_decisions


@pytest.mark.parametrize(
    "text",
    ["", "{", "5", "{}", '[{"result": "gs://b/n", "decision": "maybe"}]', '[{"decision": "accept"}]', '["accept"]'],
)
def test_what_is_no_export_is_refused_before_anything_is_written(tmp_path, text):
    path = tmp_path / "d.json"
    path.write_text(text)
    with pytest.raises(InvalidDecisionsError):
        read_decisions(path)


def test_a_prefix_bounds_what_is_written(own_cloud, settle, storage, tmp_path):
    uri = settle()["result"]["uri"]
    (tmp_path / "d.json").write_text(json.dumps([{"result": uri, "decision": "accept"}]))
    decisions = read_decisions(tmp_path / "d.json")
    ((_, outcome),) = write_decisions(decisions, f"gs://{own_cloud.output}/b/", storage, "jo")
    assert outcome == "elsewhere"
    stored = storage.stat(own_cloud.output, "a/one.png", Deadline(10))
    assert "review-decision" not in stored.metadata
