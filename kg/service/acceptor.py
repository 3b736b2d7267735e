"""Takes connections, waits until a request is whole, and hands the connection to a process that answers.

It never evaluates anything itself, so nothing that a query does can hold it up. It keeps a copy of each connection:
where the process that answers is ended at its limit, the acceptor answers in its place.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap

from kg.service.cache import Cache
from kg.service.channel import Channel, Message
from kg.service.connections import MOST_PEEKED, Connection, RequestTooLarge, read_head
from kg.service.evaluator import raw_error
from kg.service.express import BEGINNING, MOST_BYTES
from kg.service.watch import Watch

__all__ = ["Acceptor", "Options"]

_log = logging.getLogger(__name__)

_SLOW = 1.0
"""Seconds after which a running request gives way to others."""

_GIVES_WAY = 15
"""Priority (nice) of a request that does."""

_HEAD_SECONDS = 10.0
_IDLE_SECONDS = 60.0
_LEFT_SECONDS = 0.5
_RESTART = 0.2
_EVENTS = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_RETRY = "Retry-After: 1"
_ENDS = {
    signal.SIGALRM: ("503 Service Unavailable", "query-timeout", "the request ran past its time limit and was ended"),
    signal.SIGABRT: ("503 Service Unavailable", "query-memory", "the request needed more memory than it may take and was ended"),
    signal.SIGKILL: ("503 Service Unavailable", "query-ended", "the request was ended by the system"),
}
_HINTS = {
    "query-timeout": "narrow it, or raise the setting query_seconds",
    "query-memory": "narrow it, or raise the setting query_megabytes",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How many evaluators there are at least and at most, how many requests may wait, how many connections are kept open."""

    workers: int = 2
    most_workers: int = 16
    queue: int = 256
    connections: int = 4000
    seconds: float = 30.0
    """Time limit of a request, for telling why a process ended."""
    cache_bytes: int = 64 * 1024 * 1024


@dataclass(slots=True, eq=False)
class _Worker:
    """A process that answers."""

    channel: Channel
    pid: int
    slot: int
    keeper: int
    generation: int
    writes: bool = False
    busy: Connection | None = None
    since: float = 0.0
    slow: bool = False


@dataclass(slots=True)
class _Dying:
    """A request whose process ended; it waits for the reason."""

    connection: Connection
    worker: _Worker
    until: float


@dataclass(slots=True)
class _Keeper:
    channel: Channel
    pid: int
    number: int
    loaded: bool = False
    generation: int = 0


class Acceptor:
    """The front of the service. `start_keeper` and `start_writer` fork the other processes and give the channel to each."""

    def __init__(
        self,
        listener: socket.socket,
        options: Options,
        slots: mmap,
        watch: Watch,
        *,
        start_keeper: Callable[[int], tuple[Channel, int]],
        start_writer: Callable[[], tuple[Channel, int, int]] | None,
        ready: Callable[[], None],
    ) -> None:
        self.listener = listener
        self.options = options
        self.slots = slots
        self.watch = watch
        self.start_keeper = start_keeper
        self.start_writer = start_writer
        self.ready = ready
        self.number = 0
        self.cache = Cache(options.cache_bytes)
        self.connections: dict[int, Connection] = {}
        self.workers: dict[int, _Worker] = {}
        self.keepers: dict[int, _Keeper] = {}
        self.queue: deque[Connection] = deque()
        self.writes: deque[Connection] = deque()
        self.dying: list[_Dying] = []
        self.reasons: dict[int, int] = {}
        self._idle: list[_Worker] = []
        self._epoll = select.epoll()
        self._serials = 0
        self._wanted = options.workers
        self._stopping = self._asked = False
        self._announced = False
        self._ticked = 0.0

    # -- the loop ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serves until `stop`, then finishes what runs."""
        self.listener.setblocking(False)
        self._epoll.register(self.listener, select.EPOLLIN)
        self._start_keeper()
        while not (self._stopping and not self._is_active()):
            if self._asked and not self._stopping:
                self._close_door()
            for descriptor, event in self._epoll.poll(0.1 if self._is_active() else 1.0):
                self._handle(descriptor, event)
            self._dispatch()
            now = time.monotonic()
            if now - self._ticked > 0.1:
                self._ticked = now
                self._tick(now)
        self._end()

    def stop(self) -> None:
        """Asks it to take no further connection, and to end once running requests are done; signal handlers may call it."""
        self._asked = True

    def _close_door(self) -> None:
        self._stopping = True
        self._epoll.unregister(self.listener)
        self.listener.close()
        for connection in [each for each in self.connections.values() if not each.request]:
            self._close(connection)

    def _end(self) -> None:
        for connection in list(self.connections.values()):
            self._close(connection)
        for worker in self.workers.values():
            worker.channel.close()
        for keeper in self.keepers.values():
            keeper.channel.close()
            if not keeper.loaded:
                with suppress(ProcessLookupError):
                    os.kill(keeper.pid, signal.SIGKILL)

    def _is_active(self) -> bool:
        return bool(self.dying or self.queue or self.writes) or any(worker.busy for worker in self.workers.values())

    def _handle(self, descriptor: int, event: int) -> None:
        if descriptor in self.connections:
            connection = self.connections[descriptor]
            if event & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR) and connection.left is None:
                connection.left = time.monotonic()
            if connection.unsent:
                self._send_rest(connection)
            elif not connection.request:
                self._look(connection)
            else:
                connection.more = True
        elif descriptor in self.workers:
            self._hear(self.workers[descriptor])
        elif descriptor in self.keepers:
            self._hear_keeper(self.keepers[descriptor])
        elif not self._stopping and descriptor == self.listener.fileno():
            self._accept()

    # -- connections -------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        for _ in range(64):
            try:
                client, address = self.listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # no descriptor is free: those who wait are taken later
                _log.warning("a connection could not be taken: %s", error.strerror)
                return
            client.setblocking(False)
            with suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(client, tuple(address), time.monotonic())
            if len(self.connections) >= self.options.connections:
                self._refuse(connection, "503 Service Unavailable", "busy", "there are too many connections", "try again", _RETRY)
                continue
            self.connections[client.fileno()] = connection
            self._epoll.register(client, _EVENTS)
            self._look(connection)

    def _look(self, connection: Connection) -> None:
        """Looks at what a client has sent; takes the request up once it is whole."""
        connection.more = False
        try:
            data = connection.socket.recv(MOST_PEEKED + 1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        try:
            head = read_head(data)
        except RequestTooLarge:
            self._refuse(connection, "431 Request Header Fields Too Large", "header-too-large", "the header is too long", "send less")
            return
        if head is None or (head.length is not None and len(data) < head.length <= MOST_PEEKED):
            return
        connection.head = head
        connection.more = head.length is None or len(data) > head.length
        connection.request = data[: head.length] if head.length is not None and head.length <= MOST_PEEKED else data[:1]
        self._take(connection)

    def _take(self, connection: Connection) -> None:
        head, request = connection.head, connection.request
        if head is None:
            return
        kept = self.cache.get(request) if len(request) > 1 else None
        if kept is not None:
            connection.socket.recv(len(request))
            self.watch.note({**kept[1], "cached": True, "ms": 0.0}, connection.address)
            self._send(connection, kept[0])
        elif head.target.partition("?")[0] == "/metrics" and head.method == "GET" and len(request) > 1:
            connection.socket.recv(len(request))
            waiting, busy = len(self.queue) + len(self.writes), sum(worker.busy is not None for worker in self.workers.values())
            self._send(connection, self.watch.exposition(waiting, busy, len(self.workers), self.number))
        elif len(self.queue) + len(self.writes) >= self.options.queue:
            self._refuse(connection, "503 Service Unavailable", "busy", "too many requests wait already", "try again", _RETRY)
        elif head.writes and self.start_writer is not None:
            self.writes.append(connection)
        else:
            self.queue.append(connection)

    def _send(self, connection: Connection, answer: bytes) -> None:
        """Sends an answer of our own, after which the client may ask again."""
        connection.unsent = answer
        self._send_rest(connection)

    def _send_rest(self, connection: Connection) -> None:
        try:
            connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._close(connection)
            return
        if bool(connection.unsent) != connection.awaits_room:
            connection.awaits_room = not connection.awaits_room
            self._epoll.modify(connection.socket, _EVENTS | (select.EPOLLOUT if connection.awaits_room else 0))
        if not connection.unsent:
            self._await_next(connection)

    def _await_next(self, connection: Connection) -> None:
        connection.request, connection.head, connection.since = b"", None, time.monotonic()
        connection.served += 1
        if self._stopping:
            self._close(connection)
        elif connection.more:
            self._look(connection)

    def _refuse(self, connection: Connection, status: str, code: str, message: str, hint: str, *headers: str) -> None:
        """Answers an error and closes; what the client sent is read first, or the system would take the answer back."""
        with suppress(OSError):
            connection.socket.recv(MOST_PEEKED, socket.MSG_DONTWAIT)
        with suppress(OSError):
            connection.socket.send(raw_error(status, code, message, hint, *headers))
            connection.socket.shutdown(socket.SHUT_WR)
        self.watch.note({"status": int(status[:3]), "outcome": code}, connection.address)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        descriptor = connection.socket.fileno()
        if self.connections.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)
        connection.socket.close()

    # -- handing on --------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        while self.queue and self._idle:
            connection = self.queue.popleft()
            if connection.socket.fileno() < 0:
                continue
            self._hand(self._idle.pop(), connection)
        if self.writes:
            writer = next((worker for worker in self.workers.values() if worker.writes), None)
            if writer is None and self.start_writer is not None:
                channel, pid, slot = self.start_writer()
                writer = self._enlist(_Worker(channel, pid, slot, -1, 0, writes=True))
            if writer is not None and writer.busy is None:
                self._hand(writer, self.writes.popleft())

    def _hand(self, worker: _Worker, connection: Connection) -> None:
        self.slots[worker.slot] = 0
        worker.busy, worker.since = connection, time.monotonic()
        request = connection.request
        short = request.startswith(BEGINNING) and request.endswith(b"\r\n\r\n") and len(request) <= MOST_BYTES
        fields = {"number": self.number, "address": connection.address[:2]}
        if not worker.channel.send(fields, request if short else b"", [connection.socket.fileno()]):
            worker.busy = None  # it ended while it was idle; its channel tells so next
            self.queue.appendleft(connection)

    def _hear(self, worker: _Worker) -> None:
        message = worker.channel.receive()
        connection = worker.busy
        if message is None:
            self._dismiss(worker)
            if connection is not None:
                worker.busy = connection
                self.dying.append(_Dying(connection, worker, time.monotonic() + 1))
        elif message.fields.get("behind"):
            self._dismiss(worker)
            if connection is not None:
                self.queue.appendleft(connection)
        elif message.fields.get("more"):
            self.watch.note(message.fields, connection.address if connection else ())
        else:
            self._finish(worker, message)

    def _finish(self, worker: _Worker, message: Message) -> None:
        connection, fields = worker.busy, message.fields
        worker.busy = None
        number = int(fields.pop("number"))
        self._learn(number)
        keep, whole = fields.pop("keep"), fields.pop("whole", False)
        if connection is not None:
            self.watch.note(fields, connection.address)
            if message.payload and len(connection.request) > 1 and number == self.number:
                self.cache.put(connection.request, message.payload, fields)
            if whole:
                connection.socket.recv(len(connection.request))
                self._send(connection, message.payload)
            elif keep and connection.left is None:
                self._await_next(connection)
            else:
                self._close(connection)
        if worker.writes:
            return
        if not self._is_current(worker) or len(self._idle) >= self._wanted or not _is_quick_again(worker):
            self._dismiss(worker)
        else:
            self._idle.append(worker)

    def _learn(self, number: int) -> None:
        """The store's state is at least this one: what is answered from now on shows it."""
        if number > self.number:
            self.number = number
            self.cache.clear()

    # -- processes ---------------------------------------------------------------------------------------------

    def _start_keeper(self) -> None:
        channel, pid = self.start_keeper(self._serials)
        self.keepers[channel.fileno()] = _Keeper(channel, pid, self._serials)
        self._serials += 1
        self._epoll.register(channel, select.EPOLLIN)
        channel.send({"wanted": self._wanted})

    def _hear_keeper(self, keeper: _Keeper) -> None:
        message = keeper.channel.receive()
        if message is None:
            self._forget(keeper)
            return
        fields = message.fields
        if "evaluator" in fields:
            keeper.loaded = True
            worker = _Worker(Channel.of(message.files[0]), fields["evaluator"], fields["slot"], keeper.number, fields["generation"])
            self._idle.append(self._enlist(worker))
            self._retire_former()
            if not self._announced:
                self._announced = True
                self.ready()
        elif "ended" in fields:
            self.reasons[fields["ended"]] = fields["signal"]
        elif "lost" in fields and keeper.number == self._serials - 1:
            self._start_keeper()
        elif "generation" in fields:
            self._learn(fields["number"])
            keeper.generation = fields["generation"]

    def _retire_former(self) -> None:
        """Where a new keeper or a new generation has taken over, idle evaluators of the former go, and a keeper without any."""
        for worker in [each for each in self._idle if not self._is_current(each)]:
            self._dismiss(worker)
        newest = max((keeper.number for keeper in self.keepers.values() if keeper.loaded), default=0)
        for former in [each for each in self.keepers.values() if each.number < newest]:
            former.channel.send({"wanted": 0})
            if not any(worker.keeper == former.number for worker in self.workers.values()):
                self._forget(former)

    def _is_current(self, worker: _Worker) -> bool:
        loaded = [keeper for keeper in self.keepers.values() if keeper.loaded]
        newest = max(loaded, key=lambda keeper: keeper.number, default=None)
        return newest is None or (worker.keeper, worker.generation) >= (newest.number, newest.generation)

    def _forget(self, keeper: _Keeper) -> None:
        self._epoll.unregister(keeper.channel)
        del self.keepers[keeper.channel.fileno()]
        keeper.channel.close()
        if keeper.number < self._serials - 1 or self._stopping:
            return
        if not self._announced:
            self.stop()
            return
        _log.warning("the process that holds the graph ended and is started again")
        time.sleep(_RESTART)
        self._start_keeper()

    def _enlist(self, worker: _Worker) -> _Worker:
        self.workers[worker.channel.fileno()] = worker
        self._epoll.register(worker.channel, select.EPOLLIN)
        return worker

    def _dismiss(self, worker: _Worker) -> None:
        """Lets a process go: it ends when its channel is closed, and its keeper forks another."""
        self._epoll.unregister(worker.channel)
        del self.workers[worker.channel.fileno()]
        if worker in self._idle:
            self._idle.remove(worker)
        worker.channel.close()

    # -- what time brings --------------------------------------------------------------------------------------

    @property
    def served(self) -> bool:
        """Whether it has ever been ready."""
        return self._announced

    def _tick(self, now: float) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        for connection in list(self.connections.values()):
            idle = not connection.request and not connection.unsent
            bound = _IDLE_SECONDS if connection.served else _HEAD_SECONDS
            if (idle or connection.unsent) and now - connection.since > bound:
                self._close(connection)
        for worker in list(self.workers.values()):
            if worker.busy is not None:
                self._watch_over(worker, worker.busy, now)
        for dying in list(self.dying):
            reason = self.reasons.pop(dying.worker.pid, None)
            if reason is not None or now > dying.until:
                self.dying.remove(dying)
                self._answer_for(dying, reason)
        if len(self.keepers) > 1:
            self._retire_former()
        self._adapt()

    def _watch_over(self, worker: _Worker, connection: Connection, now: float) -> None:
        if not worker.slow and not worker.writes and now - worker.since > _SLOW:
            worker.slow = True
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, worker.pid, _GIVES_WAY)
        if not worker.writes and connection.left is not None and now - connection.left > _LEFT_SECONDS:
            with suppress(OSError):
                os.kill(worker.pid, signal.SIGKILL)

    def _answer_for(self, dying: _Dying, reason: int | None) -> None:
        """Answers in the place of a process that ended, unless it had begun to."""
        connection, worker = dying.connection, dying.worker
        if reason is None and time.monotonic() - worker.since >= self.options.seconds:
            reason = signal.SIGALRM
        failed = ("500 Internal Server Error", "internal", "the request ended the process that answered it")
        status, code, message = _ENDS.get(signal.Signals(reason), failed) if reason else failed
        if reason == signal.SIGKILL and connection.left is None and _is_untouched(connection):
            self.queue.append(connection)  # it was killed before it had begun
            return
        if connection.left is not None or self.slots[worker.slot]:
            self.watch.note({"status": 499 if connection.left is not None else int(status[:3]), "outcome": code}, connection.address)
            self._close(connection)
            return
        headers = (_RETRY,) if status.startswith("503") else ()
        self._refuse(connection, status, code, message, _HINTS.get(code, "try again"), *headers)

    def _adapt(self) -> None:
        """While requests wait behind slow ones there are more evaluators than usual."""
        slow = sum(worker.slow for worker in self.workers.values())
        wanted = min(self.options.workers + slow, self.options.most_workers)
        if wanted != self._wanted:
            self._wanted = wanted
            for keeper in self.keepers.values():
                if keeper.number == self._serials - 1:
                    keeper.channel.send({"wanted": wanted})


def _is_untouched(connection: Connection) -> bool:
    """Whether nobody has read the request yet."""
    try:
        return connection.socket.recv(len(connection.request), socket.MSG_PEEK) == connection.request
    except OSError:
        return False


def _is_quick_again(worker: _Worker) -> bool:
    """Whether a process has its priority, back where it gave way; the system may keep it from those who are not privileged."""
    if worker.slow:
        try:
            os.setpriority(os.PRIO_PROCESS, worker.pid, 0)
        except OSError:
            return False
        worker.slow = False
    return True
