"""`kg serve`: the store over HTTP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from kg.cli.command import Command
from kg.cli.output import print_notice
from kg.cli.stores import check_store, is_on_server, open_for_writing
from kg.errors import StoreMissing

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["COMMANDS"]


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", metavar="H", help="address to listen on (default: $KG_HOST, else 127.0.0.1)")
    parser.add_argument("--port", metavar="N", help="port to listen on (default: $KG_PORT, else 8000)")
    parser.add_argument("--token", metavar="T", help="bearer token that allows writing (default: $KG_TOKEN; none: read only)")
    parser.add_argument("--workers", dest="serve_workers", metavar="N", help="processes that answer (default: as many as processors)")
    parser.add_argument("--read-only", dest="token", action="store_const", const="", help="no writing, whatever token is set")


def _run(arguments: Namespace, settings: Settings) -> int:
    from kg.service.server import serve

    _require_store(settings)
    serve(settings.store, settings, announce=lambda url: print_notice(f"serving {settings.store} on {url} (Ctrl-C ends it)"))
    return 0


def _require_store(settings: Settings) -> None:
    """Where there is no store, makes one if a token is set: in a process of its own, since this one is going to fork."""
    try:
        check_store(settings)
    except StoreMissing:
        if not settings.token:
            if is_on_server(settings):  # which can be asked without its ledger
                return
            raise
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            pool.submit(_create, settings).result()


def _create(settings: Settings) -> None:
    open_for_writing(settings, create=True).close()


COMMANDS = (Command("serve", "serves the graph over HTTP: SPARQL, pages, data", _run, ("kg serve --port 8000",), _arguments),)
