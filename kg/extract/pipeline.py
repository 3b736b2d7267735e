"""Runs the chosen extractors over a document, within a time limit, and joins what they find."""

from __future__ import annotations

import ctypes
import hashlib
import json
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from kg.errors import KgError, ModelError
from kg.extract import language
from kg.extract.schema import Schema
from kg.model import Document, Extraction, Problem
from kg.plugins import Extractor, load_plugin
from kg.resources import resource
from kg.settings import Settings

__all__ = ["Pipeline"]


class _TimeUp(BaseException):
    """Raised by the alarm; no `except Exception` of a library may swallow it."""


class Pipeline:
    """The extractors that the settings name, in their order."""

    def __init__(self, settings: Settings) -> None:
        names = [name.strip() for name in settings.extractors.split(",") if name.strip()]
        self.extractors: list[Extractor] = [load_plugin("extractors", name, settings) for name in names]
        self.threshold = float(settings.threshold)
        self.seconds = float(settings.document_seconds)
        self.languages = language.languages_of(settings.languages)
        for extractor in self.extractors:
            _check_vocabulary(extractor, settings)

    @property
    def fingerprint(self) -> str:
        """Changes with whatever the output depends on, documents aside."""
        parts = [[each.name, each.version, each.fingerprint] for each in self.extractors]
        languages = [language.VERSION, *sorted(self.languages)]
        return hashlib.sha256(json.dumps([parts, self.threshold, languages]).encode()).hexdigest()

    def __call__(self, document: Document) -> Extraction:
        """Everything the extractors find in one document; claims below the threshold are left out.

        A document in a language that the extractors don't read, that takes longer than the time limit, or that an extractor fails at, gives
        no claims, but a Problem that says so.
        """
        draft = Extraction(document.id)
        if (foreign := self._foreign(document)) is not None:
            return Extraction(document.id, problems=(foreign,))
        try:
            with _time_limit(self.seconds):
                for extractor in self.extractors:
                    draft = _joined(draft, extractor(document, draft))
        except _TimeUp:
            message = f"extraction took longer than {self.seconds:g} s; raise the setting document_seconds or split the text"
            return Extraction(document.id, problems=(Problem("extract", document.id, "time-limit", message),))
        except KgError:
            raise
        except Exception as error:  # noqa: BLE001 - the border to plug-ins: one that fails must not end the run
            message = (
                f"the extractor {extractor.name!r} failed: {error!r}; report it to its maker, or leave it out by the setting extractors"
            )
            return Extraction(document.id, problems=(Problem("extract", document.id, "extractor-failed", message),))
        claims = tuple(c for c in draft.claims if max(e.confidence for e in c.evidence) >= self.threshold)
        return Extraction(document.id, draft.mentions, claims, draft.problems)

    def _foreign(self, document: Document) -> Problem | None:
        """The problem of a document in a language that is not set; None where it is, or where the text doesn't tell."""
        if not self.languages or not self.extractors:
            return None
        found = language.detect_language(document.body.content[document.body.metadata_end :], document.language)
        if found is None or found in self.languages:
            return None
        read = ", ".join(language.NAMES.get(code, code) for code in sorted(self.languages))
        message = (
            f"its text is in {language.NAMES.get(found, found)}, and the extractors read {read}; "
            f"translate it or leave it out, or, where an extractor reads it, add {found} to the setting languages"
        )
        return Problem("extract", document.id, "language", message)


def _check_vocabulary(extractor: Extractor, settings: Settings) -> None:
    """Raises ModelError where a model finds types or predicates whose names stand nowhere in the ontology's file."""
    schema = getattr(extractor, "schema", None)
    path = (Path(settings.ontology) if settings.ontology else resource("ontology")) / "kg.ttl"
    if not isinstance(schema, Schema) or not path.is_file():  # who loads the ontology says what is wrong with it
        return
    terms = set(re.findall(r"[\w-]+", path.read_text(encoding="utf-8", errors="replace")))
    unknown = sorted({*schema.types, *schema.texts, *(relation.predicate for relation in schema.relations)} - terms)
    if unknown:
        few = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        message = f"the model of the extractor {extractor.name!r} is of another ontology: {path} has no {few}"
        hint = "train a model of this ontology (`kg train`), set model or ontology to what belongs together, or leave it out of extractors"
        raise ModelError(message, hint=hint)


def _joined(draft: Extraction, found: Extraction) -> Extraction:
    return Extraction(
        draft.document_id,
        tuple(sorted({*draft.mentions, *found.mentions})),
        tuple(dict.fromkeys((*draft.claims, *found.claims))),
        (*draft.problems, *found.problems),
    )


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises _TimeUp inside after `seconds`: by a signal in a process's main thread, elsewhere (a cluster's worker) by a timer."""
    if threading.current_thread() is not threading.main_thread():
        with _time_limit_of_thread(seconds):
            yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeUp

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


@contextmanager
def _time_limit_of_thread(seconds: float) -> Iterator[None]:
    """Another thread makes the interpreter raise it here (PyThreadState_SetAsyncExc), unless the block has ended."""
    thread, lock, ended = ctypes.c_ulong(threading.get_ident()), threading.Lock(), False

    def stop() -> None:
        with lock:
            if not ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TimeUp))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended = True
        timer.cancel()
