"""One table of settings, read in a fixed order: default, `kg.toml`, environment (`KG_…`), flag."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import InvalidSetting

__all__ = ["SETTINGS", "Setting", "Settings", "load_settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: name, default (its type is the setting's type), one line of help, least and greatest number.

    The value of a `secret` one is never to be shown.
    """

    name: str
    default: Any
    help: str
    least: float | None = None
    most: float | None = None
    secret: bool = False

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"KG_{self.name.upper()}"


SETTINGS = (
    Setting("store", "kg-store", "Folder of the store, or URL of a SPARQL server that holds its graph"),
    Setting(
        "ledger", "", "Folder of the ledger where the store is a URL; empty: `kg-ledger-…`, named after the URL, in the working folder"
    ),
    Setting("server", "", "Kind of that server: oxigraph, virtuoso, fuseki, graphdb, qlever or sparql; empty: what it says of itself"),
    Setting("server_query", "", "URL of its queries; empty: by its kind"),
    Setting("server_update", "", "URL of its updates; empty: by its kind"),
    Setting("server_store", "", "URL of its Graph Store Protocol; empty: by its kind"),
    Setting(
        "server_graph", "", "Graph on it that holds the fused view; empty: its default graph, or BASE`resource/fused` where it has none"
    ),
    Setting("server_user", "", "User name for the server, sent by HTTP Basic or Digest as it asks"),
    Setting("server_password", "", "Password of that user", secret=True),
    Setting("server_token", "", "Bearer token for the server, instead of user and password", secret=True),
    Setting("server_seconds", 120.0, "Longest time of one answer of the server, in seconds", 0.01, 86400),
    Setting("base", "http://localhost:8000/", "Base IRI of a store when it is made; kept by the store afterwards"),
    Setting("extractors", "encoder,rules", "Extractors to run, in order, separated by commas"),
    Setting("model", "", "Folder of the extraction model; empty: the one that is shipped"),
    Setting("languages", "en", "Languages that the extractors read, as codes separated by commas; `any` lets every text through"),
    Setting("threshold", 0.5, "Least confidence of a claim that is kept, 0 to 1", 0, 1),
    Setting("workers", 1, "Processes that extract documents", 1, 256),
    Setting("engine", "", "Cluster that extracts and fuses: `dask` for one of this machine, or tcp://HOST:PORT; empty: none"),
    Setting("shards", "", "Folder or URL (s3://, gs://, file://) for what workers of a bulk build pass on; empty: beside the store"),
    Setting("partitions", 32, "Parts that a bulk build fuses apart; each must fit into a worker's memory", 1, 100_000),
    Setting("batch", 16, "Documents that a worker of a bulk build takes at a time", 1, 1_000_000),
    Setting("document_seconds", 300.0, "Longest time for the extraction of one document; past it the document is a problem", 0.01, 86400),
    Setting("document_characters", 2_000_000, "Longest text of one document, in characters; past it the document is a problem", 1),
    Setting("future_days", 1, "How many days past today the date of a document may lie; past it the document is a problem", 0, 4_000_000),
    Setting("columns", "", "Columns of CSV and Parquet files by what they hold, such as `text=article,id=number,date=day`"),
    Setting("archive_bytes", 2**36, "Most bytes that one file may unpack to, archives in it included", 1),
    Setting("fetch_links", False, "Fetch the pages that a saved sitemap lists (those of a fetched one are fetched always)"),
    Setting("fetch_pages", 1000, "Most pages of one sitemap that are fetched", 0),
    Setting("fetch_pause", 1.0, "Least seconds between two requests to one host; its robots.txt may ask for more", 0, 3600),
    Setting("fetch_seconds", 60.0, "Longest time of one request, redirects included", 0.01, 86400),
    Setting("fetch_bytes", 2**28, "Largest answer to a request, in bytes", 1),
    Setting("fetch_private", False, "Let addresses of the own machine and of private networks be fetched"),
    Setting("fetch_contact", "", "Address or mail that the User-Agent of requests names, for those whose pages are fetched"),
    Setting(
        "fetch_cache", "kg-fetch-cache", "Folder that keeps fetched pages, so that what has not changed is not sent again; empty: none"
    ),
    Setting("validate", True, "Check every document's graph against the shapes before it is stored"),
    Setting("ontology", "", "Folder of the ontology and its shapes; empty: the one that is shipped"),
    Setting("queries", "", "Folder of named queries; empty: the one that is shipped"),
    Setting("wikidata_index", "shipped", "Index of Wikidata items, or several separated by commas; `shipped` is the built-in one"),
    Setting("agent", "", "Who takes a decision by hand (`kg merge`, `kg reject`); empty: the login name"),
    Setting("host", "127.0.0.1", "Address on which the service listens"),
    Setting("port", 8000, "Port on which the service listens", 0, 65535),
    Setting("token", "", "Bearer token that allows writing over HTTP; empty: read only", secret=True),
    Setting(
        "guard", "refuse", "What becomes of a write that breaks a shape: refuse, quarantine (hold the node back, write the rest) or off"
    ),
    Setting("load_hosts", "", "Hosts from which LOAD in an update may fetch, separated by commas; empty: none. Private addresses never"),
    Setting("upload_bytes", 8 * 2**30, "Most bytes of RDF in one request to the graph store; past it the answer is 413", 1),
    Setting("query_seconds", 30.0, "Longest time of one query, in seconds", 0.01, 86400),
    Setting("query_rows", 1_000_000, "Most rows of one result; past it the answer is an error, never cut silently", 1),
    Setting("query_megabytes", 2048, "Most memory that one query may take beyond the graph, in megabytes", 16),
    Setting("serve_workers", 0, "Processes that answer requests, more while some take long; 0: as many as processors", 0, 32),
    Setting("queue", 256, "Most requests that wait while all processes are busy; past it the answer is 503", 1, 100_000),
    Setting("cache_megabytes", 64, "Memory for answers that are given again while the store stays the same; 0: none", 0, 65_536),
    Setting("access_log", "", "File for one line of JSON a request; `-`: standard error; empty: none"),
    Setting("slow_seconds", 5.0, "Requests that take longer are told to standard error, with their query", 0, 86400),
    Setting("lock_seconds", 300.0, "Longest wait for another process that writes to the store", 0, 86400),
    Setting("picture_width", 1600, "Width of SVG and PNG pictures, in pixels", 200, 10_000),
    Setting("picture_height", 1000, "Height of SVG and PNG pictures, in pixels", 200, 10_000),
    Setting("picture_nodes", 200, "Most entities in a picture; the best connected are shown", 1, 200),
    Setting("query_bytes", 1 << 30, "Most bytes of one result; past it the answer is an error, never cut silently", 1000),
    Setting("query_characters", 2_000_000, "Longest text of one query, in characters", 100),
    Setting("services", "", "Addresses of SPARQL services that queries may ask by SERVICE, separated by commas; empty: none"),
    Setting("llm_url", "", "Address of a server of chat completions, up to /v1, for the extractor `llm`; empty: none"),
    Setting("llm_model", "", "Name of the language model on that server"),
    Setting("llm_key", "", "Key that the server asks for, sent as bearer token; empty: none", secret=True),
    Setting("llm_requests_per_minute", 60.0, "Most requests to that server in a minute, of all workers together; 0: no limit", 0, 1e6),
    Setting("llm_price_in", 0.0, "Price of a million tokens sent, to show the cost", 0, 1e9),
    Setting("llm_price_out", 0.0, "Price of a million tokens received, to show the cost", 0, 1e9),
    Setting("llm_cache", "kg-llm-cache", "Folder that keeps the server's answers, so that a rebuild asks nothing; empty: none"),
    Setting("contact", "", "Page or mail address that online services are told, so that they can write to you; Wikimedia asks for one"),
    Setting("wikidata_api", "https://www.wikidata.org/w/api.php", "Address of Wikidata's action API"),
    Setting("wikidata_sparql", "https://query.wikidata.org/sparql", "Address of Wikidata's query service"),
    Setting("wikidata_reconcile", "", "Address of a reconciliation service of Wikidata's items; empty: the action API is asked instead"),
    Setting("online_requests_per_minute", 60.0, "Most requests to one online service in a minute; 0: no limit", 0, 1e6),
    Setting("online_seconds", 60.0, "Longest wait for one answer of an online service, in seconds", 0.01, 3600),
    Setting("online_cache", "kg-online-cache", "Folder that keeps online services' answers, so that none is asked for twice; empty: none"),
    Setting("online_answers", "kg-online-answers.jsonl", "File that records what online services said of names, with the day"),
)

_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
_TABLE = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force; attribute access by the names of the table."""

    values: tuple[tuple[str, Any], ...] = tuple(_DEFAULTS.items())

    def __getattr__(self, name: str) -> Any:
        for key, value in object.__getattribute__(self, "values"):
            if key == name:
                return value
        raise AttributeError(name)

    def replace(self, /, **changes: Any) -> Settings:
        """These settings with some values changed; InvalidSetting for a name that is not in the table."""
        merged = dict(self.values)
        for name, value in changes.items():
            if name not in _DEFAULTS:
                raise InvalidSetting(f"there is no setting {name!r}", hint="`kg settings` lists them")
            merged[name] = _converted(name, value)
        return Settings(tuple(merged.items()))


def _converted(name: str, value: Any) -> Any:
    setting = _TABLE[name]
    converted = _flag(name, value) if isinstance(setting.default, bool) else _plain(setting, value)
    low, high = setting.least, setting.most
    if (low is not None and not converted >= low) or (high is not None and not converted <= high):
        allowed = f"from {low:g} to {high:g}" if high is not None else f"{low:g} or more"
        raise InvalidSetting(f"{name} is {allowed}, not {value!r}", hint=f"see `kg settings`, or unset {setting.variable}")
    return converted


def _flag(name: str, value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    word = str(value).strip().lower()
    if word not in words:
        raise InvalidSetting(f"{name} is yes or no, not {value!r}", hint=f"unset {_TABLE[name].variable} or set it to 1 or 0")
    return words[word]


def _plain(setting: Setting, value: Any) -> Any:
    """Text, an integer or a number, from text or from a value that loses nothing by it."""
    kind = type(setting.default)
    try:
        if isinstance(value, (list, dict, bool)) or (kind is int and isinstance(value, float)):
            raise ValueError
        return kind(value)
    except (TypeError, ValueError) as error:
        word = {str: "text", int: "a whole number", float: "a number"}[kind]
        raise InvalidSetting(
            f"{setting.name} takes {word}, not {value!r}", hint=f"see `kg settings`, or unset {setting.variable}"
        ) from error


def load_settings(flags: Mapping[str, Any] | None = None, *, file: Path | None = None) -> Settings:
    """Settings from default, file (`kg.toml` in the working folder, where there is one), environment and flags.

    An empty environment variable counts as unset; a flag that is None was not given.
    Raises InvalidSetting for a value of the wrong kind or a file that can't be read.
    """
    path = file or Path("kg.toml")
    settings = Settings()
    if file is not None or path.is_file():
        try:
            settings = settings.replace(**tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise InvalidSetting(f"{path} can't be read: {error}", hint="mend or remove it") from error
    environment = {s.name: os.environ[s.variable] for s in SETTINGS if os.environ.get(s.variable)}
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    return settings.replace(**environment).replace(**given)
