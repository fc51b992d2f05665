"""How many requests are sent, by how many threads, in which arms and in what order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from secrets import randbits
from typing import Literal

from keepalive_bench.errors import UsageError
from keepalive_bench.units import quoted

Order = Literal["paired", "sequential"]
KINDS = ("pooled", "unpooled")
ORDERS: tuple[Order, ...] = ("paired", "sequential")
BLOCK_REQUESTS_PER_THREAD = 10
"""Each pause between blocks disturbs as many requests as there are threads: here one in ten."""

_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,31}")
_SEED_BITS = 32
_LEAST_CONFIDENCE, _MOST_CONFIDENCE = 0.5, 0.999
_MOST_REQUESTS, _MOST_THREADS, _MOST_ARMS = 1_000_000_000, 10_000, 255


@dataclass(frozen=True)
class Arm:
    """One way of treating connections, and what it is called in this run.

    Raises:
        UsageError: an unknown kind, or a label with other characters than letters, digits, - and _.
    """

    kind: str
    label: str = ""

    def __post_init__(self) -> None:
        """Call an arm by its kind where nothing else is said."""
        if self.kind not in KINDS:
            raise UsageError(
                f"There is no arm of kind {quoted(self.kind)}: kinds are {', '.join(KINDS)}."
            )
        object.__setattr__(self, "label", self.label or self.kind)
        if not _LABEL.fullmatch(self.label):
            raise UsageError(
                f"An arm can't be called {quoted(self.label)}: letters, digits, - and _ "
                "make a label, 32 of them at most."
            )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How many requests are sent, by how many threads, in which arms and in what order.

    Raises:
        UsageError: a number below what makes sense, or two arms of one label.
    """

    requests: int = 50
    """Measured requests of each arm."""
    concurrency: int = 1
    """Threads that share each arm's pool."""
    maxsize: int | None = None
    """Connections that a pool keeps; `None`: the concurrency."""
    block: bool = False
    """Whether a thread waits for a connection rather than open one more than `maxsize`."""
    arms: tuple[Arm, ...] = (Arm("pooled"), Arm("unpooled"))
    order: Order | None = None
    """`None`: paired, but sequential where the pool is smaller than the concurrency."""
    seed: int = field(default_factory=lambda: randbits(_SEED_BITS))
    warmup: int = 1
    """Requests of each arm before the measurement, on pools of their own."""
    keep_going: bool = False
    """Whether an arm goes on when its first exchanges all fail."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        _within(1, _MOST_REQUESTS, "requests", self.requests)
        _within(1, _MOST_THREADS, "concurrency", self.concurrency)
        _within(1, _MOST_THREADS, "maxsize", self.pool_size)
        _within(0, _MOST_REQUESTS, "warmup", self.warmup)
        _within(0, 2**64, "seed", self.seed)
        _within(1, _MOST_ARMS, "The number of arms", len(self.arms))
        labels = [arm.label for arm in self.arms]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise UsageError(
                f"Two arms are called {twice!r}: give each a label of its own, as in "
                f"--arm a={twice} --arm b={twice}."
            )
        if self.order not in {None, *ORDERS}:
            raise UsageError(f"There is no order {self.order!r}: it is paired or sequential.")

    @property
    def pool_size(self) -> int:
        """The `maxsize` of the pools."""
        return self.concurrency if self.maxsize is None else self.maxsize

    @property
    def is_paired(self) -> bool:
        """Whether arms take turns, rather than run one after the other; a single one can't."""
        if len(self.arms) == 1:
            return False
        if self.order is None:
            return self.pool_size >= self.concurrency
        return self.order == "paired"

    @property
    def rounds(self) -> int:
        """How many rounds the arms' requests are divided into.

        One at a time, a round is a pair; several at a time, blocks have to be long enough that the
        threads' common start and end doesn't show. Arms that don't take turns have one round.
        """
        if not self.is_paired:
            return 1
        if self.concurrency == 1:
            return self.requests
        return max(1, self.requests // self.block_size)

    @property
    def block_size(self) -> int:
        """Requests that belong together at least: one, or enough for all threads to be busy."""
        return 1 if self.concurrency == 1 else BLOCK_REQUESTS_PER_THREAD * self.concurrency

    @property
    def labels(self) -> tuple[str, ...]:
        """What the arms are called, in the order named."""
        return tuple(arm.label for arm in self.arms)

    @property
    def total_requests(self) -> int:
        """All requests that the run sends at most, warm-ups included."""
        return len(self.arms) * (self.requests + self.warmup)

    @property
    def token(self) -> str:
        """What unique parameters of this run begin with."""
        return f"{self.seed:08x}"


def _within(least: int, most: int, name: str, value: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {value:,}.")


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What it takes for a difference to be called one.

    Raises:
        UsageError: a confidence that is no share between 0.5 and 1, or a margin below 0.
    """

    confidence: float = 0.95
    """Of every interval."""
    margin: float = 0.05
    """A speed-up wholly between 1 ÷ (1 + margin) and 1 + margin is no difference."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not _LEAST_CONFIDENCE <= self.confidence <= _MOST_CONFIDENCE:
            raise UsageError(
                f"confidence must be from {_LEAST_CONFIDENCE} to {_MOST_CONFIDENCE}, "
                f"not {self.confidence}."
            )
        if not 0 <= self.margin < 1:
            raise UsageError(f"margin must be from 0 to below 1, not {self.margin}.")
