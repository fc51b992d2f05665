"""kab: what does reusing the HTTP connection buy here, and why does it (or doesn't it) work?

The public API is small: build a `Plan`, run it, analyse the run.

    from keepalive_bench import Experiment, Plan, Target, analyse, benchmark

    run = benchmark(Plan(Target("http://127.0.0.1:8000/"), experiment=Experiment(requests=100)))
    print(analyse(run).verdict.text)

Where the package is imported before pytest, whose plugin it holds, PYTEST_DONT_REWRITE keeps pytest
from warning that it can't rewrite assertions in it: there are none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis
    from keepalive_bench.engine.benchmark import benchmark
    from keepalive_bench.errors import KabError, RequirementError, ResultsFileError, UsageError
    from keepalive_bench.outcome import analyse, require
    from keepalive_bench.plan.plan import (
        Arm,
        DecisionRule,
        Experiment,
        Known,
        Load,
        Network,
        Plan,
        ProbeTimes,
        Request,
        Resolution,
        Route,
        Target,
        Tls,
        Variation,
    )
    from keepalive_bench.results.exchange import Connection, Exchange, Failure
    from keepalive_bench.results.run import Run
    from keepalive_bench.trace.watch import watch

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Arm",
    "Connection",
    "DecisionRule",
    "Exchange",
    "Experiment",
    "Failure",
    "KabError",
    "Known",
    "Load",
    "Network",
    "Plan",
    "ProbeTimes",
    "Request",
    "RequirementError",
    "Resolution",
    "ResultsFileError",
    "Route",
    "Run",
    "Target",
    "Tls",
    "UsageError",
    "Variation",
    "analyse",
    "benchmark",
    "require",
    "watch",
]

_HOMES = {
    "analyse": "outcome",
    "require": "outcome",
    "benchmark": "engine.benchmark",
    "KabError": "errors",
    "RequirementError": "errors",
    "ResultsFileError": "errors",
    "UsageError": "errors",
    "Analysis": "analysis",
    "Connection": "results.exchange",
    "Exchange": "results.exchange",
    "Failure": "results.exchange",
    "Run": "results.run",
    "watch": "trace.watch",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `kab --version` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'plan.plan')}"), name)
