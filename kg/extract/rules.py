"""The rules extractor: what formulaic phrases say, of things that an earlier extractor or an index has found."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kg.extract.countries import country
from kg.extract.quotes import find_quotes
from kg.extract.sentences import Sentences
from kg.link import Index, load_index
from kg.model import Claim, Document, Extraction, Literal, Mention, Name, Span
from kg.settings import Settings

__all__ = ["Rules", "create"]

_CAPITALISED = r"[A-ZÀ-ÞĀ-Ž][\w’'.-]{0,40}"
_RUN = re.compile(rf"(?<!\w){_CAPITALISED}(?:[ \t]+(?:&|of|de|della|di|van|von|{_CAPITALISED}))*")
_PERSON = rf"\b(?!(?:He|She|They|It|I|We|The|A)\b){_CAPITALISED}(?: (?:de |van |von |di |al-)?{_CAPITALISED}){{0,2}}"
_NO_FORENAME = r"(?!(?:The|An?|In|On|At|As|By|And|But|For|When|With|While|Mr|Mrs|Ms|Dr)\b)"
_FORENAMES = re.compile(rf"(?<!\w)(?:{_NO_FORENAME}[A-ZÀ-ÞĀ-Ž][\w-]*\.? ){{1,3}}$")
_LONGEST_NAME = 6
_SHORTEST_QUOTATION = 8
_TAIL = re.compile(r"(?:[’']s?|[.,-]+)+$")
_SAYS = (
    r"(?:said|says|told|adds|added|explained|explains|shared|wrote|recalled|assured|noted"
    r"|continued|continues|finished|insisted|joked|concluded)"
)
_PRONOUN = r"(?:she|he|She|He)"
_CONFIDENCE = {"said": 0.9}
_AFTER = re.compile(rf"[”\"»’'][ \t]*\n?[ \t]*(?:{_SAYS} (?P<a>{_PERSON}|{_PRONOUN})|(?P<b>{_PERSON}|{_PRONOUN}) {_SAYS}\b)")
_STAR = re.compile(rf"\b[Tt]he [*_“\"‘']?(?P<work>{_CAPITALISED}(?: (?:of |the |and )?{_CAPITALISED}){{0,4}})[*_”\"’']? (?:star|alum)\b")
_POSTS = frozenset({"ambassadorOf", "creativeDirectorOf", "executiveOf"})
_ANNOUNCED = re.compile(
    r"\b(?:ha(?:s|ve) (?:just |now )?(?:been )?(?:appointed|named|signed|tapped|chosen|hired|unveiled|announced|picked|enlisted)"
    r"|(?:is|as|becomes) (?:the|its|their) (?:new|latest|newest)|appoints|names|taps|joins)\b"
)
_NO_WORK = re.compile(
    r"(?i:hollywood|bollywood|nollywood|broadway|disney|tiktok|youtube|instagram|olympic|nba|nfl|wnba|oscar|grammy|k-pop|pop|tv|f1)"
)
_CAMPAIGN = re.compile(
    rf"(?P<verb>\b(?:pos(?:es|ed|ing)|star(?:s|red|ring)|appear(?:s|ed|ing)|front(?:s|ed|ing))(?: for| in)? )?"
    rf"(?:(?:the|its) (?:brand|house|label|maison)[’']s|(?<!\w)(?P<brand>{_CAPITALISED}(?: {_CAPITALISED}){{0,3}})[’']s?) (?:new |latest )?"
    rf"(?P<name>(?:{_CAPITALISED} |\d{{4}} ){{1,4}}[Cc]ampaign)\b"
)


class Rules:
    """Quotations whose speaker stands beside them, "the *Work* star", "the brand's *Name* campaign".

    Works on what earlier extractors have found; without any, brands are those of the index and people the speakers by name.
    """

    name = "rules"
    version = "2"

    def __init__(self, index: Index) -> None:
        self.index = index
        self.fingerprint = index.digest

    def __call__(self, document: Document, draft: Extraction) -> Extraction:
        """Claims that `draft` lacks, and the mentions that they need."""
        mentions = list(draft.mentions) or list(self._brands(document))
        reading = _Reading(document, draft, mentions)
        found = [*reading.quotations(), *reading.stars(), *reading.campaigns()]
        claims = []
        for subject, predicate, value, span in found:
            sure = _CONFIDENCE.get(predicate, 0.8)
            evidence = document.evidence(span, extractor=self.name, version=self.version, confidence=sure, text=reading.name)
            claims.append(Claim(subject, predicate, value, (evidence,)))
        claims += self._beginnings(document, draft)
        return Extraction(document.id, tuple(sorted({*mentions, *reading.added} - set(draft.mentions))), tuple(dict.fromkeys(claims)))

    def _beginnings(self, document: Document, draft: Extraction) -> Iterator[Claim]:
        """A post that is being given in the sentence that says so ("has appointed", "is the new") begins in the month of publication."""
        if not document.published or len(document.published) < 7:
            return
        for claim in draft.claims:
            best = max(claim.evidence, key=lambda evidence: (evidence.confidence, -evidence.span.start))
            if claim.predicate in _POSTS and not claim.qualifiers and _ANNOUNCED.search(best.quote):
                proof = document.evidence(best.span, extractor=self.name, version=self.version, confidence=0.7, text=best.text)
                yield Claim(claim.subject, claim.predicate, claim.object, (proof,), (("start", document.published[:7]),))

    def _brands(self, document: Document) -> Iterator[Mention]:
        """The longest names first, from left to right; none inside another; one of two letters only as the index writes it."""
        text = document.body.content
        for run in _RUN.finditer(text, document.body.metadata_end):
            words = [(run.start() + word.start(), run.start() + word.end()) for word in re.finditer(r"\S+", run.group())]
            covered: set[int] = set()
            for size in range(min(len(words), _LONGEST_NAME), 0, -1):
                for first in range(len(words) - size + 1):
                    start, end = words[first][0], words[first + size - 1][1]
                    surface = _TAIL.sub("", text[start:end])
                    link = self.index.link("Brand", surface) if covered.isdisjoint(range(first, first + size)) else None
                    if link and (len(surface) > 2 or surface == link.label):
                        covered.update(range(first, first + size))
                        yield Mention(document.body.name, Span(start, start + len(surface)), surface, Name("Brand", surface))


Found = tuple[Name, str, Name | Literal, Span]


class _Reading:
    """One document while its phrases are read; `added` are mentions that claims need and nobody had found."""

    def __init__(self, document: Document, draft: Extraction, mentions: list[Mention]) -> None:
        self.name = document.body.name
        self.text = document.body.content
        self.start = document.body.metadata_end
        self.sentences = Sentences(self.text, self.start)
        self.quotes = find_quotes(self.text, self.start)
        self.added: list[Mention] = []
        self.said = {claim.object.value for claim in draft.claims if claim.predicate == "said" and isinstance(claim.object, Literal)}
        self.known = {(claim.subject, claim.predicate) for claim in draft.claims}
        inside = [(quote.start, quote.end) for quote in self.quotes]
        self.mentions = sorted(m for m in mentions if m.text == self.name)
        self.outside = [m for m in self.mentions if not any(a <= m.span.start < b for a, b in inside)]
        self.model_found_people = any(m.referent.type == "Person" for m in draft.mentions)

    def last(self, kind: str, before: int) -> Name | None:
        """The thing of this type named last before a place, names inside quotations aside."""
        found = None
        for mention in self.outside:
            if mention.span.end > before:
                break
            if mention.referent.type == kind:
                found = mention.referent
        return found

    def at(self, span: Span) -> Mention | None:
        """The mention that overlaps a span."""
        return next((m for m in self.mentions if m.span.start < span.end and span.start < m.span.end), None)

    def quotations(self) -> Iterator[Found]:
        """Quotations that nobody has attributed: to the name or pronoun beside the verb of saying."""
        full_names: dict[str, str] = {}
        for quote in self.quotes:
            words = self.text[quote.start : quote.end]
            after = _AFTER.match(self.text, quote.end)
            if after is None or len(words) < _SHORTEST_QUOTATION or words in self.said:
                continue
            group = "a" if after.group("a") else "b"
            surface = _TAIL.sub("", after.group(group))
            span = Span(after.start(group), after.start(group) + len(surface))
            person = self._speaker(surface, span, quote, full_names)
            if person:
                yield person, "said", Literal(words), Span(self.sentences.holding(quote).start, after.end())

    def _speaker(self, surface: str, span: Span, quote: Span, full_names: dict[str, str]) -> Name | None:
        if re.fullmatch(_PRONOUN, surface):
            person = self.last("Person", quote.start)
            if person:
                self.added.append(Mention(self.name, span, surface, person, "pronoun"))
            return person
        mention = self.at(span)
        if mention or self.model_found_people:
            return mention.referent if mention and mention.referent.type == "Person" else None
        if surface not in full_names:
            full_names[surface] = _full_name(surface, self.text)
        person = Name("Person", full_names[surface])
        self.added.append(Mention(self.name, span, surface, person))
        return person

    def stars(self) -> Iterator[Found]:
        """The person named last is "the *Work* star", unless a name follows."""
        for match in _STAR.finditer(self.text, self.start):
            span = Span(match.start("work"), match.end("work"))
            surface = match.group("work")
            mention = self.at(span)
            if _NO_WORK.fullmatch(surface) or country(surface) or (mention and mention.referent.type != "Work"):
                continue
            following = next((m for m in self.mentions if 0 < m.span.start - match.end() <= 2), None)
            person = following.referent if following and following.referent.type == "Person" else self.last("Person", match.start())
            if person is None:
                continue
            work = mention.referent if mention else Name("Work", surface)
            if not mention:
                self.added.append(Mention(self.name, span, surface, work))
            yield person, "castMemberOf", work, self.sentences.holding(Span(match.start(), match.end()))

    def campaigns(self) -> Iterator[Found]:
        """A brand's named campaign, and who poses for it, stars in it, fronts it."""
        for match in _CAMPAIGN.finditer(self.text, self.start):
            span = Span(match.start("name"), match.end("name"))
            mention = self.at(span)
            if mention and mention.referent.type != "Campaign":
                continue
            campaign = mention.referent if mention else Name("Campaign", match.group("name"))
            brand = self._owner(match)
            if brand is None:
                continue
            if not mention:
                self.added.append(Mention(self.name, span, match.group("name"), campaign))
            evidence = self.sentences.holding(Span(match.start(), match.end()))
            if (campaign, "campaignFor") not in self.known:
                yield campaign, "campaignFor", brand, evidence
            person = self.last("Person", match.start()) if match.group("verb") else None
            if person and (person, "starsIn") not in self.known:
                yield person, "starsIn", campaign, evidence

    def _owner(self, match: re.Match[str]) -> Name | None:
        if not match.group("brand"):
            return self.last("Brand", match.start())
        mention = self.at(Span(match.start("brand"), match.end("brand")))
        return mention.referent if mention and mention.referent.type == "Brand" else None


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
    return Rules(load_index("shipped"))
