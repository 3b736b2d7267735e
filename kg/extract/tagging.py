"""Tags to mentions, mentions to things: what the tagger found, made consistent over a document."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kg.names import fold

__all__ = ["Found", "best_tags", "consolidate", "group", "spans_of"]

_EDGE = " ©®™*_#\t\n\r“”\"‘’'«».,;:!?()[]–—-"


_ARTICLES = ("a", "an", "the")
_MARKS = re.compile('[“”„«»"]')
_GENITIVE = re.compile(r"s\s+")
_INITIALS = re.compile(r"(?:\w\.)+")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One mention: first and last+1 character, kind, and the tagger's probability."""

    start: int
    end: int
    kind: str
    score: float


@dataclass(slots=True)
class Cluster:
    """A thing that a document names: its kind, its fullest name, every mention."""

    kind: str
    name: str
    mentions: list[Found] = field(default_factory=list)


def best_tags(logits: npt.NDArray[np.float32]) -> list[int]:
    """The most probable sequence in which I follows B or I of its kind only (Viterbi). Tags: 0 is O, odd ones B, even ones I."""
    if not len(logits):
        return []
    count = logits.shape[1]
    scores = (
        logits - np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)) - logits.max(axis=1, keepdims=True)
    )
    forbidden = np.zeros((count, count), dtype=np.float64)
    for tag in range(2, count, 2):
        forbidden[:, tag] = -1e9
        forbidden[tag, tag] = forbidden[tag - 1, tag] = 0
    total = scores[0].astype(np.float64)
    total[2::2] = -1e9
    back = np.zeros((len(scores), count), dtype=np.int64)
    for at in range(1, len(scores)):
        steps = total[:, None] + forbidden
        back[at] = steps.argmax(axis=0)
        total = steps.max(axis=0) + scores[at]
    path = [int(total.argmax())]
    for at in range(len(scores) - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return path[::-1]


def spans_of(tags: Sequence[int]) -> list[tuple[int, int, int]]:
    """(first, last+1, number of the kind) of each B and the I that follow it."""
    spans = []
    begin = None
    for at, tag in enumerate([*tags, 0]):
        if begin is not None and (tag == 0 or tag % 2 == 1):
            spans.append((begin, at, (tags[begin] - 1) // 2))
            begin = None
        if tag % 2 == 1:
            begin = at
    return spans


def consolidate(text: str, start: int, found: Iterable[Found], *, types: frozenset[str]) -> list[Found]:
    """One type for each name, by the sum of its mentions' scores, and every further place where an accepted name stands.

    Mentions are widened to whole words and freed of quotation marks. Only kinds in `types` (names) are spread.
    """
    tidy = sorted({each for mention in _joined(text, found) for each in _tidied(text, mention)})
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for mention in tidy:
        if mention.kind in types:
            votes[text[mention.start : mention.end]][mention.kind] += round(mention.score, 2)
    decided = {surface: min(kinds, key=lambda kind: (-round(kinds[kind], 2), kind)) for surface, kinds in votes.items()}
    taken: dict[int, Found] = {}
    for mention in sorted(tidy, key=lambda m: (-(m.end - m.start), m)):
        if not any(at in taken for at in range(mention.start, mention.end)):
            kind = decided.get(text[mention.start : mention.end], mention.kind)
            kept = Found(mention.start, mention.end, kind, mention.score)
            taken.update((at, kept) for at in range(mention.start, mention.end))
    for surface in sorted(decided, key=lambda name: (-len(name), name)):
        _spread(text, start, surface, decided[surface], taken)
    return sorted(set(taken.values()))


def _tidied(text: str, mention: Found) -> Iterable[Found]:
    start, end = mention.start, mention.end
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    while start > 0 and start < end and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < len(text) and end > start and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    genitive = _GENITIVE.match(text, start, end)
    if genitive and start > 0 and text[start - 1] in "’'":
        start = genitive.end()
    if text[start:end].endswith(("’s", "'s")):
        end -= 2
    if _INITIALS.fullmatch(text, start, end + 1):
        end += 1
    if start < end and "\n" not in text[start:end] and text[start:end].lower() not in _ARTICLES:
        yield Found(start, end, mention.kind, mention.score)


def _joined(text: str, found: Iterable[Found]) -> list[Found]:
    """Mentions of one kind with nothing but a full stop between them are one: the U and the S of U.S."""
    joined: list[Found] = []
    for mention in sorted(found):
        former = joined[-1] if joined else None
        if former and former.kind == mention.kind and text[former.end : mention.start] == ".":
            joined[-1] = Found(former.start, mention.end, mention.kind, max(former.score, mention.score))
        else:
            joined.append(mention)
    return joined


def _spread(text: str, start: int, surface: str, kind: str, taken: dict[int, Found]) -> None:
    if len(surface) < 3 or not (surface[:1].isupper() or any(c.isdigit() or c.isupper() for c in surface)):
        return
    for match in re.compile(rf"(?<!\w){re.escape(surface)}(?!\w)").finditer(text, start):
        if not any(at in taken for at in range(match.start(), match.end())):
            kept = Found(match.start(), match.end(), kind, 0.5)
            taken.update((at, kept) for at in range(match.start(), match.end()))


def group(text: str, mentions: Sequence[Found], *, people: frozenset[str], types: frozenset[str]) -> list[Cluster]:
    """Mentions of one thing together: the same folded name, or a part of just one longer name of the same kind.

    Of people's names any leading or closing words count as a part; of others only words that are no mere type words.
    """
    clusters: dict[tuple[str, str], Cluster] = {}
    for mention in mentions:
        surface = _plain(text, mention)
        key = (mention.kind, fold(surface) if mention.kind in types else surface.lower())
        cluster = clusters.setdefault(key, Cluster(mention.kind, surface))
        cluster.mentions.append(mention)
        if (-len(surface), surface) < (-len(cluster.name), cluster.name):
            cluster.name = surface
    merged: dict[tuple[str, str], tuple[str, str]] = {}
    for key in sorted(clusters):
        target = _longer(key, clusters, whole_words=key[0] not in people)
        if target:
            merged[key] = target
    for key, target in merged.items():
        while target in merged:
            target = merged[target]
        clusters[target].mentions += clusters[key].mentions
    kept = [cluster for key, cluster in clusters.items() if key not in merged]
    for cluster in kept:
        cluster.mentions.sort()
    return sorted(kept, key=lambda cluster: (cluster.mentions[0], cluster.kind))


def _plain(text: str, mention: Found) -> str:
    """The words of a mention, without quotation marks: a title's, or one that opens in front of the mention (‘Night Ferry’ campaign)."""
    words = " ".join(_MARKS.sub(" ", text[mention.start : mention.end]).split())
    if mention.start and text[mention.start - 1] in "‘'":
        words = re.sub(r"[’'](?!\w)", "", words, count=1)
    return words


_TYPE_WORDS = frozenset([
    "bag", "campaign", "collection", "show", "shoe", "sneaker", "trainer", "watch", "boot", "fragrance", "perfume", "lipstick", "ring",
    "necklace", "group", "holding", "holdings", "company", "maison", "house", "of", "brand", "label", "studio", "studios", "magazine",
    "film", "series", "album", "the", "and", "a", "an", "edition", "line", "range", "capsule", "tote", "clutch", "handbag", "spring",
    "summer", "fall", "autumn", "winter", "resort", "cruise", "couture", "men", "women", "awards", "festival", "week", "ceremony",
    "gala", "premiere", "inc", "ltd", "spa", "sa", "plc"
])  # fmt: skip


def _longer(key: tuple[str, str], clusters: dict[tuple[str, str], Cluster], *, whole_words: bool) -> tuple[str, str] | None:
    kind, form = key
    words = form.split()
    if whole_words and all(word in _TYPE_WORDS or word.isdigit() for word in words):
        return None
    found = []
    for other in sorted(clusters):
        longer = other[1].split()
        if other[0] != kind or len(longer) <= len(words):
            continue
        if longer[: len(words)] == words or longer[-len(words) :] == words:
            rest = longer[len(words) :] if longer[: len(words)] == words else longer[: -len(words)]
            if not whole_words or all(word in _TYPE_WORDS for word in rest):
                found.append(other)
    return found[0] if len(found) == 1 or (found and all(_nested(found[0], each) for each in found)) else None


def _nested(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[1] in other[1] or other[1] in one[1]
