"""The chain: the manifest's own model first, a 404 remembered for a while, no location left."""

from __future__ import annotations

from types import SimpleNamespace

from function.generation.model_chain import MISSING_CACHE_S, ModelChain

NANO = "gemini-nano-banana-2.1"


def chain_at(location=None):
    clock = SimpleNamespace(now=1000.0)
    return ModelChain(("a", NANO, "c"), location, lambda: clock.now), clock


def test_the_manifests_own_model_comes_first_and_the_chain_behind_it():
    chain, _ = chain_at()
    assert chain.candidates(None) == (["a", NANO, "c"], [])
    assert chain.candidates("mine")[0] == ["mine", "a", NANO, "c"]
    assert chain.candidates("c")[0] == ["c", "a", NANO]


def test_a_404_is_remembered_for_a_while():
    chain, clock = chain_at()
    chain.note_missing("a")
    asked, skipped = chain.candidates(None)
    assert asked == [NANO, "c"] and [(one.id, "404" in one.reason) for one in skipped] == [("a", True)]
    clock.now += MISSING_CACHE_S
    assert chain.candidates(None)[0] == ["a", NANO, "c"]


def test_when_every_model_is_missing_all_are_asked_again():
    chain, _ = chain_at()
    for name in ("a", NANO, "c"):
        chain.note_missing(name)
    assert chain.candidates(None)[0] == ["a", NANO, "c"]


def test_a_model_that_the_location_does_not_serve_is_never_asked():
    chain, _ = chain_at("europe-west4")
    asked, (skipped,) = chain.candidates(None)
    assert asked == ["a", "c"]
    assert skipped.id == NANO and "europe-west4" in skipped.reason and "global" in skipped.reason
    assert chain_at("global")[0].candidates(None) == (["a", NANO, "c"], [])
