"""Which rows of a catalogue ask for batches: by themselves, or because whoever uploaded it does."""

from __future__ import annotations

import pytest

from function.delivery.batch_pair import batch_rows, wished_rows
from function.errors import InvalidManifestError
from function.manifest.spreadsheet import read_rows
from function.settings import Settings

ENVIRONMENT = {"OUTPUT_BUCKET": "out-bucket", "GEMINI_API_KEY": "k"}
CSV = b"product,scene,batch\np.png,s.png,\np.png,s.png,false\n"


def test_an_upload_for_batches_asks_for_its_rows_but_for_those_that_say_otherwise():
    rows = wished_rows(read_rows("a.csv", CSV), {"batch": "true", "finish-by": "2027-03-01T08:00:00Z"})
    assert [row.fields["batch"] for row in rows] == [True, False]
    assert {row.fields["finish_by"] for row in rows} == {"2027-03-01T08:00:00Z"}
    plain = wished_rows(read_rows("a.csv", CSV), {})
    assert "batch" not in plain[0].fields


@pytest.mark.parametrize(
    "content", [b'{"product": "p", "scene": "s", "batch": true}', b'{"product": "p", "scene": "s"}']
)
def test_without_a_bucket_for_batches_nobody_pays_the_full_price_instead(content):
    settings = Settings.from_environment(ENVIRONMENT)
    rows, asks = read_rows("a.jsonl", content), b"batch" in content
    with pytest.raises(InvalidManifestError, match="BATCH_BUCKET"):
        batch_rows(rows, {} if asks else {"batch": "true"}, settings)
    if not asks:
        assert batch_rows(rows, {}, settings) == rows
