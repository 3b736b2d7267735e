"""The rules extractor: brands that an index knows, and what formulaic phrases say of named people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kg.extract.quotes import find_quotes
from kg.extract.sentences import Sentences
from kg.link import Index, load_index
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Span
from kg.settings import Settings

__all__ = ["Rules", "create"]

_CAPITALISED = r"[A-ZÀ-ÞĀ-Ž][\w’'.-]*"
_RUN = re.compile(rf"{_CAPITALISED}(?:[ \t]+(?:&|of|de|della|di|van|von|{_CAPITALISED}))*")
_PERSON = rf"\b(?!(?:He|She|They|It|I|We|The|A)\b){_CAPITALISED}(?: (?:de |van |von |di |al-)?{_CAPITALISED}){{0,2}}"
_NO_FORENAME = r"(?!(?:The|An?|In|On|At|As|By|And|But|For|When|With|While|Mr|Mrs|Ms|Dr)\b)"
_FORENAMES = re.compile(rf"(?<!\w)(?:{_NO_FORENAME}[A-ZÀ-ÞĀ-Ž][\w-]*\.? ){{1,3}}$")
_LONGEST_NAME = 6
_TAIL = re.compile(r"(?:[’']s?|[.,-]+)+$")
_SAYS = r"(?:said|says|told|adds|added|explained|explains|shared|wrote|recalled|assured|noted|continued|finished|insisted|joked)"
_ATTRIBUTION = re.compile(rf"[”\"»’'][ \t]*\n?[ \t]*(?:{_SAYS} (?P<a>{_PERSON})|(?P<b>{_PERSON}) {_SAYS}\b)")


class Rules:
    """What can be said without a model: brands of the index, and quotations whose speaker stands beside them by full name."""

    name = "rules"
    version = "1"

    def __init__(self, index: Index) -> None:
        self.index = index
        self.fingerprint = index.digest

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """Brands and speakers that `draft` lacks; nothing where an earlier extractor has found the same words."""
        taken = {position for mention in draft.mentions for position in range(mention.span.start, mention.span.end)}
        mentions = [m for m in self._brands(document) if not taken & set(range(m.span.start, m.span.end))]
        claims = []
        if not any(claim.predicate == "said" for claim in draft.claims):
            for mention, claim in self._quotations(document):
                mentions.append(mention)
                claims.append(claim)
        return Extraction(document.id, tuple(mentions), tuple(claims))

    def _brands(self, document: Document) -> Iterator[Mention]:
        """The longest names first, from left to right; none inside another."""
        text = document.body.content
        for run in _RUN.finditer(text, document.body.metadata_end):
            words = [(run.start() + word.start(), run.start() + word.end()) for word in re.finditer(r"\S+", run.group())]
            covered: set[int] = set()
            for size in range(min(len(words), _LONGEST_NAME), 0, -1):
                for first in range(len(words) - size + 1):
                    start, end = words[first][0], words[first + size - 1][1]
                    surface = _TAIL.sub("", text[start:end])
                    if covered.isdisjoint(range(first, first + size)) and self.index.link("Brand", surface):
                        covered.update(range(first, first + size))
                        yield Mention(document.body.name, Span(start, start + len(surface)), surface, Name("Brand", surface))

    def _quotations(self, document: Document) -> Iterator[tuple[Mention, Claim]]:
        text, sentences = document.body.content, Sentences(document.body.content, document.body.metadata_end)
        full_names: dict[str, str] = {}
        for quote in find_quotes(text, document.body.metadata_end):
            after = _ATTRIBUTION.match(text, quote.end)
            if after is None or quote.end - quote.start < 8:
                continue
            group = "a" if after.group("a") else "b"
            surface = _TAIL.sub("", after.group(group))
            if surface not in full_names:
                full_names[surface] = _full_name(surface, text)
            person = Name("Person", full_names[surface])
            mention = Mention(document.body.name, Span(after.start(group), after.start(group) + len(surface)), surface, person)
            span = Span(sentences.holding(quote).start, mention.span.end if group == "a" else after.end())
            evidence = document.evidence(span, extractor=self.name, version=self.version, confidence=0.9, text=document.body.name)
            yield mention, Claim(person, "said", Literal(text[quote.start : quote.end]), (evidence,))


def _full_name(name: str, text: str) -> str:
    """The longest run of capitalised words in the text that ends in a surname; the name itself where there is none."""
    if " " in name:
        return name
    runs = []
    for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        before = _FORENAMES.search(text, max(0, found.start() - 60), found.start())
        if before:
            runs.append(before.group() + name)
    return min(runs, key=lambda run: (-len(run), run), default=name)


def create(settings: Settings) -> Rules:
    """The extractor of the entry point ``rules``."""
    return Rules(load_index(settings.wikidata_index))
