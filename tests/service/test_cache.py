"""Answers that are given again."""

from __future__ import annotations

import re

from kg.service.cache import Cache


def answer(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_an_answer_comes_back_with_the_present_date() -> None:
    cache = Cache(10_000)
    cache.put(b"GET /a", answer("a"), {"rows": 1})
    found = cache.get(b"GET /a")
    assert found is not None
    assert found[1] == {"rows": 1}
    assert re.fullmatch(rb"HTTP/1.1 200 OK\r\nDate: \w{3}, [^\r]{24}\r\nContent-Length: 1\r\n\r\na", found[0])
    assert b"2030" not in found[0]
    assert cache.get(b"GET /b") is None


def test_what_was_not_asked_for_longest_goes_first() -> None:
    one = len(b"GET /0") + len(answer("0"))
    cache = Cache(2 * one)
    for number in range(2):
        cache.put(f"GET /{number}".encode(), answer("0"), {})
    assert cache.get(b"GET /0")
    cache.put(b"GET /2", answer("0"), {})
    assert [cache.get(f"GET /{number}".encode()) is not None for number in range(3)] == [True, False, True]
    assert cache.size == 2 * one


def test_without_memory_nothing_is_kept() -> None:
    cache = Cache(0)
    for number in range(3):
        cache.put(f"GET /{number}".encode(), answer("0"), {})
    assert (cache.size, cache.get(b"GET /0")) == (0, None)


def test_another_state_has_other_answers() -> None:
    cache = Cache(10_000)
    cache.put(b"GET /a", answer("a"), {})
    cache.clear()
    assert (cache.get(b"GET /a"), cache.size) == (None, 0)
