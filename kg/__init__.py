"""Documents to a knowledge graph that opens the sentence behind every edge.

>>> import kg
>>> store = kg.open_store("kg-store", create=True)          # doctest: +SKIP
>>> kg.build(["seeds/documents"], store=store).documents    # doctest: +SKIP
1

Everything is loaded when it is first used, so that `import kg` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.api import Store, build, create_app, open_store
    from kg.errors import KgError
    from kg.export.network import to_networkx
    from kg.model import BuildReport, Claim, Document, Evidence, Extraction, Literal, Mention, Name, Problem, Span, Text
    from kg.query.results import Results
    from kg.read import read_paths
    from kg.settings import Settings, load_settings

__all__ = [
    "BuildReport",
    "Claim",
    "Document",
    "Evidence",
    "Extraction",
    "KgError",
    "Literal",
    "Mention",
    "Name",
    "Problem",
    "Results",
    "Settings",
    "Span",
    "Store",
    "Text",
    "build",
    "create_app",
    "load_settings",
    "open_store",
    "read_paths",
    "to_networkx",
]

_MODULES = {
    "kg.api": ("Store", "build", "create_app", "open_store"),
    "kg.errors": ("KgError",),
    "kg.export.network": ("to_networkx",),
    "kg.model": ("BuildReport", "Claim", "Document", "Evidence", "Extraction", "Literal", "Mention", "Name", "Problem", "Span", "Text"),
    "kg.query.results": ("Results",),
    "kg.read": ("read_paths",),
    "kg.settings": ("Settings", "load_settings"),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Loads a public name from the module that it lives in; `__version__` is that of the installed package."""
    if name == "__version__":
        from importlib.metadata import version

        return version("kg")
    if name not in _PLACES:
        raise AttributeError(f"module 'kg' has no attribute {name!r}")
    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _Package(ModuleType):
    """The package itself: importing the module `kg.build` must not hide the function `kg.build`."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
