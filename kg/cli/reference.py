"""The generated pages of docs/, made from what the parser, the settings, the registry, the errors, queries and ontology hold.

`python -m kg.cli.reference` writes them anew (`make docs`).
"""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from inspect import getdoc
from pathlib import Path

import kg
from kg import errors
from kg.cli.command import Command, create_parser
from kg.cli.main import iter_commands
from kg.plugins import Plugin, list_plugins
from kg.settings import SETTINGS, Setting, Settings

__all__ = ["commands_page", "pages", "reference_page", "settings_page"]

_CODES = """| code | means |
| --- | --- |
| 0 | done |
| 1 | some documents could not be read or extracted, `kg validate` found violations, or `kg doctor` a fault |
| 2 | arguments or input can't be used |
| 3 | an internal error, or the store can't do it (its disk is full, say) |
| 130 | Ctrl-C |
"""
_CONVENTIONS = """Results go to standard output, progress and messages to standard error. Without `--format` a list is a table on a
terminal and CSV in a pipe, a graph is TriG. What goes into a pipe is neither wrapped nor shortened.
"""


def commands_page() -> str:
    """The command line reference."""
    commands = iter_commands()
    lines = ["# Command line", "", "Made from `kg --help` by `make docs`.", "", _CONVENTIONS, _CODES]
    lines += ["| command | does |", "| --- | --- |"]
    lines += [f"| [kg {each.name}](#kg-{each.name.replace(' ', '-')}) | {each.summary} |" for each in commands]
    lines += ["", "Before and after every command:", "", *_arguments(_always()), ""]
    for command in commands:
        lines += _section(command)
    return "\n".join(lines)


def _always() -> Iterable[Action]:
    (group,) = (group for group in create_parser(())._action_groups if group.title == "always")
    return group._group_actions


def _section(command: Command) -> list[str]:
    parser = ArgumentParser(add_help=False)
    command.arguments(parser)
    usage = " ".join(_usage(action) for action in parser._actions)
    lines = [
        f"## kg {command.name}",
        "",
        f"{command.summary[0].upper()}{command.summary[1:]}.",
        "",
        f"    kg {command.name} {usage}".rstrip(),
        "",
    ]
    if parser._actions:
        lines += [*_arguments(parser._actions), ""]
    return [*lines, "Try:", "", *(f"    {example}" for example in command.examples), ""]


def _usage(action: Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return {"*": f"[{name}…]", "+": f"{name}…"}.get(str(action.nargs), name)
    text = action.option_strings[-1] + ("" if action.nargs == 0 else f" {name}")
    return text if action.required else f"[{text}]"


def _arguments(actions: Iterable[Action]) -> list[str]:
    lines = ["| argument | is |", "| --- | --- |"]
    for action in actions:
        if action.help and action.help != SUPPRESS:
            value = f" {action.metavar}" if isinstance(action.metavar, str) and action.nargs != 0 else ""
            name = ", ".join(action.option_strings) + value if action.option_strings else str(action.metavar)
            lines.append(f"| `{name}` | {_cell(action.help)} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def settings_page() -> str:
    """The reference of settings."""
    lines = [
        "# Settings",
        "",
        "Made from the table in `kg/settings.py` by `make docs`. A setting has its default, unless the file `kg.toml` of the working",
        "folder, the environment or a flag (in this order, the last one counts) says something else. An empty environment variable",
        "counts as unset. `kg settings` shows the values in force.",
        "",
        "| setting | environment | default | is |",
        "| --- | --- | --- | --- |",
        *(f"| `{each.name}` | `{each.variable}` | {_default(each)} | {_cell(each.help)} |" for each in SETTINGS),
    ]
    return "\n".join(lines) + "\n"


def _default(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return "yes" if setting.default else "no"
    return f"`{setting.default}`" if setting.default != "" else ""


def reference_page() -> str:
    """The reference of the library's names, the errors and the plug-ins that come with kg."""
    own = [plugin for plugin in list_plugins() if plugin.origin == "kg"]
    lines = [
        "# Reference",
        "",
        "Made from the code by `make docs`.",
        "",
        "## Python",
        "",
        "What `import kg` offers; `help(kg.build)` tells the parameters.",
        "",
        "| name | is |",
        "| --- | --- |",
        *(f"| `kg.{name}` | {_summary(getattr(kg, name))} |" for name in kg.__all__),
        "",
        "## Errors",
        "",
        "All come from `KgError` and have a `message` and a `hint`; the code is the exit code of the command line.",
        "",
        "| error | is a | code | means |",
        "| --- | --- | --- | --- |",
        *(_error(getattr(errors, name)) for name in errors.__all__),
        "",
        "## Plug-ins",
        "",
        "Those that come with kg; `kg plugins` lists those of other packages, too. [extending.md](extending.md) tells how to write one.",
        "",
        "| family | name | is |",
        "| --- | --- | --- |",
        *(f"| {each.family} | `{each.name}` | {_plugin(each)} |" for each in own),
    ]
    return "\n".join(lines) + "\n"


def _error(kind: type[errors.KgError]) -> str:
    parent = kind.__mro__[1].__name__
    return f"| `{kind.__name__}` | `{parent}` | {kind.exit_code} | {_summary(kind)} |"


def _plugin(plugin: Plugin) -> str:
    """Exporters share modules, so theirs is the description of the factory."""
    return _summary(plugin.load() if plugin.family == "exporters" else import_module(plugin.entry.module))


def _summary(thing: object) -> str:
    return _cell((getdoc(thing) or "").split("\n\n")[0].replace("\n", " "))


def pages() -> dict[str, str]:
    """Every generated page, by its path in the project."""
    from kg.query.library import as_index, as_markdown
    from kg.rdf.ontology_page import ontology_page

    settings = Settings()
    return {
        "docs/cli.md": commands_page(),
        "docs/ontology.md": ontology_page(settings),
        "docs/queries.md": as_markdown(settings),
        "docs/reference.md": reference_page(),
        "docs/settings.md": settings_page(),
        "queries/README.md": as_index(settings),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        Path(path).write_text(content, encoding="utf-8")
