"""The shipped cases' results are the stored ones: pixels change only together with PIPELINE_VERSION."""

from __future__ import annotations

import pytest

from function import PIPELINE_VERSION
from tests.cases import renditions
from tests.cases.renditions import RENDITIONS, SAME_SHARE

NEXT = (
    "If that is meant, raise PIPELINE_VERSION in function/__init__.py and run `python -m tests.bench.renditions`; "
    "look at what it wrote, and commit it together with the change."
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All results, made again."""
    return renditions.make_all(tmp_path_factory.mktemp("renditions"))


@pytest.mark.parametrize("rendition", RENDITIONS, ids=[rendition.name for rendition in RENDITIONS])
def test_the_result_has_the_stored_pixels_and_verdict(made, rendition):
    result, record = made[rendition.name], renditions.record()
    share = renditions.same_share(result.image, renditions.stored(rendition))
    since = f"since version {record['pipeline_version']}"
    assert share >= SAME_SHARE, f"{100 * (1 - share):.3f} % of the pixels have changed {since}. {NEXT}"
    before = record["verdicts"].get(rendition.name)
    assert result.verdict == before, f"The verdict was {before} and is {result.verdict} {since}. {NEXT}"


def test_the_stored_results_were_made_with_this_version():
    version = renditions.record()["pipeline_version"]
    assert version == PIPELINE_VERSION, (
        f"The stored results are of version {version}, and the code says {PIPELINE_VERSION}: "
        "run `python -m tests.bench.renditions` and commit what it wrote."
    )


def test_a_change_of_pixels_would_be_seen():
    """The comparison itself: one grey level is rounding, two in a thousandth of the picture are a change."""
    picture = renditions.stored(RENDITIONS[0])
    nudged, changed = picture ^ 1, picture.copy()
    changed[: len(picture) // 500] ^= 2
    assert renditions.same_share(picture, nudged) == 1
    assert renditions.same_share(picture, changed) < SAME_SHARE
