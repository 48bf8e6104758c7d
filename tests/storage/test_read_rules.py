"""ALLOWED_PREFIXES as rules: who reads what."""

import unicodedata

import pytest

from function.storage.read_rules import may_read, parse_rule

RULES = [parse_rule(text) for text in ("team-a", "team-b/", "team-b=/b-shared/", "=brand", "team-a=gs://pictures/a")]
CAFE = [parse_rule(unicodedata.normalize("NFC", "café/"))]


@pytest.mark.parametrize(
    ("manifest", "target", "allowed"),
    [
        ("team-a/x/p.json", ("in", "team-a/y.png"), True),
        ("team-a/p.json", ("in", "team-b/y.png"), False),
        ("team-a/p.json", ("in", "team-ab/y.png"), False),
        ("team-ab/p.json", ("in", "team-a/y.png"), False),
        ("team-ab/p.json", ("in", "team-ab/y.png"), False),
        ("team-b/p.json", ("in", "b-shared/y.png"), True),
        ("team-a/p.json", ("in", "b-shared/y.png"), False),
        ("p.json", ("in", "y.png"), False),
        ("p.json", ("in", "brand/y.png"), True),
        ("team-a.csv", ("in", "team-a/y.png"), False),
        ("team-a/p.json", ("pictures", "a/y.png"), True),
        ("team-a/p.json", ("pictures", "b/y.png"), False),
        ("team-b/p.json", ("pictures", "a/y.png"), False),
        ("team-b/p.json", ("open-to-all", "y.png"), True),
        (None, ("pictures", "a/y.png"), False),
        (None, ("open-to-all", "y.png"), True),
    ],
)
def test_a_manifest_reads_what_a_rule_gives_to_its_folder(manifest, target, allowed):
    assert may_read(RULES, ("in", manifest) if manifest else None, *target) is allowed


def test_without_rules_a_manifest_reads_all_of_its_bucket():
    assert may_read([], ("in", "team-a/p.json"), "in", "team-b/y.png")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_folder_is_the_same_in_either_normal_form(form):
    spelled = unicodedata.normalize(form, "café/p.json")
    assert may_read(CAFE, ("in", spelled), "in", spelled)


@pytest.mark.parametrize("text", ["a/../b", "a//b", "..", "a=gs://", "a=gs://Not_A_Bucket!/b", "a=./b"])
def test_what_is_no_folder_is_refused(text):
    with pytest.raises(ValueError, match=r"not a folder|no name|not gs|not a valid bucket name"):
        parse_rule(text)
