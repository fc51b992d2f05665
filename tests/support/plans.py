"""Plans for tests, each option put where it belongs, and the shortest ways to carry them out."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from keepalive_bench import (
    Arm,
    Experiment,
    Network,
    Plan,
    Request,
    Target,
    Tls,
    Variation,
    benchmark,
)
from keepalive_bench.plan.plan import Known

if TYPE_CHECKING:
    from keepalive_bench import Exchange, Run

_SEED = 7


def plan(url: str, **options: Any) -> Plan:  # noqa: ANN401  # of any part of a plan
    """A plan with a fixed seed; a name that no part of it knows is a mistake."""
    options = {"seed": _SEED, **options}
    request, tls, network, experiment, known = (
        _part(kind, options) for kind in (Request, Tls, Network, Experiment, Known)
    )
    assert not options, f"no plan has {options}"
    return Plan(Target(url), request, tls, network, experiment, known=known)


def run(url: str, **options: Any) -> Run:  # noqa: ANN401
    return benchmark(plan(url, **options))


def exchange(url: str, kind: str = "pooled", **options: Any) -> Exchange:  # noqa: ANN401
    """The only exchange of a run that has no other."""
    return run(url, **{"arms": (Arm(kind),), "requests": 1, "warmup": 0, **options}).exchanges[0]


def failure(url: str, kind: str = "pooled", **options: Any) -> str | None:  # noqa: ANN401
    """What the only exchange of a run failed with."""
    failed = exchange(url, kind, **options).outcome.failure
    return None if failed is None else failed.kind


PLAIN = Variation(counter=False)
"""Every request the same."""


def _part(kind: type[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
    names = {field.name for field in fields(kind) if field.init}
    return kind(**{name: options.pop(name) for name in names & options.keys()})
