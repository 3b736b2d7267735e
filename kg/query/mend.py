"""Rewrites queries that the engine would answer otherwise than SPARQL 1.1 says; most queries are left as they are.

Each rewriting is an equality of the algebra, for a form of query and not for a query:

- ``GROUP_CONCAT`` gives a simple literal (section 18.5.1.7); the engine keeps a language tag.
- ``BNODE(text)`` gives another blank node for each solution (section 17.4.2.9); the engine makes the text its label.
- ``GRAPH ?g`` joins what its pattern gives in each graph with that graph's name (section 18.6); the engine hands ``?g`` to
  triple patterns only, so that it stays unbound, counts run over all graphs, and MINUS finds ``?g`` on both sides.
- A path of length zero begins and ends at its constant even if no triple holds that (section 18.4, ZeroLengthPath).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kg.errors import UsageError
from kg.query.guard import Token, iter_tokens
from kg.query.paths import shortest_paths

__all__ = ["MOST_GRAPHS", "mend"]

MOST_GRAPHS = 200
"""In how many graphs a subquery inside ``GRAPH ?g`` is answered one by one; past it the query is refused."""

_LONGEST = 2_000_000
_MOST_PATHS = 100
_FORMS = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")
_AGGREGATES = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"})

Solve = Callable[[str], list[str]]
"""Asks the engine a query of one column and gives its terms as SPARQL writes them; for ASK one term for yes, none for no."""


@dataclass(slots=True)
class Source:
    """A query with its tokens, and for each bracket the number of its partner."""

    text: str
    tokens: Sequence[Token]
    partners: dict[int, int] = field(default_factory=dict)
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Pairs the brackets; those that have no partner are left out, and the engine will say so."""
        opened: list[int] = []
        for number, token in enumerate(self.tokens):
            if token.kind != "mark":
                continue
            if token.text in ("{", "(", "["):
                opened.append(number)
            elif token.text in ("}", ")", "]") and opened:
                start = opened.pop()
                self.partners[start], self.partners[number] = number, start

    def word(self, number: int) -> str:
        """The token in capitals where it is a word, else nothing."""
        token = self.tokens[number] if 0 <= number < len(self.tokens) else None
        return token.text.upper() if token is not None and token.kind == "word" else ""

    def mark(self, number: int) -> str:
        """The token where it is a mark, else nothing."""
        token = self.tokens[number] if 0 <= number < len(self.tokens) else None
        return token.text if token is not None and token.kind == "mark" else ""

    def end(self, number: int) -> int:
        """Where a token ends in the text."""
        return self.tokens[number].start + len(self.tokens[number].text)

    def words(self, *wanted: str) -> Iterator[int]:
        """Numbers of the tokens that are one of these words."""
        return (number for number in range(len(self.tokens)) if self.word(number) in wanted)

    def names(self, start: int, end: int) -> set[str]:
        """Names of the variables among these tokens."""
        return {token.text[1:] for token in self.tokens[start:end] if token.kind == "variable"}

    def replace(self, start: int, end: int, text: str) -> None:
        """Notes a change of the text; `start` and `end` count characters."""
        self.edits.append((start, end, text))

    def edited(self) -> str:
        """The text with all changes; they never overlap."""
        text = self.text
        for start, end, new in sorted(self.edits, key=lambda edit: edit[:2], reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def head(self) -> tuple[str, str]:
        """The prologue, and the dataset clauses of the query itself."""
        form = next(self.words(*_FORMS), len(self.tokens) - 1)
        clauses = []
        for number in range(form, len(self.tokens)):
            if self.mark(number) == "{" and self.word(form) != "CONSTRUCT":
                break
            if self.word(number) == "FROM":
                last = number + (2 if self.word(number + 1) == "NAMED" else 1)
                clauses.append(self.text[self.tokens[number].start : self.end(min(last, len(self.tokens) - 1))])
        return self.text[: self.tokens[form].start], " ".join(clauses)


def mend(text: str, tokens: Sequence[Token], solve: Solve) -> str:
    """The query that makes the engine answer as it should; mostly the same. UsageError where that would grow beyond all bounds."""
    if any(token.kind == "mark" and token.text in "*?" for token in tokens):
        text, tokens = _applied(text, tokens, lambda source: _mend_paths(source, solve))
    words = {token.text.upper() for token in tokens if token.kind == "word"}
    if "GRAPH" in words:
        text, tokens = _applied(text, tokens, _mend_graphs)
        if "SELECT" in words:
            text, tokens = _applied(text, tokens, _mend_projections)
            text, tokens = _applied(text, tokens, lambda source: _spell_out(source, solve))
    if "BNODE" in words:
        text, tokens = _applied(text, tokens, _mend_bnodes)
    if "GROUP_CONCAT" in words:
        text, tokens = _applied(text, tokens, _mend_concatenations)
    return text


def _applied(text: str, tokens: Sequence[Token], change: Callable[[Source], None]) -> tuple[str, Sequence[Token]]:
    source = Source(text, tokens)
    change(source)
    if not source.edits:
        return text, tokens
    mended = source.edited()
    return mended, list(iter_tokens(mended))


def _mend_concatenations(source: Source) -> None:
    """``STR`` around every GROUP_CONCAT."""
    for number in source.words("GROUP_CONCAT"):
        if number + 1 in source.partners:
            source.replace(source.tokens[number].start, source.tokens[number].start, "STR(")
            source.replace(source.end(source.partners[number + 1]), source.end(source.partners[number + 1]), ")")


# -- blank nodes -----------------------------------------------------------------------------------------------


def _mend_bnodes(source: Source) -> None:
    """Every solution gets a number of its own, which goes into the labels. Aggregates, and BIND under ``SELECT *``, are left."""
    calls = [number for number in source.words("BNODE") if number + 1 in source.partners and source.mark(number + 2) != ")"]
    star = any(source.mark(n + 1 + (source.word(n + 1) in ("DISTINCT", "REDUCED"))) == "*" for n in source.words("SELECT", "DESCRIBE"))
    bound: dict[int, str] = {}
    for select in source.words("SELECT"):
        group = next((n for n in range(select, len(source.tokens)) if source.mark(n) == "{"), None)
        inside = [call for call in calls if group is not None and select < call < group]
        if group not in source.partners or not inside or _is_grouped(source, select, group):
            continue
        name = f"?kg_row_{select}"
        end = source.end(source.partners[group])
        source.replace(source.tokens[group].start, source.tokens[group].start, "{ ")
        source.replace(end, end, f" BIND(STRUUID() AS {name}) }}")
        for call in inside:
            _number(source, call, name)
    for bind in source.words("BIND"):
        inside = [call for call in calls if bind < call < source.partners.get(bind + 1, 0)]
        if inside and not star:
            group = max((n for n, end in source.partners.items() if n < bind < end and source.mark(n) == "{"), default=-1)
            if group not in bound:
                bound[group] = f"?kg_row_{bind}"
                source.replace(source.tokens[bind].start, source.tokens[bind].start, f"BIND(STRUUID() AS {bound[group]}) ")
            for call in inside:
                _number(source, call, bound[group])


def _is_grouped(source: Source, select: int, group: int) -> bool:
    """Whether a SELECT counts or groups, so that its solutions are not those of its pattern."""
    after = source.partners[group]
    return source.word(after + 1) == "GROUP" or any(source.word(number) in _AGGREGATES for number in range(select, group))


def _number(source: Source, call: int, name: str) -> None:
    source.replace(source.end(call + 1), source.end(call + 1), 'CONCAT("b", MD5(')
    end = source.tokens[source.partners[call + 1]].start
    source.replace(end, end, f"), {name})")


# -- GRAPH with a variable ---------------------------------------------------------------------------------------


def _groups(source: Source) -> Iterator[tuple[int, int, str]]:
    """Each ``GRAPH ?g { … }``: numbers of its braces, name of its variable."""
    for number in source.words("GRAPH"):
        if number + 2 in source.partners and source.mark(number + 2) == "{" and source.tokens[number + 1].kind == "variable":
            yield number + 2, source.partners[number + 2], source.tokens[number + 1].text[1:]


def _has_triples(source: Source, start: int, end: int) -> bool:
    """Whether tokens hold more than VALUES, BIND and FILTER, whose answer is the same in every graph."""
    number = start
    while number < end:
        word, mark = source.word(number), source.mark(number)
        if word == "VALUES":
            brace = next((n for n in range(number, end) if source.mark(n) == "{"), end)
            number = source.partners.get(brace, end)
        elif word in ("BIND", "FILTER") and number + 1 in source.partners:
            close = source.partners[number + 1]
            if any(source.mark(n) == "{" for n in range(number, close)):
                return True
            number = close
        elif mark not in (".", "{", "}"):
            return True
        number += 1
    return False


def _mend_graphs(source: Source) -> None:
    """Names all graphs beside a pattern without triples; leaves out MINUS that shares no variable, which takes nothing away."""
    done = -1
    for start, end, name in _groups(source):
        if start < done:
            continue
        if end > start + 1 and not _has_triples(source, start + 1, end):
            source.replace(source.end(start), source.end(start), " } {")
            continue
        number = start + 1
        while number < end:
            if source.word(number) == "MINUS" and number + 1 in source.partners:
                close = source.partners[number + 1]
                ours, theirs = source.names(start + 1, number), source.names(number, close)
                if not ours & theirs and name not in theirs:
                    source.replace(source.tokens[number].start, source.end(close), "")
                    done = close
            number = source.partners.get(number, number) + 1


@dataclass(frozen=True, slots=True)
class _Subquery:
    """Numbers of SELECT, of the braces of its pattern and of what ends it; whether it can carry one more variable."""

    select: int
    start: int
    end: int
    last: int
    can_carry: bool


def _subqueries(source: Source, start: int, end: int, name: str) -> Iterator[_Subquery]:
    """The queries inside ``GRAPH ?name { … }`` that don't hand its variable on."""
    inner = [(a, b) for a, b, _ in _groups(source) if start < a and b < end]
    for select in source.words("SELECT"):
        if not start < select < end or any(a < select < b for a, b in inner):
            continue
        group = next((n for n in range(select, end) if source.mark(n) == "{"), end)
        close = source.partners.get(group, end)
        star = any(source.mark(n) == "*" and source.mark(n - 1) != "(" for n in (select + 1, select + 2))
        if name in source.names(select, group) or (star and name in source.names(group, close)):
            continue
        last = next((n for n in range(close + 1, end) if source.mark(n) == "}"), end)
        words = {source.word(n) for n in range(close, last)}
        implicit = "GROUP" not in words and any(source.word(n) in _AGGREGATES for n in (*range(select, group), *range(close, last)))
        can_carry = not star and not implicit and not words & {"LIMIT", "OFFSET"} and _has_triples(source, group + 1, close)
        yield _Subquery(select, group, close, last, can_carry)


def _mend_projections(source: Source) -> None:
    """Hands ``?g`` on through queries inside ``GRAPH ?g``, where that changes nothing else."""
    for start, end, name in _groups(source):
        for found in _subqueries(source, start, end, name):
            if found.can_carry:
                for token in source.tokens[found.select : found.last]:
                    if token.kind == "variable" and token.text[1:] == name:  # another one: it isn't handed on
                        source.replace(token.start, token.start + len(token.text), f"?kg_inner_{name}")
                first = found.select + (source.word(found.select + 1) in ("DISTINCT", "REDUCED"))
                source.replace(source.end(first), source.end(first), f" ?{name}")
                group = next((n for n in range(found.end, found.last) if source.word(n) == "GROUP"), None)
                if group is not None:
                    source.replace(source.end(group + 1), source.end(group + 1), f" ?{name}")


def _spell_out(source: Source, solve: Solve) -> None:
    """One pattern for each graph where a query inside counts or limits graph by graph."""
    done = -1
    for start, end, name in _groups(source):
        if start < done or next(_subqueries(source, start, end, name), None) is None:
            continue
        done = end
        prologue, dataset = source.head()
        graphs = sorted(solve(f"{prologue} SELECT ?kg_graph {dataset} {{ GRAPH ?kg_graph {{}} }} LIMIT {MOST_GRAPHS + 1}"))
        pattern = source.text[source.end(start) : source.tokens[end].start]
        labelled = any(token.text.startswith("_:") for token in source.tokens[start:end])
        if len(graphs) > MOST_GRAPHS or len(graphs) * len(pattern) > _LONGEST or labelled:
            raise UsageError(
                f"a query inside GRAPH ?{name} is answered in each graph by itself, and that is possible in {MOST_GRAPHS} graphs",
                hint=f"put ?{name} into its SELECT and GROUP BY, or name the graphs",
            )
        parts = [f"{{ GRAPH {graph} {{{pattern}}} VALUES ?{name} {{ {graph} }} }}" for graph in graphs]
        source.replace(source.tokens[start - 2].start, source.end(end), _union(parts) if parts else "{ FILTER(false) }")


def _union(parts: Sequence[str]) -> str:
    """All parts, nested as flat as can be."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return f"{{ {_union(parts[:half])} UNION {_union(parts[half:])} }}"


# -- paths of length zero ------------------------------------------------------------------------------------------


def _mend_paths(source: Source, solve: Solve) -> None:
    """Where a path may be empty and its constant is in no triple, that constant is all there is to find."""
    found = list(shortest_paths(source.tokens, source.partners))
    if not 0 < len(found) <= _MOST_PATHS:
        return
    prologue, dataset = source.head()
    braces = [n for n in source.partners if source.mark(n) == "{" and source.word(n - 2) == "GRAPH"]
    for path in found:
        pattern = f"{{ {path.constant} ?kg_p ?kg_o }} UNION {{ ?kg_s ?kg_p {path.constant} }}"
        if any(n < path.start < source.partners[n] for n in braces):
            pattern = f"{{ {pattern} }} UNION {{ GRAPH ?kg_g {{ {pattern} }} }}"
        if not solve(f"{prologue} ASK {dataset} {{ {pattern} }}"):
            rows = " ".join([path.constant if path.variable else "()"] * path.ways)
            values = f" VALUES {path.variable or '()'} {{ {rows} }} "
            source.replace(source.tokens[path.start].start, source.end(path.end - 1), values)
