"""Has all places measure at once, and collects what comes, until nothing more can."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from keepalive_bench.places.on_dask.connecting import Answer, workers_of
from keepalive_bench.places.on_dask.task import (
    STARTING_S,
    STOPPING_S,
    TOPIC,
    key_of,
    measure,
    stop,
)
from keepalive_bench.places.on_dask.work import Progress, Result, Secret, Work, longest_s
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from distributed import Client, Future

    from keepalive_bench.places.on_dask.cluster import Member
    from keepalive_bench.places.on_dask.files import Files
    from keepalive_bench.plan.plan import Plan

    Event: TypeAlias = "tuple[int, Progress | Result]"
    """The number of a place, and what came of it."""

_LEAD_S, _LEAD_EACH_S = 2.0, 0.05
"""How far ahead the start is set, so that all workers know of it in time."""
_POLL_S, _LOOK_S = 0.2, 1.0
_SILENT_S = 30.0
"""A scheduler that doesn't answer for so long has gone."""
_FETCH_S = 30.0
_SLACK_S = 10.0
"""How much longer a place may be silent than its worker lets it measure."""
GONE = "The Dask scheduler is gone."
_SILENCE = "It said nothing for longer than its run can take."
STOPPED = "It was stopped before its result arrived."


class Awaited(NamedTuple):
    """A place that owes its result."""

    member: Member
    until_s: float
    """When it is given up, on this machine's clock that only goes on."""
    silence: str = "Its worker is busy with something else."
    """Why it is then."""
    has_begun: bool = False


def given_up(
    awaited: Mapping[int, Awaited], present: Collection[str] | None, now_s: float
) -> dict[int, str]:
    """Which places will never tell, and why.

    Args:
        awaited: by number.
        present: the addresses of the workers that the scheduler knows; `None`: it is gone.
        now_s: the time, on the clock of `until_s`.
    """
    lost = {}
    for number, it in awaited.items():
        if present is None:
            lost[number] = GONE
        elif it.member.address not in present:
            lost[number] = "Its worker died, or left the cluster."
        elif now_s > it.until_s:
            lost[number] = it.silence
    return lost


class _Watch:
    """Looks who is there, aside: a scheduler that hangs holds up nobody."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: tuple[float, Collection[str] | None] | None = None
        self._began_s, self._ended = time.monotonic(), threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def present(self, now_s: float) -> Collection[str] | None:
        """The addresses of workers; `None`: the scheduler is gone, or as good as that.

        Raises:
            LookupError: nobody has seen them yet.
        """
        seen_s, found = self._seen or (self._began_s, None)
        if now_s > seen_s + _SILENT_S:
            return None
        if self._seen is None:
            raise LookupError
        return found

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_S):
            found: Collection[str] | None = None
            with suppress(Exception):  # whatever a lost connection comes to
                found = frozenset(workers_of(self._client))
            self._seen = time.monotonic(), found


class Collector:
    """The tasks of all places, and what has come of them.

    The thread that reads its events waits for nobody but them: what a scheduler or a worker may
    take long for is asked aside.
    """

    def __init__(
        self,
        client: Client,
        members: Sequence[Member],
        plans: Sequence[Plan],
        files: Files,
        apart_s: float = 0.0,
    ) -> None:
        """Begin: each plan at its member, all at the same time, or that far apart."""
        self._client = client
        self._token, self._is_stopped = secrets.token_hex(8), False
        self._inbox: SimpleQueue[Event] = SimpleQueue()
        lead_s = _LEAD_S + _LEAD_EACH_S * len(members)
        start_s, now_s = time.time() + lead_s, time.monotonic()
        client.subscribe_topic(TOPIC, self._hear)
        self._watch = _Watch(client)
        begin_s = 3 * lead_s + _SLACK_S  # from then on, its task would refuse to begin
        self._longest_s = [begin_s + longest_s(plan) + STARTING_S for plan in plans]
        self._awaited = {
            number: Awaited(member, now_s + begin_s) for number, member in enumerate(members)
        }
        self._ended: SimpleQueue[tuple[int, Future[Result]]] = SimpleQueue()
        threading.Thread(target=self._fetch, daemon=True).start()
        self._futures: dict[int, Future[Result]] = {}
        for number, (member, plan) in enumerate(zip(members, plans, strict=True)):
            work = Work(
                plan=replace(plan, known=replace(plan.known, place=member.name)),
                files=files,
                token=self._token,
                number=number,
                worker=member.identity,
                start_s=start_s + member.offset_s + number * apart_s,
                most_wait_s=2 * lead_s,
            )
            self._futures[number] = self._submitted(work, member)

    def _submitted(self, work: Work, member: Member) -> Future[Result]:
        future = self._client.submit(
            measure,
            Secret(work),
            key=key_of(self._token, work.number),
            workers=[member.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        future.add_done_callback(lambda done: self._ended.put((work.number, done)))
        return future

    def _hear(self, event: tuple[float, tuple[str, int, int]]) -> None:
        """How far a place is, as its task logs it; those of other runs may, too."""
        _, (token, number, exchanges) = event
        if token == self._token:
            self._inbox.put((number, Progress(exchanges)))

    def _fetch(self) -> None:
        """Get what tasks gave back, as they end."""
        while True:
            number, future = self._ended.get()
            result = _fetched(future)
            if result.run is None and self._client.status != "running":
                result = Result(None, GONE)
            self._inbox.put((number, result))

    def events(self, is_interrupted: Callable[[], bool]) -> Iterator[Event]:
        """What comes of the places; at last a result of each, or why there is none.

        `is_interrupted`: whether somebody wants an end. The first time, all places are stopped, and
        tell what they have; the second time, nobody waits for that.
        """
        try:
            yield from self._events(is_interrupted)
        finally:
            self._watch.end()
            for future in self._futures.values():
                future.release()

    def _events(self, is_interrupted: Callable[[], bool]) -> Iterator[Event]:
        while self._awaited:
            if is_interrupted():
                if self._is_stopped:
                    yield from self._give_up(dict.fromkeys(self._awaited, STOPPED))
                    return
                self._is_stopped = True
                self._stop()
            for number, said in self._come():
                if number in self._awaited:
                    if isinstance(said, Result):
                        del self._awaited[number]
                    else:
                        self._note_begin(number)
                    yield number, said
            if self._inbox.empty():  # what has come isn't lost, however long it has waited here
                yield from self._give_up(self._lost())

    def _come(self) -> Iterator[Event]:
        """What has come, which is waited for a while."""
        with suppress(Empty):
            yield self._inbox.get(timeout=_POLL_S)
            for _ in range(self._inbox.qsize()):
                yield self._inbox.get_nowait()

    def _note_begin(self, number: int) -> None:
        it = self._awaited[number]
        if not it.has_begun and not self._is_stopped:
            until_s = time.monotonic() + self._longest_s[number]
            self._awaited[number] = it._replace(until_s=until_s, silence=_SILENCE, has_begun=True)

    def _stop(self) -> None:
        """Have all places end early; those that don't are given up after a while."""
        patience_s = STOPPING_S + _SLACK_S
        until_s = time.monotonic() + patience_s
        why = f"It sent nothing for {duration(patience_s)} after it was told to stop."
        for number, it in self._awaited.items():
            if until_s < it.until_s:
                self._awaited[number] = it._replace(until_s=until_s, silence=why)
        run = partial(self._client.run, stop, self._token, wait=False, on_error="ignore")
        addresses = [it.member.address for it in self._awaited.values()]
        Answer(lambda: run(workers=addresses))

    def _lost(self) -> dict[int, str]:
        now_s = time.monotonic()
        owing = {
            number: it
            for number, it in self._awaited.items()
            if self._futures[number].status != "finished"  # its result is being fetched
        }
        try:
            return given_up(owing, self._watch.present(now_s), now_s)
        except LookupError:
            return {}

    def _give_up(self, lost: Mapping[int, str]) -> Iterator[Event]:
        for number, why in lost.items():
            del self._awaited[number]
            self._futures[number].release()
            yield number, Result(None, why)


def _fetched(future: Future[Result]) -> Result:
    """What a task that has ended gave back."""
    if future.status != "finished":
        try:
            error = future.exception(timeout=_FETCH_S) if future.status == "error" else None
        except Exception as other:  # noqa: BLE001  # the network's
            error = other
        why = f"{type(error).__name__}" if error else f"its task was {future.status}"
        return Result(None, f"Dask didn't carry it out: {why}.")
    try:
        result: Result = future.result(timeout=_FETCH_S)
    except Exception as error:  # noqa: BLE001  # of the network's, or of what can't be unpickled
        return Result(None, f"Its result can't be fetched: {type(error).__name__}.")
    return result
