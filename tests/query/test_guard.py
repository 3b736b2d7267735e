"""What is looked at before the engine sees a query: its tokens, how deep it is, what it reaches for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import QuerySyntaxError, UsageError
from kg.query.guard import MAX_DEPTH, MAX_LINKS, Token, check, is_plain, iter_tokens, position

PIECES = (
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "#",
    "\n",
    " ",
    "?x",
    "$y",
    "<a:b#c>",
    "kg:x",
    "1.5",
    "@en",
    "&&",
    "SELECT",
)


def _kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in iter_tokens(text)]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_tokens_are_the_text(text: str) -> None:
    """Tokens stand in the text where they say, in order and apart; between them is white space or a comment."""
    end = 0
    for token in iter_tokens(text):
        between = text[end : token.start]
        assert not between.strip() or between.lstrip().startswith("#")
        assert text[token.start : token.start + len(token.text)] == token.text
        end = token.start + len(token.text)
    assert not text[end:].strip() or text[end:].lstrip().startswith("#")


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=40))
def test_what_is_in_a_string_is_no_token(content: str) -> None:
    """Whatever a string holds, it is one token."""
    escaped = content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")

    assert _kinds(f'?s "{escaped}" }}') == [("variable", "?s"), ("string", f'"{escaped}"'), ("mark", "}")]


@given(st.integers(min_value=1, max_value=MAX_DEPTH), st.sampled_from(["{}", "()", "[]"]))
def test_depth_within_the_bound_passes(depth: int, pair: str) -> None:
    """Brackets up to the bound are nobody's business but the parser's."""
    check("SELECT * WHERE " + pair[0] * depth + pair[1] * depth)


def test_kinds() -> None:
    """Each kind of token is told from the others."""
    text = 'PREFIX kg: <ontology#> SELECT ?x { $y kg:said \'it\'\'s\'@en-GB, 1.5e3, _:b ; a/^kg:p """a "q" \\"""" } # end {'

    assert _kinds(text) == [
        *(("word", "PREFIX"), ("name", "kg:"), ("iri", "<ontology#>"), ("word", "SELECT"), ("variable", "?x"), ("mark", "{")),
        *(("variable", "$y"), ("name", "kg:said"), ("string", "'it'"), ("string", "'s'"), ("language", "@en-GB"), ("mark", ",")),
        *(("number", "1.5e3"), ("mark", ","), ("name", "_:b"), ("mark", ";"), ("word", "a"), ("mark", "/"), ("mark", "^")),
        *(("name", "kg:p"), ("string", '"""a "q" \\""""'), ("mark", "}")),
    ]


def test_position_counts_from_one() -> None:
    """Lines and columns are those that editors show."""
    assert [position("ab\n\ncd", offset) for offset in (0, 1, 3, 4, 5)] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * WHERE " + "{" * 3000,
        "SELECT * WHERE { ?s ?p " + "(" * 65 + "1" + ")" * 65 + " }",
        "SELECT * WHERE { ?s ?p " + "[ ?p " * 65 + "1" + "]" * 65 + " }",
        "SELECT * WHERE { FILTER(" + "!" * 9000 + "?s) }",
        "SELECT * WHERE { ?s ?p ?o " + "MINUS { ?s ?p ?o } " * 3000 + "}",
        "SELECT * WHERE { " + "{} UNION " * 3000 + "{} }",
        "SELECT * WHERE { " + "".join(f"BIND(1 AS ?x{n}) " for n in range(3000)) + "}",
        "SELECT " + "".join(f"(1 AS ?x{n}) " for n in range(3000)) + "{}",
        "SELECT * WHERE { ?s ?p ?o FILTER(1" + "+1" * 3000 + ") }",
        "SELECT * WHERE { ?s <a:b>" + "/<a:b>" * 3000 + " ?o }",
        "SELECT * WHERE { FILTER(" + "?a<((1&&?b<((2)>3&&" * 2000 + "1) }",
        "SELECT * WHERE { FILTER(" + "(?a<#>\n)&&1)" * 2000 + ") }",
        "SELECT * WHERE { FILTER(?a<'>' " + "(" * 3000 + "' > 1) }",
    ],
)
def test_what_would_end_the_process_is_refused(text: str) -> None:
    """Deep nesting, long chains, and depth hidden behind “less than”."""
    with pytest.raises(QuerySyntaxError, match=r"line \d+, column \d+"):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT * WHERE {{ VALUES ?s {{ {'-1 ' * 5000} }} }}",
        f"SELECT * WHERE {{ VALUES (?s ?p) {{ {'(<a:x#y> <#z>) ' * 50} }} }}",
        f"SELECT * WHERE {{ VALUES (?s ?p) {{ {'(<http://x/a#(> <http://y/b#c>) ' * 5000} }} }}",
        f"SELECT * WHERE {{ ?s ?p '{'{(' * 5000}' }}  # {'{' * 5000}",
        f"SELECT * WHERE {{ ?s ?p ?o FILTER(?o IN ({', '.join(str(n) for n in range(5000))})) }}",
        "SELECT * WHERE { ?s ?p ?o . " * 60 + "}" * 60,
    ],
)
def test_long_harmless_queries_pass(text: str) -> None:
    """Length is no depth; brackets in strings, comments and IRIs don't count."""
    check(text)


@pytest.mark.parametrize("depth", [10, MAX_DEPTH])
def test_engine_survives_what_passes(depth: int) -> None:
    """The bounds are on the safe side of the engine's: a process that runs the deepest queries ends well."""
    script = f"""
import pyoxigraph as ox
from kg.query.guard import check
for text in (
    "SELECT * WHERE " + "{{" * {depth} + "}}" * {depth},
    "SELECT * WHERE {{ ?s ?p ?o FILTER(" + "(" * {depth - 2} + "1" + ")" * {depth - 2} + ") }}",
    "SELECT * WHERE {{ ?s ?p ?o " + "MINUS {{ ?s ?p ?o }} " * {MAX_LINKS // 2 - 10} + "}}",
    "SELECT * WHERE {{ ?s ?p ?o " + "".join(f"BIND(1 AS ?x{{n}}) " for n in range({MAX_LINKS - 10})) + "}}",
):
    check(text)
    list(ox.Store().query(text))
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }",
        "SELECT * { service silent ?x { ?s ?p ?o } }",
        "LOAD <file:///etc/passwd>",
        "LOAD SILENT <http://127.0.0.1/> INTO GRAPH <a:b>",
        "SELECT * { ?s ?p ?o } ; LOAD <file:///x>",
        "PREFIX a: <a:> INSERT DATA { a:b a:c 1 }",
        "delete where { ?s ?p ?o }",
        "DROP ALL",
        "BASE <http://x/> WITH <g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "ASK { FILTER(?a<'>' && EXISTS { SERVICE <http://x/> {} } && 'b') }",
    ],
)
def test_reaching_outside_and_changing_are_refused(text: str) -> None:
    """Whatever the case and the place; also where another reading of “less than” would show it."""
    with pytest.raises((UsageError, QuerySyntaxError)):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?service ?load { ?service <http://x/LOAD> 'SERVICE' } # SERVICE",
        "PREFIX service: <http://x/service#> SELECT * { ?s service:load ?o }",
        'SELECT * { ?s ?p """SERVICE <x> {""" , "LOAD"@load }',
        "DESCRIBE <http://x/DROP>",
    ],
)
def test_words_elsewhere_are_no_forms(text: str) -> None:
    """A variable, an IRI, a prefixed name, a string, a comment may say SERVICE."""
    assert all(isinstance(token, Token) for token in check(text))


def test_lone_surrogate_is_refused() -> None:
    """Text that no encoding can carry."""
    with pytest.raises(QuerySyntaxError, match="line 2, column 3"):
        check("ASK {\n  \ud800 }")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("SELECT ?p { ?c kg:photographedBy ?p }", True),
        ("SELECT ?p { <http://load.example/service?a=1> ?p ?o }", True),
        ("SELECT ?p { ?s ?p ?o . FILTER(?o < 3 && ?o > 1) }", True),
        ("SELECT ?p { GRAPH ?g { ?s ?p ?o } }", False),
        ("SELECT ?p { ?s ?p 1SERVICE<http://x.example/>{ ?a ?b ?c } }", False),
        ("SELECT ?p { ?s ?p ?o FILTER(?a<?b)SERVICE?x{ ?a ?b ?c }FILTER(?c>?d) }", False),
        ("SELECT ?p { ?s ?p ?o FILTER(?a<?b)SERVICE<http://x.example/>{ ?a ?b ?c } }", False),
        ("SELECT ?p { ?s kg:a* ?p }", False),
        ("DELETE WHERE { ?s ?p ?o }", False),
    ],
)
def test_plain_queries_go_to_the_engine_unread(text: str, plain: bool) -> None:
    """Words inside IRIs and longer words don't count; a word that must be refused counts wherever the engine could read it."""
    assert is_plain(text) is plain
