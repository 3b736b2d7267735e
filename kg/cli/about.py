"""`kg plugins` and `kg settings`: what is installed, and what is set."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from kg.cli.command import Command, add_format
from kg.cli.output import print_list
from kg.settings import SETTINGS

if TYPE_CHECKING:
    from kg.settings import Settings

__all__ = ["COMMANDS"]


def _plugins(arguments: Namespace, settings: Settings) -> int:
    from kg.plugins import list_plugins

    rows = [
        {"family": each.family, "name": each.name, "origin": each.origin, "version": each.version, "entry": each.entry.value}
        for each in list_plugins()
    ]
    print_list(rows, ("family", "name", "origin", "version", "entry"), arguments.format)
    return 0


def _settings(arguments: Namespace, settings: Settings) -> int:
    rows = []
    for each in SETTINGS:
        value = getattr(settings, each.name)
        shown = "(set)" if each.secret and value else value
        rows.append({"name": each.name, "value": shown, "default": each.default, "variable": each.variable, "help": each.help})
    print_list(rows, ("name", "value", "default", "variable", "help"), arguments.format)
    return 0


COMMANDS = (
    Command("plugins", "lists readers, extractors and exporters, with where they come from", _plugins, ("kg plugins",), add_format),
    Command("settings", "lists the settings with the values in force", _settings, ("kg settings", "kg settings --format json"), add_format),
)
