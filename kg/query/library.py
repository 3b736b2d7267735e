"""Named queries: reads queries/*.rq with their headers, and asks them with typed parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kg.errors import NotFound, OntologyError, UsageError
from kg.query.guard import iter_tokens
from kg.query.parameters import TYPES, Parameter, bind_parameters
from kg.query.results import Results
from kg.query.run import run_query
from kg.resources import resource
from kg.settings import Settings
from kg.store import Store

__all__ = ["NamedQuery", "as_index", "as_markdown", "ask", "find_query", "load_queries", "queries_folder", "read_query"]

_PARAMETER = re.compile(
    r"(?P<name>[A-Za-z]\w*)\s+(?P<type>\w+)(?::(?P<classes>\w+(?:\|\w+)*))?(?:\s+default=(?P<default>\"[^\"]*\"|\S*))?\s+[–-]\s+(?P<description>\S.*)"
)
_KEYS = ("title", "question", "parameter")


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query of the library: `text` is the whole file, header included, so that positions in errors are those of the file."""

    name: str
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    text: str


def queries_folder(settings: Settings) -> Path:
    """Folder of the named queries in force: the setting's, else the one that is shipped."""
    return Path(settings.queries) if settings.queries else resource("queries")


def load_queries(settings: Settings) -> dict[str, NamedQuery]:
    """Every named query, by name. OntologyError names a file that can't be read."""
    paths = sorted(queries_folder(settings).glob("*.rq"))
    return {path.stem: _read_file(path) for path in paths}


def find_query(settings: Settings, name: str) -> NamedQuery:
    """One named query; NotFound, with near names, where there is none."""
    folder = queries_folder(settings)
    known = {path.stem: path for path in folder.glob("*.rq")}
    if name not in known:
        raise NotFound.among("query", name, known)
    return _read_file(known[name])


def ask(store: Store, query: str, given: Mapping[str, str], *, settings: Settings, stdin: str = "") -> Results:
    """The answer of a named query, of a file, or (``-``) of the text `stdin`; parameters are given as texts.

    Raises NotFound for an unknown query, UsageError for parameters that don't fit, and what `run_query` raises.
    """
    if query == "-":
        found = read_query("-", stdin)
    elif _is_path(query) and not (queries_folder(settings) / f"{query}.rq").is_file():
        found = _read_file(Path(query))
    else:
        found = find_query(settings, query)
    return run_query(store, found.text, settings=settings, parameters=bind_parameters(store, found.parameters, given))


def _is_path(query: str) -> bool:
    return query.endswith((".rq", ".sparql")) or "/" in query or Path(query).is_file()


def read_query(name: str, text: str) -> NamedQuery:
    """A query with the header that its text may have. OntologyError where the header is broken."""
    header: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("#"):
            break
        content = line.lstrip("#").strip()
        key, colon, rest = content.partition(":")
        if colon and key in _KEYS:
            header.append([key, rest.strip(), str(number)])
        elif header and content:
            header[-1][1] += f" {content}"
    said = {key: value for key, value, _ in header if key != "parameter"}
    parameters = tuple(_parameter(name, value, line) for key, value, line in header if key == "parameter")
    used = {token.text[1:] for token in iter_tokens(text) if token.kind == "variable"}
    for parameter in parameters:
        if parameter.name not in used:
            raise OntologyError(f"query {name}: the parameter {parameter.name} is not used", hint=f"write ${parameter.name} in the query")
    return NamedQuery(name, said.get("title", name), said.get("question", ""), parameters, text)


def _parameter(query: str, text: str, line: str) -> Parameter:
    match = _PARAMETER.fullmatch(text)
    if match is None or match["type"] not in TYPES:
        raise OntologyError(
            f"query {query}, line {line}: {text!r} is no parameter",
            hint=f"write `# parameter: NAME TYPE default=VALUE – description`, TYPE one of {', '.join(TYPES)}",
        )
    classes = tuple((match["classes"] or "").split("|")) if match["classes"] else ()
    default = match["default"]
    return Parameter(match["name"], match["type"], match["description"], classes, default.strip('"') if default is not None else None)


def _read_file(path: Path) -> NamedQuery:
    try:
        return read_query(path.stem, path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"no query file {path}", hint="name a file, or a query that `kg queries` lists") from error
    except UnicodeDecodeError as error:
        raise OntologyError(f"{path} is not UTF-8", hint="save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}", hint="name a file, or a query that `kg queries` lists") from error


def as_markdown(settings: Settings) -> str:
    """The page of all named queries, with their parameters and the command that asks each."""
    queries = load_queries(settings)
    lines = [
        "# Named queries",
        "",
        "Made from the headers in `queries/`. Ask one with `kg query NAME --param k=v`; the service has each under `/queries/NAME?k=v`.",
        "Parameters are typed: "
        + "; ".join(f"*{kind}* takes {what}" for kind, what in TYPES.items())
        + ". One with a default may be left out; an empty default restricts nothing.",
        "",
        "| query | answers |",
        "| --- | --- |",
        *(f"| [{name}](#{name}) | {query.title} |" for name, query in queries.items()),
    ]
    for query in queries.values():
        lines += ["", *_section(query)]
    return "\n".join(lines) + "\n"


def as_index(settings: Settings) -> str:
    """The table of contents of the folder of queries."""
    lines = [
        "# Named queries",
        "",
        "One question a file, named as the question. Made from the headers of the files; [docs/queries.md](../docs/queries.md) tells more.",
        "A header holds `# title: …`, `# question: …` and for each parameter `# parameter: NAME TYPE default=VALUE – what it is`;",
        "the query uses it as `$NAME`. Relative IRIs are those of the store.",
        "",
        "| file | answers | parameters |",
        "| --- | --- | --- |",
    ]
    for name, query in load_queries(settings).items():
        names = ", ".join(parameter.name if parameter.default is None else f"{parameter.name}?" for parameter in query.parameters)
        lines.append(f"| [{name}.rq]({name}.rq) | {query.title} | {names} |")
    return "\n".join(lines) + "\n"


def _section(query: NamedQuery) -> list[str]:
    needed = "".join(f' --param {parameter.name}="…"' for parameter in query.parameters if parameter.default is None)
    lines = [f"## {query.name}", "", f"**{query.title}.** {query.question}", "", f"    kg query {query.name}{needed}"]
    if query.parameters:
        lines += ["", "| parameter | type | default | is |", "| --- | --- | --- | --- |"]
    for parameter in query.parameters:
        default = "needed" if parameter.default is None else f"`{parameter.default}`" if parameter.default else "any"
        lines.append(f"| {parameter.name} | {parameter.signature.replace('|', ' or ')} | {default} | {parameter.description} |")
    return lines
