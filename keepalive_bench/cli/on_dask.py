"""`kab run URL --dask SCHEDULER`: the comparison on every worker of a Dask cluster."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from keepalive_bench.cli.dask_options import DASK, DASK_INSECURE, DASK_WORKERS, KEPT, SPLIT
from keepalive_bench.cli.gathering import Found, Gathering, exit_code
from keepalive_bench.cli.kept_places import KeptPlaces
from keepalive_bench.cli.options import STRICT
from keepalive_bench.cli.places import show
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.places.on_dask.work import Result, secrets_of, shares_of
from keepalive_bench.places.place import LostPlace
from keepalive_bench.places.report.progress import PlacesStatus, bars, lines
from keepalive_bench.places.requirements import place_requirements
from keepalive_bench.places.sentence import some_of
from keepalive_bench.results.run import Run
from keepalive_bench.units import duration, enumerated, plural, printable, quoted, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from keepalive_bench.cli.exports import Exports
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.places.on_dask.cluster import Member
    from keepalive_bench.places.report.progress import Followed
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.plan import Plan

_SEEDS = 2**32
_SAFE = ("tls://", "wss://")
_LATE_S = 0.5
"""Who begins later than that after the others is named."""


def carry_out(
    plan: Plan,
    demanded: tuple[str, ...],
    asked: Asked,
    shown: Screen,
    exports: Exports,
    interrupts: Interrupts,
) -> ExitCode:
    """Measure on all workers, write and show what came; the exit code."""
    check_installed(DASK.flag)
    if plan.known.place is not None:
        raise UsageError("With --dask, places are called as their workers: leave --place out.")
    from keepalive_bench.places.on_dask.cluster import clocks, members  # noqa: PLC0415  # Dask takes 0.5 s
    from keepalive_bench.places.on_dask.collecting import Collector  # noqa: PLC0415  # the same
    from keepalive_bench.places.on_dask.connecting import connected, shown_address  # noqa: PLC0415  # the same
    from keepalive_bench.places.on_dask.files import contents  # noqa: PLC0415  # the same

    place_requirements(demanded, plan.experiment.arms)
    _check_before(plan, asked)
    gathering = Gathering(asked, demanded)
    files = contents(plan)
    reception = _Reception(gathering, KeptPlaces(asked[KEPT]), shown.remark)
    was_interrupted = False
    with connected(asked[DASK] or "") as client:
        found = members(client, asked[DASK_WORKERS])
        plans = _plans(plan, len(found), is_split=asked[SPLIT] is True)
        addresses = [shown_address(client), *(it.address for it in found)]
        if warning := _check_secrets(plan, addresses, asked):
            shown.remark(warning)
        if not shown.quiet:
            shown.remark(extent(plans, found))
            shown.remark(clocks(found))
        interrupts.take_over()

        def is_interrupted() -> bool:
            nonlocal was_interrupted
            wanted = interrupts.drain()
            was_interrupted |= wanted
            return wanted

        collector = Collector(client, found, plans, files, _apart_s(plans, asked))
        status = PlacesStatus([it.name for it in found], plans)
        with _followed(status, shown) as followed:
            for number, said in collector.events(is_interrupted):
                if isinstance(said, Result):
                    followed(number, reception.take(found[number], said))
                else:
                    followed(number, said)
    result = gathering.side_by_side(strict=asked[STRICT] is True)
    try:
        exports.write(result)
    finally:
        show(result, shown)
    if was_interrupted:
        return ExitCode.INTERRUPTED
    return ExitCode.NOTHING_MEASURED if reception.has_failed else exit_code(result)


class _Reception:
    """Takes what comes of places. What goes wrong with one of them costs no other."""

    def __init__(
        self, gathering: Gathering, kept: KeptPlaces, remark: Callable[[str], None]
    ) -> None:
        self._gathering, self._kept, self._remark = gathering, kept, remark
        self.has_failed = False
        """Whether a run couldn't be kept."""

    def take(self, member: Member, result: Result) -> Run | LostPlace:
        """Keep and gather what a place has told."""
        ended = _of(member, result)
        if isinstance(ended, Found):
            self._keep(ended)
        self._gathering.add(ended)
        if result.late_s > _LATE_S:
            late = duration(result.late_s)
            self._remark(printable(f"{member.name} began {late} after the others: it was busy."))
        return ended if isinstance(ended, LostPlace) else ended.run

    def _keep(self, found: Found) -> None:
        try:
            self._kept.add(found)
        except UsageError as error:
            if not self.has_failed:
                self._remark(f"{error} What it says is in the report all the same.")
            self.has_failed = True


def check_installed(option: str) -> None:
    """Refuse what needs Dask, where it isn't.

    Raises:
        UsageError: it isn't.
    """
    if find_spec("distributed") is None:
        raise UsageError(f"{option} needs Dask's distributed: pip install 'keepalive-bench[dask]'.")


@contextmanager
def _followed(status: PlacesStatus, shown: Screen) -> Iterator[Followed]:
    """What is to be told of each place; whoever waits is shown how far they are."""
    if shown.quiet:
        yield status.note
    elif shown.can_draw:
        with bars(shown.err, status) as followed:
            yield followed
    else:
        yield lines(status, shown.remark)


def _of(member: Member, result: Result) -> Found | LostPlace:
    if result.run is None:
        return LostPlace(member.name, member.address, result.why)
    try:
        run = Run.unpacked(result.run, "Its result")
    except UsageError as error:
        return LostPlace(member.name, member.address, str(error))
    return Found(member.name, member.address, run)


def _apart_s(plans: Sequence[Plan], asked: Asked) -> float:
    """Parts of a rate that is split begin one after the other, as the whole would send."""
    rates = [it.experiment.load.rate for it in plans]
    return 1 / sum(filter(None, rates)) if asked[SPLIT] is True else 0.0


def _plans(plan: Plan, count: int, *, is_split: bool) -> tuple[Plan, ...]:
    """Each place's: with parameters of its own, so that no cache has seen them."""
    plans = shares_of(plan, count) if is_split else (plan,) * count
    return tuple(
        replace(
            it,
            experiment=replace(it.experiment, seed=(it.experiment.seed + number) % _SEEDS),
        )
        for number, it in enumerate(plans)
    )


def extent(plans: Sequence[Plan], found: Sequence[Member]) -> str:
    """What all places together do, before they do it."""
    experiments = [it.experiment for it in plans]
    requests = sum(it.total_requests for it in experiments)
    connections = sum(
        it.total_requests // len(it.arms) if arm.is_single_use else it.threads
        for it in experiments
        for arm in it.arms
    )
    rates = [it.load.rate for it in experiments]
    at = (
        f", {rate(sum(filter(None, rates)))} requests per second with each arm"
        if all(rates)
        else ""
    )
    places = f"{plural(len(found), 'place')} ({some_of([it.name for it in found])})"
    first = experiments[0]
    if not first.is_limited:
        how = f"requests for {duration(first.duration_s)}"
        return printable(f"{places} will send {how}{at}.")
    most = "at most " if first.may_end_early else ""
    return printable(
        f"{places} will send {most}{plural(requests, 'request')} over about "
        f"{plural(connections, 'connection')}{at}, warm-ups included."
    )


def _check_before(plan: Plan, asked: Asked) -> None:
    """Refuse what can't be, before anybody is asked.

    Raises:
        UsageError: it is asked for.
    """
    most = asked[DASK_WORKERS]
    if most is not None and most < 1:
        raise UsageError(f"There must be at least 1 worker ({DASK_WORKERS.flag}).")
    if asked[SPLIT] is True:
        shares_of(plan, 1)
    scheduler = asked[DASK] or ""
    if "://" in scheduler:
        _check_secrets(plan, [scheduler], asked)


def _check_secrets(plan: Plan, addresses: Sequence[str], asked: Asked) -> str:
    """That secrets go to workers where others can read them, if that is allowed.

    Raises:
        UsageError: it isn't.
    """
    plain = next((it for it in addresses if not it.startswith(_SAFE)), None)
    secret = secrets_of(plan)
    if not secret or plain is None:
        return ""
    what = enumerated([*secret])
    if asked[DASK_INSECURE] is not True:
        raise UsageError(
            f"The plan has secrets ({what}), and {quoted(plain)} isn't TLS: connect over "
            "tls://, or send them all the same with --dask-insecure."
        )
    return f"Warning: secrets ({what}) go to the Dask workers without TLS (--dask-insecure)."
