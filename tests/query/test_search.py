"""Search: exact before prefix before words; accents, case and typing errors forgiven; sentences and documents by their words."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import UsageError
from kg.query.search import MOST, MOST_CHARACTERS, search, suggest
from kg.store import Store


def labels(store: Store, text: str) -> list[str]:
    return [hit.label for hit in search(store, text, kinds=["entity"])]


def test_the_name_itself_comes_before_names_that_begin_so(library: Store) -> None:
    """“Tidewell” is the brand, then its campaign."""
    assert labels(library, "tidewell") == ["Tidewell", "Tidewell Undertow campaign"]
    scores = [hit.score for hit in search(library, "tidewell", kinds=["entity"])]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1


@pytest.mark.parametrize("text", ["LIV VANE", "Lïv Väne", "  liv   vane ", "vane liv", "iv Van", "Liv Vnae", "liv va"])
def test_a_name_is_found_however_it_is_typed(library: Store, text: str) -> None:
    """Case, accents, order, a part of it, a slip of the finger."""
    assert labels(library, text) == ["Liv Vane"]


@pytest.mark.parametrize("text", ["", " ", "zzzzzz", "\x00", '"""', "* XOR *", "%", "\ud800"])
def test_what_is_not_there_is_not_found(library: Store, text: str) -> None:
    """And nothing that is typed is an operator."""
    assert search(library, text) == []


def test_sentences_have_all_words_and_phrases_in_a_row(library: Store) -> None:
    """A sentence comes with its document, and once, however many facts rest on it."""
    (hit, *others) = search(library, "swimmer face", kinds=["sentence"])
    assert "Tidewell has made the swimmer Noor Marsh its face" in hit.name
    assert hit.document.endswith("/resource/document/tidewell-marsh")
    assert not others
    assert hit.name in [each.name for each in search(library, '"swimmer noor"', kinds=["sentence"])]
    assert search(library, '"noor swimmer"', kinds=["sentence"]) == []


def test_documents_are_found_by_words_that_no_fact_rests_on(library: Store) -> None:
    """With the words around them."""
    assert search(library, "denied reports", kinds=["sentence"]) == []
    found = search(library, "denied reports", kinds=["document"])
    assert [hit.iri.rpartition("/")[2] for hit in found] == ["rumours-only"]
    assert "denied reports" in found[0].name


def test_suggestions_begin_like_the_text(library: Store) -> None:
    """A name, or a word of it."""
    assert [hit.label for hit in suggest(library, "tid")] == ["Tidewell", "Tidewell Undertow campaign"]
    assert [hit.label for hit in suggest(library, "mars")] == ["Noor Marsh"]
    assert suggest(library, "") == []


def test_bounds_are_kept(library: Store) -> None:
    """Too much, too long and unknown are said."""
    assert len(search(library, "a", kinds=["document"], most=2)) == 2
    for options in ({"most": 0}, {"most": MOST + 1}, {"kinds": ["thing"]}):
        with pytest.raises(UsageError):
            search(library, "a", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        search(library, "a" * (MOST_CHARACTERS + 1))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_any_text_can_be_searched_for(library: Store, text: str) -> None:
    """No text is an error, and scores are what they say."""
    for hit in search(library, text):
        assert 0 < hit.score <= 1
        assert hit.label
