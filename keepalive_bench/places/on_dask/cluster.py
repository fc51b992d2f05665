"""A Dask cluster that exists: who its workers are, and whether a plan can be carried out there."""

from __future__ import annotations

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from keepalive_bench.errors import KabError, UsageError
from keepalive_bench.places.on_dask.connecting import Answer, workers_of
from keepalive_bench.places.on_dask.task import code, identity
from keepalive_bench.places.sentence import some_of
from keepalive_bench.plan.plan import PLACE_RULE, can_be_place
from keepalive_bench.units import duration, plural, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from distributed import Client

T = TypeVar("T")
_PACKAGES = ("keepalive-bench", "urllib3")
"""What has to be of one version everywhere."""
_ANSWER_S = 15.0
"""How long workers may take to answer a question; a busy one answers all the same."""
_HUNG_S = 2.0
"""How long one of them may, where it's looked for who doesn't."""
_ASKED, _AT_ONCE = 5, 16
"""How often each worker's clock is looked at: the quickest answer says most. How many at a time."""


class Member(NamedTuple):
    """A worker, as a place to measure at."""

    name: str
    address: str
    identity: str
    """As Dask has it; another process at the same address has another."""
    offset_s: float
    """How far its clock is ahead of this machine's."""
    offset_error_s: float
    """By how much that may be wrong: half of what asking for it took."""


def members(client: Client, most: int | None) -> tuple[Member, ...]:
    """The workers that a plan can be carried out on, by name.

    Raises:
        UsageError: there is none, there are more than `most`, two are called alike or one as no
            place can be, or they have other versions than this kab.
        KabError: one of them doesn't answer.
    """
    try:
        return _members(client, most)
    except KabError:
        raise
    except Exception as error:  # of another version, Dask raises what it likes
        raise KabError(
            f"The Dask workers can't be asked ({type(error).__name__}): is their Dask as new as "
            f"distributed {metadata.version('distributed')}, which is installed here?"
        ) from error


def _members(client: Client, most: int | None) -> tuple[Member, ...]:
    workers = Answer(lambda: workers_of(client)).within(_ANSWER_S)
    paused = [f"{it['name']}" for it in workers.values() if it.get("status") == "paused"]
    if paused:
        raise KabError(
            f"Dask workers are paused, as their memory is full: {printable(some_of(paused))}."
        )
    names = {address: f"{it['name']}" for address, it in workers.items()}
    check_names(names.values(), most)
    _check_scheduler(client)
    _check_versions(client, names)
    _check_code(client, names)
    identities = _asked(client, names, identity)
    ordered = sorted(names, key=lambda it: natural(names[it]))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        clocks_s = pool.map(partial(_clock, client, names), ordered)
        return tuple(
            Member(names[it], it, identities[it], *clock_s)
            for it, clock_s in zip(ordered, clocks_s, strict=True)
        )


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Orders names as people do: `w2` goes before `w10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((it.isdecimal(), int(it) if it.isdecimal() else 0, it) for it in parts)


DEFAULT_MOST = 10
"""Workers that are used where nobody says how many."""


def check_names(names: Collection[str], most: int | None) -> None:
    """Refuse workers that can't be a place each, or are more than anybody meant.

    Raises:
        UsageError: they are.
    """
    if not names:
        raise UsageError("The Dask scheduler has no workers: start some with dask worker.")
    count = len(names)
    if count > (DEFAULT_MOST if most is None else most):
        raise UsageError(
            f"The Dask scheduler has {plural(count, 'worker')}, and each would send all requests: "
            f"if that is meant, say --dask-workers {count}."
        )
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise UsageError(
            f"Several Dask workers are called {quoted(twice[0])}, and a place needs a name of its "
            "own: dask worker --name NAME."
        )
    odd = next((it for it in names if not can_be_place(it)), None)
    if odd is not None:
        raise UsageError(
            f"No place can be called as the Dask worker {quoted(odd)} is: {PLACE_RULE}. Name it "
            "with dask worker --name NAME."
        )


def _asked(
    client: Client, names: Mapping[str, str], call: Callable[..., T], *arguments: str
) -> dict[str, Any]:
    """What a call returns on each worker, by its address; or the error that it raises.

    Raises:
        KabError: one of them doesn't answer.
    """
    ask = partial(client.run, call, *arguments, on_error="return")
    try:
        answers: dict[str, Any] = Answer(lambda: ask(workers=[*names])).within(_ANSWER_S)
    except TimeoutError:
        hung = [name for it, name in names.items() if not _answers(client, it)]
        who = some_of(hung) if hung else f"one of {some_of([*names.values()])}"
        raise KabError(
            f"Dask workers don't answer for {duration(_ANSWER_S)}: {printable(who)}."
        ) from None
    gone = [name for it, name in names.items() if isinstance(answers.get(it), OSError)]
    if gone or answers.keys() != names.keys():
        gone = gone or [name for it, name in names.items() if it not in answers]
        raise KabError(f"Dask workers can't be reached: {printable(some_of(gone))}.")
    return answers


def _answers(client: Client, address: str) -> bool:
    try:
        Answer(lambda: client.run(time.time, workers=[address])).within(_HUNG_S)
    except Exception:  # noqa: BLE001  # whatever keeps it from answering
        return False
    return True


def _check_scheduler(client: Client) -> None:
    """Refuse a scheduler that can't read what workers are to do: it does, on their way to them."""
    package, here = _PACKAGES[0], metadata.version(_PACKAGES[0])
    ask = partial(client.run_on_scheduler, metadata.version, package)
    try:
        there = Answer(ask).within(_ANSWER_S)
    except metadata.PackageNotFoundError:
        there = "none"
    if there != here:
        raise UsageError(
            f"The Dask scheduler needs the same {package} as here, {here}, and has "
            f"{printable(there)}."
        )


def _check_code(client: Client, names: Mapping[str, str]) -> None:
    """Refuse workers that have loaded other code of the same version."""
    there = _asked(client, names, code)
    others = [names[address] for address, found in there.items() if found != code()]
    if others:
        raise UsageError(
            f"Dask workers have another {_PACKAGES[0]} than here, though of the same version, "
            f"{metadata.version(_PACKAGES[0])}: install this one there, and start them anew: "
            f"{printable(some_of(sorted(others, key=natural)))}."
        )


def _check_versions(client: Client, names: Mapping[str, str]) -> None:
    """Refuse workers whose measurements wouldn't mean the same, or can't be made."""
    for package in _PACKAGES:
        here = metadata.version(package)
        # Named, not sent: it is found on workers that have nothing of kab, too.
        there = _asked(client, names, metadata.version, package)
        others: dict[str, list[str]] = {}
        for address, version in there.items():
            if version != here:
                said = version if isinstance(version, str) else "none"
                others.setdefault(said, []).append(names[address])
        if others:
            told = "; ".join(
                f"{version} on {some_of(sorted(those, key=natural))}"
                for version, those in others.items()
            )
            raise UsageError(
                f"Dask workers need the same {package} as here, {here}, and have other versions: "
                f"{printable(told)}."
            )


def _clock(client: Client, names: Mapping[str, str], address: str) -> tuple[float, float]:
    """How far a worker's clock is ahead, and by how much that may be wrong, in seconds.

    As in NTP (RFC 5905, section 8), with one time of the other's: it is read in the middle, give or
    take half of what asking takes; the quickest of several answers is the best.
    """
    best = (0.0, float("inf"))
    for _ in range(_ASKED):
        asked_s, asked_at_s = time.perf_counter(), time.time()
        there_s = _asked(client, {address: names[address]}, time.time)[address]
        half_s = (time.perf_counter() - asked_s) / 2
        if half_s < best[1]:
            best = (there_s - (asked_at_s + half_s), half_s)
    return best


def clocks(found: Sequence[Member]) -> str:
    """How well the places' clocks agree, in a sentence."""
    worst = max(found, key=lambda it: abs(it.offset_s))
    return (
        f"The clocks of {plural(len(found), 'worker')} are within {duration(abs(worst.offset_s))} "
        f"of this machine's, give or take {duration(max(it.offset_error_s for it in found))}."
    )
