"""HTTP to a SPARQL server: connections that are kept, time limits, credentials, and one clear error for whatever goes wrong."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Self

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth
from urllib3.exceptions import ReadTimeoutError

from kg.errors import QueryTimeout, ServerError, ServerRefused, StoreMissing

__all__ = ["Access", "Connection"]

_CONNECT_SECONDS = 5.0
_ATTEMPTS, _PAUSE = 3, 0.2
_PASSING = frozenset({429, 502, 503, 504})
_CHUNK = 2**16
_IN_MEMORY = 2**26
_SHOWN = 200
_JSON = "application/sparql-results+json"
_HINT = "see that the server runs and run the same command again: nothing is lost"


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and for how many seconds an answer is waited for. A token goes before user and password."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    seconds: float = 120.0


class Connection:
    """Requests to one server. No redirection is followed: the credentials go to the URLs that were set, and nowhere else.

    Where the server asks for user and password, they are sent the way it asks for (Basic or Digest, RFC 7617 and RFC 7616).
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session = requests.Session()
        self._session.trust_env = False
        if access.token:
            self._session.headers["Authorization"] = f"Bearer {access.token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes what is kept open."""
        self._session.close()

    def headers(self, url: str) -> Mapping[str, str]:
        """Headers of an answer, whatever its status."""
        with _mapped(url), self._send("GET", url, repeat=True, params={"query": "ASK {}"}, headers={"Accept": _JSON}) as answer:
            return answer.headers

    def ask(self, url: str, query: str, *, accept: str = _JSON, dataset: Mapping[str, list[str]] | None = None) -> bytes:
        """The body of a query's answer (SPARQL 1.1 Protocol, section 2.1.2). An answer that was cut short is an error."""
        body = {"query": query, **(dataset or {})}
        with _mapped(url), self._send("POST", url, repeat=True, data=body, headers={"Accept": accept}) as answer:
            _require(answer, url)
            content = b"".join(self._parts(answer))
            _require_whole(answer, content, url)
            return content

    def update(self, url: str, update: str, *, repeat: bool) -> None:
        """Sends an update (section 2.2.2); `repeat` where doing it twice does no harm."""
        headers = {"Content-Type": "application/sparql-update; charset=utf-8"}
        with _mapped(url), self._send("POST", url, repeat=repeat, data=update.encode(), headers=headers) as answer:
            _require(answer, url)
            for _ in self._parts(answer):
                pass

    def download(self, url: str, *, accept: str, graph: Mapping[str, str]) -> IO[bytes] | None:
        """A graph's triples by the Graph Store Protocol, None where it is not there. Big ones lie in a temporary file."""
        with _mapped(url), self._send("GET", url, repeat=True, params=dict(graph), headers={"Accept": accept}) as answer:
            if answer.status_code == 404:
                return None
            _require(answer, url)
            file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (the caller closes it)
            for part in self._parts(answer):
                file.write(part)
            file.seek(0)
            return file

    # -- one request -------------------------------------------------------------------------------------------

    def _send(self, method: str, url: str, *, repeat: bool, **options: Any) -> requests.Response:
        """An answer whose body is still to be read; tried again where that does no harm and the failure may pass."""
        for attempt in range(_ATTEMPTS):
            last = attempt == _ATTEMPTS - 1 or not repeat
            try:
                answer = self._once(method, url, **options)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if last or isinstance(error, requests.Timeout):
                    raise
            else:
                if last or answer.status_code not in _PASSING:
                    return answer
                answer.close()
            time.sleep(_PAUSE * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: str, url: str, **options: Any) -> requests.Response:
        timeout = (min(_CONNECT_SECONDS, self.access.seconds), self.access.seconds)
        answer = self._session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **options)
        if answer.status_code == 401 and self._session.auth is None and self.access.user and not self.access.token:
            answer.close()
            wanted = answer.headers.get("WWW-Authenticate", "").lower()
            user, password = self.access.user.encode(), self.access.password.encode()
            self._session.auth = (
                HTTPDigestAuth(self.access.user, self.access.password) if "digest" in wanted else HTTPBasicAuth(user, password)
            )
            answer = self._session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **options)
        return answer

    def _parts(self, answer: requests.Response) -> Iterator[bytes]:
        """The body, unpacked, within the time limit as a whole."""
        end = time.monotonic() + self.access.seconds
        for part in answer.iter_content(_CHUNK):
            yield part
            if time.monotonic() > end:
                raise requests.Timeout


def _require(answer: requests.Response, url: str) -> None:
    """Raises what a status that is no success means."""
    status = answer.status_code
    if status < 300:
        return
    if status < 400:
        raise StoreMissing(f"{url} points to {answer.headers.get('Location', 'elsewhere')}", hint="name that URL")
    said = _words(answer)
    if status in (401, 403) or "SECURITY" in said:
        hint = "set KG_SERVER_USER and KG_SERVER_PASSWORD, or KG_SERVER_TOKEN, for someone who may do it"
        raise ServerRefused(f"{url} refuses ({status})", hint=hint)
    if status in (404, 405, 410):
        raise StoreMissing(f"{url} answers nothing of the kind ({status})", hint="check --store and the KG_SERVER_… settings")
    if status == 408 or "S1T00" in said or (status >= 500 and "timeout" in said.lower()):
        raise QueryTimeout(f"{url} ran past its own time limit: {said}", hint="narrow the query, or raise the server's limit")
    raise ServerError(f"{url} answers {status}: {said}", hint="look into the server's log; nothing is lost")


def _words(answer: requests.Response) -> str:
    """The beginning of what the server says of an error, as one line."""
    content = next(answer.iter_content(_CHUNK), b"")
    return " ".join(content.decode("utf-8", "replace").split())[:_SHOWN]


def _require_whole(answer: requests.Response, content: bytes, url: str) -> None:
    """Raises ServerError for an answer that the server itself cut short, as Virtuoso does with these headers."""
    if "X-SQL-State" in answer.headers or "X-SPARQL-Anytime" in answer.headers:
        raise QueryTimeout(
            f"{url} gave only a part of the answer: its time limit was reached", hint="narrow the query, or raise the server's limit"
        )
    most = answer.headers.get("X-SPARQL-MaxRows", "")
    if most.isdigit():
        hint = "raise ResultSetMaxRows in virtuoso.ini, or add a LIMIT below it"
        raise ServerError(f"{url} cuts answers at {int(most):,} rows, and this one is longer", hint=hint)


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    try:
        yield
    except requests.Timeout as error:
        raise QueryTimeout(f"{url} did not answer in time", hint="raise KG_SERVER_SECONDS, or narrow the query") from error
    except requests.exceptions.SSLError as error:
        raise ServerError(f"{url}: its certificate is not trusted", hint="use a certificate of a known authority") from error
    except requests.exceptions.InvalidURL as error:
        raise StoreMissing(f"{url} is no URL of a server", hint="check --store") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise ServerError(f"{url} broke off in the middle of an answer", hint=_HINT) from error
    except requests.RequestException as error:
        if any(isinstance(reason, ReadTimeoutError) for reason in error.args):  # while the body was being read
            raise QueryTimeout(f"{url} did not answer in time", hint="raise KG_SERVER_SECONDS, or narrow the query") from error
        raise ServerError(f"{url} can't be reached", hint=_HINT) from error
