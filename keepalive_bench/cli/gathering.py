"""Results of places as they come, from files or from workers → all places side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.cli.planning import judged
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.outcome import analyse
from keepalive_bench.places.comparison import side_by_side
from keepalive_bench.places.place import LostPlace, Place, place_of
from keepalive_bench.places.requirements import demanded_at, is_meant, place_requirements
from keepalive_bench.plan.arms import KINDS, Arm
from keepalive_bench.report.requirements import worst
from keepalive_bench.requirements.selection import selection
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis import Requirement
    from keepalive_bench.places.report import Places
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run


class Found(NamedTuple):
    """The result of a place."""

    name: str
    source: str
    """The file that holds it, or the worker that measured."""
    run: Run


class Gathering:
    """What has come so far. Of a run, only what it comes to is kept: many have room in memory."""

    def __init__(self, asked: Asked, demanded: tuple[str, ...]) -> None:
        self._asked, self._demanded = asked, demanded
        self._requirements: dict[str, Requirement] = {}
        self._sources: dict[str, str] = {}
        self.places: list[Place] = []
        self.lost: list[LostPlace] = []

    def add(self, found: Found | LostPlace) -> None:
        """Note one more.

        Raises:
            UsageError: another one is called so, or there is a requirement that its run can't have.
        """
        self._refuse_name(found.name, found.source)
        if isinstance(found, LostPlace):
            self.lost.append(found)
            return
        plan = self._plan(found)
        demanded = demanded_at(found.name, self._required(found.name, plan.experiment.arms))
        try:
            analysis = analyse(found.run._replace(plan=plan), demanded)
        except UsageError as error:
            raise UsageError(f"{found.name} ({found.source}): {error}") from None
        self.places.append(place_of(found.name, found.source, found.run, analysis))

    def _refuse_name(self, name: str, source: str) -> None:
        if name in self._sources:
            raise UsageError(
                f"Two places are called {quoted(name)}: that of {self._sources[name]}, and that of "
                f"{source}. Rename one with NAME=FILE, or with kab run --place."
            )
        self._sources[name] = source

    def _plan(self, found: Found) -> Plan:
        """As it was judged, but for what is asked for; without its own requirements."""
        plan = judged(found.run.plan, self._asked)
        return replace(plan, decision_rule=replace(plan.decision_rule, requirements=()))

    def _required(self, name: str, arms: tuple[Arm, ...]) -> Iterable[Requirement]:
        """What can be required, as far as it is known: a place may have other arms than others."""
        for text in self._demanded:
            if text not in self._requirements and is_meant(name, text):
                (self._requirements[text],) = place_requirements([text], arms)
        return self._requirements.values()

    def side_by_side(self, *, strict: bool) -> Places:
        """All that has come.

        Raises:
            UsageError: a requirement on a place that isn't among them is none.
        """
        arms = self.places[0].plan.experiment.arms if self.places else tuple(map(Arm, KINDS))
        for name in (selection(it).selector for it in self._demanded):
            self._required(name, arms)
        required = [self._requirements[text] for text in dict.fromkeys(self._demanded)]
        return side_by_side(self.places, self.lost, required, strict=strict)


def exit_code(found: Places) -> ExitCode:
    """The first that applies."""
    if not found.totals.measured:
        return ExitCode.NOTHING_MEASURED
    if worst(found.requirements, strict=found.strict) == "missed":
        return ExitCode.REQUIREMENT_MISSED
    if found.lost or not all(it.is_complete for it in found.places):
        return ExitCode.PARTLY_MEASURED
    return ExitCode.MEASURED
