"""A metric: where it stands in the document, and all that anybody needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from keepalive_bench.analysis.analysis import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.experiment import Experiment

Unit = Literal[
    "count", "bytes", "share", "ratio", "number", "rate", "seconds", "change", "word", "text"
]
"""What it is measured in. A word is one of a few; a text is anything, and has no name."""
Basis = Literal["exact", "mean", "p50", "p90", "p95", "p99", "ranks", "pairs", "verdict", "nothing"]
"""What bounds an estimate: its arm's values, the ranks of pairs, the means of pairs, nothing.

What is `exact` is no estimate: it was counted, or it is a single measured value. A verdict is a
word that rests on ranks.
"""
Scalar = float | str | bool | None
Value = Scalar | Estimate | Mapping[str, float | None]
"""What is read: of a metric with keys, a value by key."""
S = TypeVar("S")


def nothing(_: Experiment) -> str:
    """What most metrics lack, whatever the experiment."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Generic[S]):
    """Something that an arm, a comparison or a run has."""

    path: str
    """Its place in the part of the document; `<code>` stands for each of its keys."""
    unit: Unit
    read: Callable[[S], Value]
    meaning: str
    """What the documents say of it, with `arms.<label>` before it or whatever its part is."""
    title: str = ""
    """What it is called in tables; empty: it is in none."""
    better: Literal["lower", "higher"] | None = None
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
    needs: Literal["answers", "statuses", "comparable arms"] | None = None
    """What there must be for it to be known."""
    lacks: Callable[[Experiment], str] = nothing
    """Why no run of an experiment has a value of it, or an interval; empty: one can have it."""
    words: tuple[str, ...] = ()
    """All that it can be, of a word."""
    is_signed: bool = False
    """Whether it may be below 0."""
    is_named: bool = True
    """Whether a requirement can be about it."""
    series: str = ""
    """What it is called where Prometheus is told; empty: it isn't."""
    label: str = ""
    """What tells it from others of that series: the label whose value is its key, or the last part
    of its path."""

    @property
    def placeholder(self) -> str:
        """What stands for its keys, such as `<code>`; empty where it has none."""
        _, mark, rest = self.path.partition("<")
        return f"{mark}{rest.partition('>')[0]}>" if mark else ""

    def at(self, key: str) -> str:
        """Its path with a key in place of the placeholder."""
        return self.path.replace(self.placeholder, key) if self.placeholder else self.path

    def key_in(self, path: str) -> str | None:
        """The key that a path has in place of the placeholder; `None`: it isn't this one's."""
        if not self.placeholder:
            return "" if path == self.path else None
        before, after = self.path.split(self.placeholder)
        is_it = path.startswith(before) and path.endswith(after)
        return path[len(before) : len(path) - len(after)] if is_it else None

    def by_path(self, source: S) -> Iterator[tuple[str, Scalar | Estimate]]:
        """Each path in the document, and what stands there."""
        value = self.read(source)
        if isinstance(value, Mapping):
            yield from ((self.at(key), each) for key, each in value.items())
        else:
            yield self.path, value

    def beside(self, path: str, end: Literal["low", "high"]) -> str:
        """Where an end of its interval stands, where that is beside it."""
        place, _, name = path.rpartition(".")
        return f"{place}.{end}.{name}"
