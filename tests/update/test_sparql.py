"""Updates as differences: the same effect as the engine's own update, each request as one step."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kg.errors import QueryRefused, QuerySyntaxError, UsageError
from kg.store import Store
from kg.update.sparql import Using, run_update

G = ox.NamedNode("http://a.example/g")


def write(store: Store, text: str) -> None:
    pending = run_update(store, text)
    store.take(lambda: (pending.removed, pending.added))


def shape(quads: list[ox.Quad]) -> object:
    """The quads, blank nodes renamed to the labelling whose lines sort first (there are few of them in these tests)."""
    nodes = sorted({t.value for q in quads for t in (q.subject, q.object, q.graph_name) if isinstance(t, ox.BlankNode)})
    lines = [str(quad) for quad in quads]
    if len(nodes) > 5:
        return len(lines), sorted("".join("_:" if part.startswith("_:") else part for part in line.split(" ")) for line in lines)
    best = None
    for order in itertools.permutations(range(len(nodes))):
        names = {f"_:{node}": f"_:b{number}" for node, number in zip(nodes, order, strict=True)}
        renamed = sorted(" ".join(names.get(part, part) for part in line.split(" ")) for line in lines)
        best = renamed if best is None else min(best, renamed)
    return best


TERMS = ["<http://a.example/1>", "<http://a.example/2>", "<http://a.example/3>"]
PREDICATES = ["<http://a.example/p>", "<http://a.example/q>"]
OBJECTS = [*TERMS, "1", '"1"@en', "01", "_:x", "true", '"a } ; b"']
GRAPHS = ["DEFAULT", "GRAPH <http://a.example/g>", "GRAPH <http://a.example/h>"]


def _triple(objects: list[str]) -> st.SearchStrategy[str]:
    return st.builds("{} {} {} .".format, st.sampled_from(TERMS), st.sampled_from(PREDICATES), st.sampled_from(objects))


def _block(triples: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(triples, min_size=1, max_size=3).map(" ".join)
    return st.one_of(body, body.map("GRAPH <http://a.example/g> {{ {} }}".format), body.map("GRAPH <http://a.example/h> {{ {} }}".format))


GROUND = [each for each in OBJECTS if each != "_:x"]
DATA = st.one_of(_block(_triple(OBJECTS)).map("INSERT DATA {{ {} }}".format), _block(_triple(GROUND)).map("DELETE DATA {{ {} }}".format))
PATTERNS = st.sampled_from(
    [
        "?s ?p ?o",
        "GRAPH ?g { ?s ?p ?o }",
        "?s ?p ?o . FILTER(isIRI(?o))",
        "?s ?p ?o OPTIONAL { ?o ?p2 ?x }",
        "{ SELECT ?s ?p (MAX(?any) AS ?o) { ?s ?p ?any } GROUP BY ?s ?p }",
    ]
)
TEMPLATES = st.sampled_from(
    [
        "?s ?p ?o",
        "?o ?p ?s",
        "GRAPH <http://a.example/h> { ?s ?p ?o }",
        "?s <http://a.example/r> ?o, 'x'",
        "GRAPH ?g { ?s ?p 7 }",
        "?x ?p ?s",
    ]
)
FRESH = st.sampled_from(["?s <http://a.example/b> [ <http://a.example/of> ?o ]", "_:n <http://a.example/from> ?s"])
HEADS = st.sampled_from(["", "WITH <http://a.example/g> "])
MODIFY = st.one_of(
    st.builds("{}DELETE {{ {} }} INSERT {{ {} }} WHERE {{ {} }}".format, HEADS, TEMPLATES, TEMPLATES | FRESH, PATTERNS),
    st.builds("{}DELETE {{ {} }} WHERE {{ {} }}".format, HEADS, TEMPLATES, PATTERNS),
    st.builds("INSERT {{ {} }} USING <http://a.example/g> USING NAMED <http://a.example/h> WHERE {{ {} }}".format, TEMPLATES, PATTERNS),
    st.sampled_from(["DELETE WHERE { ?s <http://a.example/p> ?o }", "DELETE WHERE { GRAPH ?g { ?s ?p 1 } }"]),
)
MANAGE = st.one_of(
    st.builds("{} SILENT {}".format, st.sampled_from(["CLEAR", "DROP"]), st.sampled_from([*GRAPHS, "NAMED", "ALL"])),
    st.builds("{} {} TO {}".format, st.sampled_from(["COPY", "ADD", "MOVE"]), *[st.sampled_from(GRAPHS)] * 2),
    st.just("CREATE SILENT GRAPH <http://a.example/new>"),
)
START = """INSERT DATA { <http://a.example/1> <http://a.example/p> <http://a.example/2> . <http://a.example/2> <http://a.example/q> 1
GRAPH <http://a.example/g> { <http://a.example/1> <http://a.example/p> 2 } }"""


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.lists(st.one_of(DATA, MODIFY, MANAGE), min_size=1, max_size=4))
def test_a_request_has_the_effect_of_the_engines_own_update(empty: Store, operations: list[str]) -> None:
    """Whatever the operations, the dataset afterwards is what pyoxigraph's update makes of it, up to names of blank nodes."""
    empty.graph.clear()
    text = " ;\n".join(operations)
    reference = ox.Store()
    for graph in (reference, empty.graph):
        graph.update(START)
    try:
        reference.update(text)
    except (SyntaxError, RuntimeError) as error:  # a blank node's label in two operations, a graph that is not there to be copied
        with pytest.raises(QuerySyntaxError if isinstance(error, SyntaxError) else UsageError):
            run_update(empty, text)
        return
    try:
        write(empty, text)
    except UsageError:  # the engine still knows the name of a graph that was emptied, and copies nothing from it
        assume(False)
    assert shape(list(empty.graph)) == shape(list(reference))
    assert not [name for name in empty.graph.named_graphs() if not list(empty.graph.quads_for_pattern(None, None, None, name))]


def test_later_operations_see_earlier_effects_and_the_store_is_untouched_till_the_end(empty: Store) -> None:
    """The net difference holds neither what was added and removed again nor what was there already."""
    write(empty, "INSERT DATA { <http://a.example/1> <http://a.example/p> 1 }")
    before = set(empty.graph)
    pending = run_update(
        empty,
        """INSERT DATA { <http://a.example/1> <http://a.example/p> 1 . <http://a.example/2> <http://a.example/p> 2 } ;
        INSERT { ?s <http://a.example/twice> ?n } WHERE { ?s <http://a.example/p> ?o BIND(?o * 2 AS ?n) } ;
        DELETE WHERE { <http://a.example/2> ?p ?o }""",
    )
    assert set(empty.graph) == before
    assert (len(pending.removed), [str(quad.object.value) for quad in pending.added]) == (0, ["2"])


def test_a_large_store_is_asked_through_a_checkpoint_that_is_removed(empty: Store) -> None:
    """Where the graph is no small one, a dependent operation sees a copy on disk that leaves nothing behind."""
    many = {ox.Quad(ox.NamedNode(f"http://a.example/{n}"), ox.NamedNode("http://a.example/p"), ox.Literal(str(n))) for n in range(1500)}
    empty.take(lambda: (set(), many))
    write(
        empty,
        "DELETE DATA { <http://a.example/7> <http://a.example/p> '7' } ; "
        "INSERT { <http://a.example/all> <http://a.example/count> ?n } WHERE { SELECT (COUNT(*) AS ?n) { ?s <http://a.example/p> ?o } }",
    )
    (count,) = empty.graph.quads_for_pattern(ox.NamedNode("http://a.example/all"), None, None, None)
    assert count.object.value == "1499"
    assert not list(empty.path.glob("graph-outlook-*"))


def test_fresh_values_are_computed_once(empty: Store) -> None:
    """RAND, UUID and BNODE are evaluated when the difference is computed, and what is noted is what the graph has."""
    write(empty, "INSERT { [] <http://a.example/id> ?u } WHERE { BIND(UUID() AS ?u) }")
    ((removed, added),) = empty.ledger.journal()
    (quad,) = empty.graph
    assert (removed, added) == ("", f"{quad} .\n")


def test_blank_nodes_of_the_data_keep_their_identity(empty: Store) -> None:
    """A blank node that a pattern finds is the same one in the template, also inside a triple term."""
    write(
        empty,
        "INSERT DATA { _:a <http://a.example/p> 1 . <http://a.example/s> <http://a.example/says> <<( _:a <http://a.example/p> 1 )>> }",
    )
    write(empty, "INSERT { ?b <http://a.example/q> 2 } WHERE { ?b <http://a.example/p> 1 }")
    nodes = {quad.subject for quad in empty.graph if isinstance(quad.subject, ox.BlankNode)}
    assert len(nodes) == 1
    write(empty, "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }")
    assert list(empty.graph) == []


@pytest.mark.parametrize("text", ["LOAD <http://a.example/x>", "LOAD SILENT <file:///etc/x> INTO GRAPH <http://a.example/g>"])
def test_load_is_refused(empty: Store, text: str) -> None:
    with pytest.raises(QueryRefused, match="LOAD"):
        run_update(empty, f"INSERT DATA {{ <http://a.example/1> <http://a.example/p> 1 }} ; {text}")


def test_service_is_refused(empty: Store) -> None:
    with pytest.raises(QueryRefused, match="SERVICE"):
        run_update(empty, "INSERT { ?s ?p ?o } WHERE { SERVICE SILENT <http://127.0.0.1:1/> { ?s ?p ?o } }")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("INSERT DATA { <http://a.example/1> }", 1),
        ("INSERT DATA { <http://a.example/1> <http://a.example/p> 1 } ;\nDELETE { ?s ?p } WHERE { ?s ?p ?o }", 2),
        ("DELETE { ?s ?p ?o }\nWHERE { ?s ?p ?o } LIMIT 3", 2),
        ("DELETE { _:b ?p ?o } WHERE { ?s ?p ?o }", 1),
        ("INSERT { ?s ?p ?o }\nWHERE { ?s ?p }", 2),
        (";", 1),
        ("CLEAR XYZ", 1),
        ("SELECT * { ?s ?p ?o }", 1),
        ("DELETE DATA { ?s ?p ?o }", 1),
        ("INSERT DATA { _:a <http://a.example/p> 1 } ;\nINSERT DATA { _:a <http://a.example/p> 2 }", 2),
    ],
)
def test_a_syntax_error_has_its_line(empty: Store, text: str, line: int) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        run_update(empty, text)
    assert caught.value.line == line


def test_deep_and_endless_nesting_ends_before_the_engine(empty: Store) -> None:
    with pytest.raises(QuerySyntaxError):
        run_update(empty, "INSERT { ?s ?p ?o } WHERE " + "{" * 5000 + "}" * 5000)


def test_a_prologue_alone_is_no_fault(empty: Store) -> None:
    """SPARQL 1.1 Update's grammar (rule 29) lets a request be empty and end in a semicolon and a prologue."""
    for text in ("", "PREFIX a: <http://a.example/>", "INSERT DATA { <http://a.example/1> a 1 } ; PREFIX a: <http://a.example/>"):
        run_update(empty, text)


def test_graphs_that_should_or_should_not_be_there(empty: Store) -> None:
    """COPY, MOVE and ADD want their source, CREATE wants nothing; SILENT forgives both (SPARQL 1.1 Update, section 3.2)."""
    write(empty, "INSERT DATA { GRAPH <http://a.example/g> { <http://a.example/1> <http://a.example/p> 1 } }")
    for text in ("COPY <http://a.example/none> TO DEFAULT", "CREATE GRAPH <http://a.example/g>"):
        with pytest.raises(UsageError, match="SILENT"):
            run_update(empty, text)
        assert not run_update(empty, text.replace(" ", " SILENT ", 1))
    assert not run_update(empty, "DROP GRAPH <http://a.example/none>")


def test_graphs_named_by_the_request_and_by_the_text_are_a_conflict(empty: Store) -> None:
    using = Using((G,), ())
    with pytest.raises(UsageError, match="USING or WITH"):
        run_update(empty, "WITH <http://a.example/g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", using=using)


@pytest.fixture
def fill(empty: Store) -> Callable[[str], set[str]]:
    """Runs an update and gives the dataset as lines."""

    def run(text: str) -> set[str]:
        write(empty, text)
        return {str(quad) for quad in empty.graph}

    return run


def test_drop_all_leaves_nothing(fill: Callable[[str], set[str]], empty: Store) -> None:
    """Not even the names of graphs."""
    assert fill("INSERT DATA { <http://a.example/1> a 1 GRAPH <http://a.example/g> { <http://a.example/1> a 1 } }")
    assert fill("DROP ALL") == set()
    assert list(empty.graph.named_graphs()) == []
