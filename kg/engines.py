"""Runs a pure function over many items on workers: in this process, in processes of this machine, or on a Dask cluster.

All give the results in the order of the items, so it can't be told from a result where it was made. On a cluster, what a worker had
in hand when it died is done again by another one (Dask's scheduler knows who has what).
"""

from __future__ import annotations

import logging
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kg.errors import InvalidSetting, KgError
from kg.parallel import in_order
from kg.settings import Settings

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["LOCAL", "Runner", "open_engine"]

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "dask"
"""Value of the setting `engine` that means a cluster of this machine's own."""

_AHEAD = 4
_SCHEMES = ("tcp://", "tls://", "ucx://")
_MISSING = "a cluster needs the packages of the extra `cluster`"
_PATIENCE = 120
_OWN: dict[str, Any] = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None, "memory_limit": 0}
_made: dict[bytes, Callable[[Any], Any]] = {}


class Runner(Protocol):
    """Gives the results of the function that ``make(*arguments)`` gives, which each worker makes once, in the order of `items`.

    `lost` says what stands for an item at which worker after worker died; without it that raises KgError.
    """

    def __call__(
        self,
        make: Callable[..., Callable[[Item], Result]],
        arguments: tuple[object, ...],
        items: Iterable[Item],
        *,
        lost: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """The results; only a few items are read ahead."""


@contextmanager
def open_engine(settings: Settings) -> Iterator[Runner]:
    """What the settings `engine` and `workers` name, ready to run; what was started for it is ended with the block.

    Raises InvalidSetting for an engine that is none, KgError for one that can't be reached.
    """
    engine, workers = str(settings.engine), int(settings.workers)
    if not engine:
        yield _Here(workers)
        return
    if engine != LOCAL and not engine.startswith(_SCHEMES):
        raise InvalidSetting(f"there is no engine {engine!r}", hint=f"`{LOCAL}`, or the address of a Dask scheduler: tcp://HOST:8786")
    with _client(engine, workers) as client:
        yield _Cluster(client)


class _Here:
    """This process, or several of this machine."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __call__(
        self,
        make: Callable[..., Callable[[Item], Result]],
        arguments: tuple[object, ...],
        items: Iterable[Item],
        *,
        lost: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """As Runner says; a process of this machine that dies ends the run."""
        return in_order(make, arguments, items, workers=self.workers) if self.workers > 1 else map(make(*arguments), items)


class _Cluster:
    """Workers of a Dask cluster."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(
        self,
        make: Callable[..., Callable[[Item], Result]],
        arguments: tuple[object, ...],
        items: Iterable[Item],
        *,
        lost: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """As Runner says; each task carries how its function is made, and a worker keeps what it has made."""
        from distributed import Future, KilledWorker

        recipe = pickle.dumps((make, arguments))
        waiting: deque[tuple[Item, Future]] = deque()

        def submit(item: Item) -> Future:
            return self.client.submit(_work, recipe, item, pure=False)

        def first() -> Result:
            item, future = waiting.popleft()
            try:
                try:
                    found: Result = future.result()
                except KilledWorker:  # perhaps of what another task did there: it is tried alone
                    for _, other in waiting:
                        other.exception()  # waits until it is done
                    future = submit(item)
                    found = future.result()
                return found
            except KilledWorker as error:
                if lost is not None:
                    return lost(item)
                hint = "what is done is stored; run the same command again, with more memory for each worker"
                raise KgError("workers of the cluster were killed again and again", hint=hint) from error
            finally:
                future.release()

        try:
            for item in items:
                waiting.append((item, submit(item)))
                if len(waiting) >= _AHEAD * max(1, len(self.client.nthreads())):
                    yield first()
            while waiting:
                yield first()
        finally:
            for _, future in waiting:
                future.cancel()


def _work(recipe: bytes, item: Any) -> Any:
    """Runs in a worker: makes the function where the worker has not made it yet, and no more than one at a time."""
    if recipe not in _made:
        _made.clear()
        make, arguments = pickle.loads(recipe)
        _made[recipe] = make(*arguments)
    return _made[recipe](item)


@contextmanager
def _client(engine: str, workers: int) -> Iterator[Client]:
    """A client of a running cluster, or of one of this machine's own, each worker a process with one thread."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InvalidSetting(_MISSING, hint="install them by `pip install 'kg[cluster]'`, or leave --engine out") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what a user must know of a lost worker, the report says
    try:
        if engine != LOCAL:
            with Client(engine, timeout=_PATIENCE, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=_PATIENCE)
                yield client
            return
        quiet = {"distributed.logging.distributed": "critical", "distributed.worker.profile.enabled": False}
        with (
            dask.config.set(quiet),
            LocalCluster(silence_logs=logging.CRITICAL, **_OWN, n_workers=workers) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
    except (OSError, TimeoutError) as error:
        message = f"the cluster {engine} does not answer: {error}"
        raise KgError(message, hint="check its address, and that it has workers that run this version of kg") from error
