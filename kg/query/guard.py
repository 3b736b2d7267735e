"""Looks at a query before the engine does: reads its tokens, bounds its nesting, refuses what reaches outside.

The engine's parser and optimiser recurse, and a query of some thousand nested or chained parts ends the process.
It has no switch for SERVICE either. Both are recognised in tokens, so that comments, strings and IRIs don't count.
Most queries are short and hold none of the words that matter: they are let through without being read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kg.errors import QueryRefused, QuerySyntaxError, QueryTooDeep, QueryTooLong, UsageError

__all__ = ["MAX_DEPTH", "MAX_LINKS", "Token", "check", "check_update", "is_plain", "is_repeatable", "iter_tokens", "position"]

MAX_DEPTH = 64
"""Most brackets inside each other; the engine dies at about 1,600 braces, and is slow long before."""

MAX_LINKS = 1000
"""Most operators, clauses and triple patterns that build on each other; the engine dies at about 2,500 clauses, or 50,000 patterns."""

_HARMLESS = 1500
"""So short a query (characters) cannot be deep enough to do harm."""

_OUTSIDE = ("SERVICE", "LOAD")
_NOTABLE = re.compile(r"\b(?:INSERT|DELETE|CLEAR|CREATE|DROP|COPY|MOVE|ADD|WITH|GROUP_CONCAT|BNODE|GRAPH)\b", re.IGNORECASE)
"""Words that make a query worth reading: those that are refused, wherever they stand, and those that ``kg/query/mend.py`` looks at."""

_WHOLE_IRI = re.compile(r"<[^<>\"{}|^`\\\x00-\x20]*>")
"""An IRI. Were it a comparison to the engine, no SERVICE could stand in it, which needs a brace before the next bracket."""

_PATH = re.compile(r"(?<!SELECT )(?<!\()\*|\?(?!\w)")
"""The same for paths."""

_FICKLE = re.compile(r"(?<![?$:\w])(?:NOW|RAND|UUID|STRUUID|BNODE|SERVICE)\b(?!:)", re.IGNORECASE)

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>\#[^\n\r]*)
  | (?P<string>
        \"{3}(?:\"{0,2}+(?:[^\"\\]|\\.))*+\"{3} | '{3}(?:'{0,2}+(?:[^'\\]|\\.))*+'{3}
      | \"(?:[^\"\\\n\r]|\\.)*+\"               | '(?:[^'\\\n\r]|\\.)*+' )
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*+(?:\\[uU][0-9A-Fa-f]+[^<>"{}|^`\\\x00-\x20]*+)*+>)
  | (?P<variable>[?$]\w+)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<name>(?:_|[^\W\d_](?:[\w.-]*[\w-])?)?:(?:[\w:.%-]|\\[_~.\-!$&'()*+,;=/?\#@%])*)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d]\w*)
  | (?P<mark>&&|\|\||\^\^|<=|>=|!=|<<\(?|\)?>>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSED_BY = {")": "(", "]": "[", "}": "{", ">>": "<<", ")>>": "<<("}
_OPENERS = frozenset(_CLOSED_BY.values())
_LINK_MARKS = frozenset({"&&", "||", "|", "/", "^", "!"})
_STATEMENTS = frozenset({".", ";", ","})
_LINK_SIGNS = frozenset({"+", "-", "*"})
_LINK_WORDS = frozenset({"UNION", "OPTIONAL", "MINUS", "FILTER", "GRAPH", "VALUES"})
_UPDATES = frozenset({"INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD", "WITH"})
_OPERANDS = frozenset({"variable", "string", "language", "iri", "name", "number", "word"})


class Token(NamedTuple):
    """A piece of a query; `kind` is the name of a group of the token pattern, `start` counts characters."""

    kind: str
    text: str
    start: int


def iter_tokens(text: str) -> Iterator[Token]:
    """Every token of a query, white space and comments left out; never fails, since any character is a mark at least."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        if kind not in ("space", "comment"):
            yield Token(kind, match.group(), match.start())


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def is_plain(text: str) -> bool:
    """Whether a query can go to the engine unread: too short to be deep, and without any word that matters, even in a string."""
    if len(text) >= _HARMLESS or not text.isascii() or text.count("{") + text.count("(") + text.count("[") > MAX_DEPTH:
        return False
    words = _WHOLE_IRI.sub("", text)
    capitals = words.upper()
    return not any(word in capitals for word in _OUTSIDE) and _NOTABLE.search(words) is None and _PATH.search(words) is None


def is_repeatable(text: str) -> bool:
    """Whether a query has the same answer as long as the store is the same: no function and no other service may give another one."""
    return _FICKLE.search(text) is None


def check(text: str, *, services: Collection[str] = (), longest: int | None = None) -> list[Token]:
    """The tokens of a query that is safe to run. SERVICE may name the addresses in `services`, as whole IRIs.

    Raises QueryTooLong past `longest` characters, QueryTooDeep, QueryRefused for LOAD and for SERVICE elsewhere,
    UsageError for an update.
    """
    if longest is not None and len(text) > longest:
        raise QueryTooLong(f"the query has {len(text):,} characters, more than {longest:,}", hint="send less, or raise query_characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line, column = position(text, error.start)
        message = f"line {line}, column {column}: a lone surrogate is no character"
        raise QuerySyntaxError(message, line=line, column=column, hint="send the query as UTF-8") from error
    tokens = list(iter_tokens(text))
    _refuse_forms(text, tokens, services)
    nesting = _Nesting(text)
    for token in tokens:
        nesting.read(token)
    nesting.close_all()
    return tokens


def _refuse_forms(text: str, tokens: Sequence[Token], services: Collection[str]) -> None:
    first = ""
    for number, token in enumerate(tokens):
        if token.kind != "word":
            continue
        word = token.text.upper()
        first = first or (word if word not in ("BASE", "PREFIX", "VERSION") else "")
        if word == "LOAD" or (word == "SERVICE" and not _is_allowed(tokens, number + 1, services)):
            line, column = position(text, token.start)
            raise QueryRefused(
                f"line {line}, column {column}: {word} is not allowed here, for it reaches outside the store",
                hint="ask the other server itself; whoever runs this one can allow addresses with the setting services",
            )
    if first in _UPDATES:
        raise UsageError(f"{first} is an update, and only queries are run here", hint="ask with SELECT, ASK, CONSTRUCT or DESCRIBE")


def _is_allowed(tokens: Sequence[Token], number: int, services: Collection[str]) -> bool:
    """Whether SERVICE, whose operands begin at this token, names one of the services, spelt as it is listed."""
    if not services:
        return False
    operands = [token for token in tokens[number : number + 2] if token.text.upper() != "SILENT"]
    return operands != [] and operands[0].kind == "iri" and operands[0].text[1:-1] in services


def check_update(text: str) -> list[Token]:
    """The tokens of an update that is safe to take apart.
    Raises QueryTooDeep. What reaches outside is refused where it is run: LOAD by its address, SERVICE
    where the update's patterns are asked as queries.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line, column = position(text, error.start)
        message = f"line {line}, column {column}: a lone surrogate is no character"
        raise QuerySyntaxError(message, line=line, column=column, hint="send the update as UTF-8") from error
    tokens = list(iter_tokens(text))
    nesting = _Nesting(text)
    for token in tokens:
        nesting.read(token)
    nesting.close_all()
    return tokens


@dataclass(slots=True)
class _Frame:
    """An open bracket: what links its parts, and how tall the tallest group inside it is."""

    mark: str
    links: int = 0
    tallest: int = 0


class _Nesting:
    """Follows brackets and chains. Raises QueryTooDeep as soon as they go too deep."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.frames = [_Frame("")]
        self.before: Token | None = None

    def read(self, token: Token) -> None:
        """Takes the next token."""
        frame = self.frames[-1]
        if token.kind == "mark":
            self._mark(token, frame)
        elif token.kind == "word":
            self._word(token.text.upper(), frame)
        elif token.kind == "iri" and self._is_ambiguous(token, frame):
            raise self._too_deep(token.start, f"{token.text} can also be read as “less than”", "write the IRI in full or with a prefix")
        if frame.links + frame.tallest > MAX_LINKS:
            raise self._too_deep(token.start, f"more than {MAX_LINKS} parts build on each other", "use VALUES or IN for long lists")
        self.before = token

    def _mark(self, token: Token, frame: _Frame) -> None:
        mark = token.text
        if mark in _OPENERS:
            frame.links += mark == "{" == frame.mark
            self.frames.append(_Frame(mark))
            if len(self.frames) - 1 > MAX_DEPTH:
                raise self._too_deep(token.start, f"the query is nested more than {MAX_DEPTH} deep", "write it flatter")
        elif mark in _CLOSED_BY:
            self._close(_CLOSED_BY[mark])
        elif mark in _LINK_MARKS or (mark in _LINK_SIGNS and frame.mark == "(") or (mark in _STATEMENTS and frame.mark == "{"):
            frame.links += 1

    def _word(self, word: str, frame: _Frame) -> None:
        if word in _LINK_WORDS:
            frame.links += 1
        elif word == "AS" and len(self.frames) > 1:
            self.frames[-2].links += 1

    def _close(self, opener: str) -> None:
        """Closes the innermost bracket of this kind; what is open inside it is a fault that the engine will report."""
        if any(frame.mark == opener for frame in self.frames):
            while self._pop().mark != opener:
                pass

    def _pop(self) -> _Frame:
        done, around = self.frames.pop(), self.frames[-1]
        around.tallest = max(around.tallest, done.links + done.tallest + 1)
        return done

    def close_all(self) -> None:
        """Ends the query, whether or not its brackets are closed."""
        while len(self.frames) > 1:
            self._pop()
        if self.frames[0].links + self.frames[0].tallest > MAX_LINKS:
            raise self._too_deep(len(self.text), f"more than {MAX_LINKS} parts build on each other", "use VALUES or IN for long lists")

    def _is_ambiguous(self, token: Token, frame: _Frame) -> bool:
        """Whether the engine may see ``?a <`` and brackets, a string or a comment where this IRI was read.

        Short queries pass, for they can't be deep, unless the other reading could hide a word that is refused.
        """
        operand = self.before is not None and (self.before.kind in _OPERANDS or self.before.text == ")")
        if frame.mark != "(" or not operand or "://" in token.text or not set(token.text) & set("'#(["):
            return False
        return len(self.text) >= _HARMLESS or re.search("service|load", self.text, re.IGNORECASE) is not None

    def _too_deep(self, offset: int, message: str, hint: str) -> QueryTooDeep:
        line, column = position(self.text, offset)
        return QueryTooDeep(f"line {line}, column {column}: {message}", line=line, column=column, hint=hint)
