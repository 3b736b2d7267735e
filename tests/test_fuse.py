"""Facts of many documents: conflicts, dates, confidence, names, corrections by hand."""

from __future__ import annotations

import pytest

from kg.fuse import Identity, fuse_facts, fuse_profile
from kg.model import Correction, Document, Entity, Fact, Link, Literal, Span, Statement, Text, fact_id

SINGLE = frozenset({"launchDate", "countryOfOrigin", "motto"})


def say(
    document: str, predicate: str, value: str | Literal, *, subject: str = "product/carrel", confidence: float = 0.5, **dates: str
) -> Statement:
    text = Document(document, (Text("body", "x" * 9),))
    evidence = text.evidence(Span(0, 4), extractor="t", version="1", confidence=confidence)
    return Statement(document, subject, predicate, value, (evidence,), tuple(sorted(dates.items())))


def fuse(*statements: Statement, corrections: tuple[Correction, ...] = ()) -> list[Fact]:
    return fuse_facts(statements, Identity(corrections), single_valued=SINGLE)


def correction(kind: str, *arguments: str) -> Correction:
    return Correction(kind, arguments, "reader", "2026-01-01")


def year(value: str) -> Literal:
    return Literal(value, {4: "gYear", 7: "gYearMonth", 10: "date"}[len(value)])


def rivals(*statements: Statement) -> int:
    """How many facts have a rival; a rival of a fact always has that fact as its own."""
    facts = {fact.id: fact for fact in fuse(*statements)}
    for fact in facts.values():
        assert all(fact.id in facts[rival].conflicts for rival in fact.conflicts)
    return sum(bool(fact.conflicts) for fact in facts.values())


def test_one_fact_of_many_documents() -> None:
    """The same subject, predicate and object are one fact with every document's statement, sorted."""
    (fact,) = fuse(*(say(document, "madeBy", "brand/orsenne") for document in "cab"))
    assert [statement.document_id for statement in fact.statements] == ["a", "b", "c"]
    assert (fact.sources, fact.id) == (3, fact_id("product/carrel", "madeBy", "brand/orsenne"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1998", "1999"), 2),
        (("1998", "1998-05"), 0),
        (("1998-05", "1998-05-02"), 0),
        (("1998", "1998-05-02", "1998-06"), 2),
        (("1998", "1999", "2000"), 3),
        (("1998", "1998"), 0),
    ],
)
def test_dates_conflict_where_none_is_the_other_less_precisely(values: tuple[str, ...], expected: int) -> None:
    """Single-valued dates of different documents are rivals unless one is a prefix of the other."""
    assert rivals(*(say(f"d{i}", "launchDate", year(value)) for i, value in enumerate(values))) == expected


def test_a_document_is_no_rival_of_itself() -> None:
    """Two values of one document are what that document says; a second document makes them rivals."""
    one, other = say("a", "launchDate", year("1998")), say("a", "launchDate", year("1999"))
    assert rivals(one, other) == 0
    assert rivals(one, other, say("b", "launchDate", year("1999"))) == 0
    assert rivals(one, say("b", "launchDate", year("1999"))) == 2


def test_entities_and_texts_conflict_where_they_differ() -> None:
    """Countries are rivals; so are texts of which one begins like the other; other predicates have none."""
    assert rivals(say("a", "countryOfOrigin", "country/france"), say("b", "countryOfOrigin", "country/italy")) == 2
    assert rivals(say("a", "motto", Literal("Go")), say("b", "motto", Literal("Go on"))) == 2
    assert rivals(say("a", "madeBy", "brand/a"), say("b", "madeBy", "brand/b")) == 0
    assert rivals(say("a", "launchDate", year("1998")), say("b", "launchDate", year("1999"), subject="product/other")) == 0


def test_qualifiers_keep_the_precise_and_the_different() -> None:
    """A less precise form of another date goes, a different date stays."""
    statements = (
        say("a", "wore", "brand/a", start="2023"),
        say("b", "wore", "brand/a", start="2023-04", end="2024"),
        say("c", "wore", "brand/a", start="2022", end="2024"),
    )
    (fact,) = fuse(*statements)
    assert fact.qualifiers == (("end", "2024"), ("start", "2022"), ("start", "2023-04"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [((0.5,), 0.5), ((0.5, 0.5), 0.75), ((0.9, 0.95), 0.99), ((1.0, 0.5), 1.0), ((0.6, 0.0), 0.6), ((0.99, 0.99, 0.99), 0.99)],
)
def test_confidence_grows_with_documents(given: tuple[float, ...], expected: float) -> None:
    """The chance that one of them is right, at most .99 unless one is certain."""
    statements = [say(f"d{i}", "wore", "brand/a", confidence=value) for i, value in enumerate(given)]
    assert [fact.confidence for fact in fuse(*statements)] == [expected]
    assert [fact.confidence for fact in fuse(*statements[::-1])] == [expected]


def test_sources_are_counted_by_whoever_knows() -> None:
    """Near-duplicates count once where the caller says so."""
    statements = [say(document, "wore", "brand/a") for document in "ab"]
    (fact,) = fuse_facts(statements, Identity([]), single_valued=SINGLE, sources=lambda documents: 1)
    assert fact.sources == 1


# -- corrections -------------------------------------------------------------------------------------------------


def test_merging_joins_facts() -> None:
    """Facts of merged entities are one fact of the first; chains of merges lead to one."""
    statements = (say("a", "madeBy", "brand/x"), say("b", "madeBy", "brand/y"), say("c", "madeBy", "brand/z"))
    corrections = (correction("merge", "brand/y", "brand/x"), correction("merge", "brand/z", "brand/y"))
    (fact,) = fuse(*statements, corrections=corrections)
    assert (fact.object, len(fact.statements)) == ("brand/z", 3)
    assert Identity(corrections).members("brand/z") == {"brand/x", "brand/y", "brand/z"}


def test_merging_back_and_forth_ends() -> None:
    """A merge of what is one already changes nothing, and never goes in a circle."""
    corrections = (correction("merge", "a/x", "a/y"), correction("merge", "a/y", "a/x"), correction("merge", "a/x", "a/x"))
    assert {Identity(corrections).of(each, "d") for each in ("a/x", "a/y")} == {"a/x"}


def test_splitting_undoes_merges_first() -> None:
    """The first split of a merged entity takes the merges apart, the next one its documents."""
    corrections = [correction("merge", "a/x", "a/y"), correction("split", "a/y")]
    assert [Identity(corrections).of(each, "d") for each in ("a/x", "a/y")] == ["a/x", "a/y"]
    corrections.append(correction("split", "a/y"))
    identity = Identity(corrections)
    assert (identity.of("a/y", "d"), identity.of("a/y", "e@1")) == ("a/y@d", "a/y@e@1")
    assert identity.members("a/y@e@1") == {"a/y"}
    corrections.append(correction("merge", "a/x", "a/y@d"))
    identity = Identity(corrections)
    assert (identity.of("a/y", "d"), identity.of("a/y", "e"), identity.members("a/x")) == ("a/x", "a/y@e", {"a/x", "a/y"})


def test_a_mark_in_an_id_is_no_split() -> None:
    """Only what was split is taken apart at its mark."""
    identity = Identity([correction("merge", "brand/@", "brand/b")])
    assert identity.members("brand/@") == {"brand/@", "brand/b"}


def test_a_rejected_fact_is_gone() -> None:
    """By the id that it has in the graph or in a document, and with it its rivalry."""
    statements = (say("a", "launchDate", year("1998")), say("b", "launchDate", year("1999")))
    (fact,) = fuse(*statements, corrections=(correction("reject", statements[0].fact),))
    assert (fact.object, fact.conflicts) == (year("1999"), ())
    merge = correction("merge", "product/bag", "product/carrel")
    merged = fact_id("product/bag", "launchDate", year("1998"))
    for rejected in (merged, statements[0].fact):
        (fact,) = fuse(*statements, corrections=(merge, correction("reject", rejected)))
        assert fact.object == year("1999")


@pytest.mark.parametrize("wrong", [("merge", "a"), ("split", "a", "b"), ("reject",), ("praise", "a")])
def test_a_correction_that_is_none(wrong: tuple[str, ...]) -> None:
    """Kinds that there are not, and wrong numbers of arguments, are refused."""
    with pytest.raises(ValueError, match="correction"):
        Identity([correction(*wrong)])


# -- profiles ----------------------------------------------------------------------------------------------------


def test_a_profile_is_named_by_use() -> None:
    """The name that most documents use; of equals the longer, then the first; the others are aliases."""
    known = [
        (d, Entity("person/x", "Person", name, aliases))
        for d, name, aliases in (("a", "Kim", ()), ("b", "Kim K", ("K",)), ("c", "Kim", ()))
    ]
    profile = fuse_profile("person/x", known)
    assert (profile.label, profile.aliases, profile.documents, profile.types) == ("Kim", ("K", "Kim K"), ("a", "b", "c"), ("Person",))
    assert fuse_profile("person/x", known[:2]).label == "Kim K"
    assert fuse_profile("person/x", [("a", Entity("p", "Person", "Bo")), ("b", Entity("p", "Person", "Al"))]).label == "Al"


def test_a_linked_profile_bears_the_items_label() -> None:
    """The best link counts, whatever documents say; equal ones are told apart by what they are."""
    links = [Link("Q1", "Tide", 0.8, "m", "i"), Link("Q1", "Tidewell", 0.9, "m", "j"), Link("Q1", "Tidewell", 0.9, "m", "i"), None]
    known = [(f"d{i}", Entity("brand/x", "Brand", "TIDEWELL", (), (), link)) for i, link in enumerate(links)]
    for order in (known, known[::-1], known[1:] + known[:1]):
        profile = fuse_profile("brand/tidewell", order)
        assert (profile.link, profile.label, profile.aliases) == (links[2], "Tidewell", ("TIDEWELL",))


def test_documents_that_are_sure_of_two_items_leave_it_open() -> None:
    """Neither is the link; both are candidates, the better one first. A candidate of one document is no doubt about another's link."""
    one, other = Link("Q2", "Tide", 0.9, "m", "i"), Link("Q1", "Tidewell", 0.95, "m", "i")
    known = [("a", Entity("brand/x", "Brand", "TIDEWELL", link=one)), ("b", Entity("brand/x", "Brand", "TIDEWELL", link=other))]
    profile = fuse_profile("brand/x", known)
    assert (profile.link, profile.candidates, profile.label) == (None, (other, one), "TIDEWELL")
    known[0] = ("a", Entity("brand/x", "Brand", "TIDEWELL", candidates=(one,)))
    profile = fuse_profile("brand/x", known)
    assert (profile.link, profile.candidates) == (other, ())


def test_decisions_about_links_win() -> None:
    """What people link, unlink or leave without a link is so; the last decision counts."""
    sure, other = Link("Q1", "Tidewell", 0.95, "m", "i"), Link("Q2", "Tide", 0.5, "m", "i")
    known = [("a", Entity("brand/x", "Brand", "Tidewell", link=sure)), ("b", Entity("brand/x", "Brand", "Tidewell", candidates=(other,)))]

    def decided(*decisions: tuple[str, tuple[str, ...]]) -> tuple[str | None, list[str]]:
        identity = Identity([Correction(kind, arguments, "a reader", "2026-01-01") for kind, arguments in decisions])
        profile = fuse_profile("brand/x", known, identity)
        return profile.link.qid if profile.link else None, [each.qid for each in profile.candidates]

    unlinked, linked, none = ("unlink", ("brand/x", "Q1")), ("link", ("brand/x", "Q9", "Tidewell")), ("no-link", ("brand/x",))
    assert decided() == ("Q1", [])
    assert decided(unlinked) == (None, ["Q2"])
    assert decided(linked) == ("Q9", [])
    assert decided(none) == (None, [])
    assert decided(linked, none) == (None, [])
    assert decided(none, linked) == ("Q9", [])
    assert decided(linked, ("unlink", ("brand/x", "Q9"))) == ("Q1", [])
    assert decided(unlinked, ("link", ("brand/x", "Q1", "Tidewell"))) == ("Q1", [])
    assert decided(("merge", ("brand/x", "brand/y")), ("link", ("brand/y", "Q5", "Y"))) == ("Q5", [])


def test_a_merged_profile_has_both_types() -> None:
    """Entities of different types that were merged by hand keep both."""
    known = [("a", Entity("brand/x", "Brand", "X")), ("a", Entity("person/x", "Person", "X"))]
    assert fuse_profile("brand/x", known).types == ("Brand", "Person")
