"""The command `kg`: parses, reads the settings, runs one command, and turns errors into exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from kg.cli.command import Command, create_parser
from kg.cli.output import print_notice
from kg.errors import KgError, StoreFull, UsageError
from kg.settings import SETTINGS, load_settings

__all__ = ["MODULES", "iter_commands", "main"]

MODULES = (
    "build",
    "demo",
    "documents",
    "facts",
    "query",
    "search",
    "validate",
    "correct",
    "link",
    "export",
    "analyse",
    "serve",
    "evaluate",
    "train",
    "diff",
    "wikidata",
    "online",
    "backup",
    "doctor",
    "about",
)
"""Modules of this folder that hold commands, in the order of `kg --help`."""

INTERRUPTED = 130
INTERNAL = 3


def iter_commands() -> list[Command]:
    """Every command, in the order of the help."""
    return [command for name in MODULES for command in import_module(f"kg.cli.{name}").COMMANDS]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code; this is the border behind which no error stays unnamed."""
    verbosity = [0]
    try:
        return _run(argv, verbosity)
    except KgError as error:
        print_notice(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        print_notice("interrupted; what was stored is whole, and the same command goes on from there")
        return INTERRUPTED
    except SystemExit as stop:  # argparse, after --help and --version
        return int(stop.code or 0)
    except BrokenPipeError:  # who reads our output has had enough
        _silence_stdout()
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _internal(error, verbosity[0])
        _silence_stdout()
        print_notice("no space left on the disk (free some space and run the same command again)")
        return StoreFull.exit_code
    except Exception as error:  # noqa: BLE001 - the one border
        return _internal(error, verbosity[0])


def _internal(error: Exception, verbosity: int) -> int:
    if verbosity > 0:
        traceback.print_exc()
    print_notice(f"internal error: {type(error).__name__}: {error} (run it with -v for the traceback, and report that)")
    return INTERNAL


def _silence_stdout() -> None:
    """What is left in the buffer goes nowhere, so that the interpreter's end doesn't fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: Sequence[str] | None, verbosity: list[int]) -> int:
    _set_up_streams()
    arguments, unknown = create_parser(iter_commands()).parse_known_args(argv)
    if unknown:
        raise UsageError(f"{unknown[0]} is not understood", hint=f"see `kg {arguments.command.name} --help`")
    verbosity[0] = getattr(arguments, "verbose", 0) - getattr(arguments, "quiet", False)
    arguments.verbosity = verbosity[0]
    _set_up_logging(verbosity[0])
    command: Command = arguments.command
    code = command.run(arguments, load_settings(_flags(arguments)))
    sys.stdout.flush()
    return code


def _flags(arguments: Namespace) -> dict[str, Any]:
    """Arguments that are named as settings are."""
    given = {setting.name: getattr(arguments, setting.name, None) for setting in SETTINGS}
    if given["store"] == "":
        raise UsageError("--store is empty", hint="name a folder, or leave it out")
    return given


def _set_up_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _set_up_logging(verbosity: int) -> None:
    levels = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
    logger = logging.getLogger("kg")
    logger.setLevel(levels.get(verbosity, logging.DEBUG))
    logger.handlers = [_Notices()]
    logger.propagate = False


class _Notices(logging.Handler):
    """Shows the library's warnings as messages of the command."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one record."""
        print_notice(record.getMessage())
