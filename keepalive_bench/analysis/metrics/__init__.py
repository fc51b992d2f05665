"""Metrics: where each stands in the document, and all that anybody needs to know of it.

What an arm, a comparison, a sweep and a run have is declared once, in the files of this folder and
in the document's order. The document and its schema, tables, the names in requirements, what two
runs have in common, OpenMetrics and two pages of the documentation are made of these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.typed_json import Document

Unit = Literal[
    "count",
    "bytes",
    "share",
    "ratio",
    "number",
    "rate",
    "seconds",
    "points",
    "change",
    "word",
    "text",
]
"""What it is measured in; a share's change in percentage points. A word is one of a few; a text is
anything, and has no name."""
Better = Literal["lower", "higher"]
Block = Literal["connections", "requests", "outcomes", "times", "rates"]
"""What tables of arms have in this order."""
Shown = Literal["always", "with TLS", "with `--rate`", "where there are any"]
Scalar = float | str | bool | None
Value = Scalar | Estimate | Mapping[str, float | None]
"""What is read: of a metric with keys, a value by key."""
S = TypeVar("S")


GIVEN = "requests start at a given --rate"
PAUSED = "requests pause, so how many are possible isn't known"
NO_SWEEP = "the run isn't a sweep"


class Series(NamedTuple):
    """What Prometheus is told of a metric, or of several."""

    name: str
    help: str
    label: str = ""
    """What tells samples of several from each other: its value is a metric's key, or the last part
    of its path."""


def nothing(_: Experiment) -> str:
    """What most metrics lack, whatever the experiment."""
    return ""


Span = tuple[float, float]
"""The least and the most that something can be."""


def anything(_: Experiment, __: str) -> Span:
    """What most metrics can be, whatever the experiment."""
    return -inf, inf


def up_to_all(experiment: Experiment, _: str) -> Span:
    """What is counted once a request of an arm at most."""
    return 0, experiment.requests


def rate_lacks(experiment: Experiment) -> str:
    """Why no arm of an experiment has as many requests a second as were possible."""
    if experiment.load.is_open:
        return GIVEN
    return PAUSED if experiment.load.has_pauses else ""


@dataclass(frozen=True, kw_only=True)
class Metric(Generic[S]):
    """Something that an arm, a comparison or a run has."""

    path: str
    """Its place in the part of the document; `<code>` stands for each of its keys."""
    unit: Unit
    meaning: str = ""
    """What the documents say of it, with `arms.<label>` before it or whatever its part is; empty:
    what the docstring of that field says."""
    read: Callable[[S], Value] | None = None
    """What it comes to; `None`: what the source has at the same path, by key where it has some."""
    title: str = ""
    """What its row in tables of arms is called; empty: it has none."""
    block: Block = "times"
    """Where the row stands, in the document's order within each block."""
    shown: Shown = "always"
    """When there is such a row."""
    is_detail: bool = False
    """Whether a reader of the row's table has to ask for details to see it."""
    heading: str = ""
    """What its column in tables of sweeps is called, where that isn't its title."""
    better: Better | None = None
    """Which direction is; `None`: neither."""
    basis: Basis = "exact"
    bounds: Literal["beside", "members", "mean"] | None = None
    """Where its interval stands: `beside` it, in `low` and `high`; in its own members; or nowhere,
    because it is as sure as the mean is."""
    keys: tuple[str, ...] = ()
    """All that the placeholder stands for; empty with one: it depends on the plan, or on rooms
    above this one."""
    is_sparse: bool = False
    """Whether only those keys are there of which there are any."""
    unknown: str = ""
    """When it is `null`, for the documents; empty: never."""
    absent: str = ""
    """The group around it that is `null` as a whole then."""
    lacking: str = ""
    """The end of a sentence that says why there is no value, `{arm}` being the arm's label; empty:
    too few requests bear one."""
    needs: Literal["answers", "statuses", ""] = "answers"
    """What there must be of an arm for it to be known."""
    lacks: Callable[[Experiment], str] = nothing
    """Why no run of an experiment has a value of it, or an interval; empty: one can have it."""
    spans: Callable[[Experiment, str], Span] = anything
    """Between what it is in any run of an experiment, where it is known; of an arm, by label."""
    why: Callable[[Document], Mapping[str, int]] | None = None
    """What it is made of, by code, from the part of the document that it is in."""
    words: tuple[str, ...] = ()
    """All that it can be, of a word."""
    words_of: Callable[[Experiment, str], tuple[str, ...]] | None = None
    """Those that it can be in some run of an experiment, of an arm by label; `None`: all."""
    is_of_counts: bool = False
    """Whether it's a ratio of two counts, neither above the requests sent and the connections."""
    is_signed: bool = False
    """Whether it may be below 0."""
    is_nameless: bool = False
    """Whether no requirement can be about it, as about no text."""
    series: Series | None = None
    """`None`: Prometheus isn't told of it."""

    @property
    def is_named(self) -> bool:
        """Whether a requirement can be about it."""
        return not (self.is_nameless or self.unit == "text")

    @property
    def percent(self) -> int:
        """Of an arm's quantile, whose ends are known each by itself, which one; of all else 0."""
        is_quantile = self.bounds == "beside" and self.basis.startswith("p")
        return int(self.basis[1:]) if is_quantile else 0

    @property
    def placeholder(self) -> str:
        """What stands for its keys, such as `<code>`; `<>` where it has none."""
        _, mark, rest = self.path.partition("<")
        return f"<{rest.partition('>')[0]}>" if mark else "<>"

    def steps(self, key: str = "", path: str = "") -> tuple[str, ...]:
        """The members that lead to it, one within the other; or to another path of its keys."""
        steps = (path or self.path).split(".")
        return tuple(key if step == self.placeholder else step for step in steps)

    def places(self, key: str = "") -> dict[str, tuple[str, ...]]:
        """The members that lead to its value and, where it has them, to the ends of its interval.

        By the names of an `Estimate`.
        """
        steps = self.steps(key)
        if self.bounds == "members":
            return {end: (*steps, end) for end in Estimate._fields}
        if self.bounds == "beside":
            *group, name = steps
            return {"estimate": steps, **{end: (*group, end, name) for end in ("low", "high")}}
        return {"estimate": steps}

    def of(self, source: S) -> Value:
        """What it comes to."""
        if self.read is not None:
            return self.read(source)
        value: Value = self._at(source, self.path.split("."))
        return value

    def _at(self, source: Any, steps: list[str]) -> Any:  # noqa: ANN401  # of all kinds
        """What stands at a path; of the placeholder, by key."""
        for number, step in enumerate(steps):
            if source is None:
                return None
            if step == self.placeholder:
                rest, keys = steps[number + 1 :], source if self.is_sparse else self.keys or source
                return {f"{key}": self._at(source.get(key), rest) for key in keys}
            source = source[step] if isinstance(source, Mapping) else getattr(source, step)
        return source

    def leaves(self, source: S) -> Iterator[tuple[tuple[str, ...], Scalar | dict[str, Scalar]]]:
        """What stands where in the document."""
        value = self.of(source)
        if isinstance(value, Mapping):
            if self.is_sparse:
                yield self.steps()[:-1], {}
            by_key: Mapping[str, Scalar | Estimate] = value
        else:
            by_key = {"": value}
        for key, each in by_key.items():
            if each is None and self.absent:
                yield self.steps(key, self.absent), None
                continue
            ends = each._asdict() if isinstance(each, Estimate) else {"estimate": each}
            for name, steps in self.places(key).items():
                yield steps, ends[name]
