"""How many requests are sent, by how many threads, in which arms and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from secrets import randbits
from typing import Annotated, Literal, get_args

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.arms import KINDS, Arm, arm_text, parse_arm
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.options import (
    Example,
    Option,
    choice,
    nothing_asked,
    option,
    options,
    part,
    ruled,
    set_by,
    spelled,
    switch,
)
from keepalive_bench.plan.values import (
    LARGEST_BODY,
    parse_duration,
    share_parser,
    share_text,
    time_text,
    within,
    within_s,
)
from keepalive_bench.typed_json import Count, Positive, fewest
from keepalive_bench.units import quoted

Order = Literal["paired", "sequential"]
Swept = Literal["maxsize", "concurrency", "data-size"]
ORDERS: tuple[Order, ...] = get_args(Order)
SWEPT: tuple[Swept, ...] = get_args(Swept)
BLOCK_REQUESTS_PER_THREAD = 10
"""Each pause between blocks disturbs as many requests as there are threads: here one in ten."""
OPEN_BLOCK_S = 0.1
"""How long a block of an open load lasts at least: its first requests meet no others under way."""
LEAST_ROUNDS = 6
"""So many pairs can tell arms apart."""

_SEED_BITS = 32
_USUAL_REQUESTS, _USUAL_ROUNDS, _USUAL_FOR_PRECISION = 50, 10, 10_000
_UNSAID = -(2**31)
_FINEST, _COARSEST = 0.001, 0.5
_LEAST_VALUES = 2
_MOST_REQUESTS, _MOST_THREADS, _MOST_ARMS, _MOST_PROCESSES = 1_000_000_000, 10_000, 255, 256


REQUESTS = Option(
    parse=int,
    words=spelled(),
    spelling="-n, --requests N",
    help="Requests of each arm.  [default: 50, more with -c]",
    more="At several at a time, 10 rounds of them where that is more than 50; with -z, no limit; "
    "with --precision, 10,000 at most.",
    example=Example("-n 7", "arms.pooled.requests == 7"),
)
DURATION = Option(
    parse=parse_duration,
    words=spelled(time_text),
    spelling="-z, --duration TIME",
    help="Measure for this long in all: 30s, 2m.",
    more="Or until --requests are sent, whichever comes first.",
    example=Example("-z 200ms", "run_info.requests != null"),
)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How many requests are sent, by how many threads, in which arms and in what order.

    Raises:
        UsageError: a number below what makes sense, two arms of one label, or a precision of arms
            that don't take turns.
    """

    requests: Positive = set_by(
        _UNSAID,
        REQUESTS,
        shown=True,
        matters=False,
        usual=lambda plan: None if plan.experiment.is_limited else plan.experiment.requests,
    )
    """Measured requests of each arm; with a duration or a precision, at most (1,000,000,000: no
    limit is given).

    If nothing is said: 50, or 10 rounds where those are more; 10,000 for a precision, or no limit
    for a duration.
    """
    duration_s: float | None = set_by(None, DURATION, shown=True, matters=False)
    """How long the measurement takes at most, all arms together, but for the round under way;
    `None`: as long as it takes."""
    precision: float | None = option(
        None,
        share_parser("--precision"),
        spell=share_text,
        spelling="--precision SHARE",
        help="Measure until the speed-up is known to within: 2%.",
        more="Its interval is then as narrow on either side.",
        example=Example("--precision 50%", "run_info.requests != null"),
        shown=True,
        matters=False,
    )
    """How well the speed-up has to be known, as a share of it, for the measurement to end; `None`:
    not asked for."""
    maxsize: int | None = option(
        None,
        int,
        spelling="--maxsize N",
        help="Connections that the pool keeps.  [default: -c]",
        example=Example("-n 40 -c 2 --traffic bursts --maxsize 1", "arms.pooled.connections > 2"),
        shown=True,
        usual=lambda plan: plan.experiment.concurrency,
    )
    """Connections that a pool keeps: each process has one for each arm."""
    concurrency: Positive = option(
        1,
        int,
        spelling="-c, --concurrency N",
        help="Threads that share the pool.",
        example=Example("-n 40 --traffic bursts -c 2", "arms.pooled.connections > 1"),
        shown=True,
    )
    """Threads that share each arm's pool, in each process."""
    processes: Positive = option(
        1,
        int,
        spelling="--processes N",
        help="Processes with -c threads each.",
        more="They share the requests, and each has a pool of its own: threads of one process "
        "take turns at the interpreter.",
        example=Example("-n 20 --processes 2", "2 processes", "said"),
        shown=True,
    )
    """Processes that share the requests, each with threads and pools of its own."""
    load: Load = part(Load)
    block: bool = switch(
        default=False,
        spelling="--block / --no-block",
        help="Wait for a connection rather than open another.",
        more="One more than --maxsize, that is.",
        example=Example(
            "-n 40 -c 2 --traffic bursts --maxsize 1 --block", "arms.pooled.connections == 1"
        ),
        shown=True,
    )
    """Whether a thread waits for a connection rather than open one more than `maxsize`."""
    arms: Annotated[tuple[Arm, ...], fewest(1)] = options(
        (Arm("pooled"), Arm("unpooled")),
        parse_arm,
        spell=arm_text,
        spelling="--arm [LABEL=]KIND",
        help=f"What to compare: {', '.join(KINDS)}; see kab explain arms.  "
        "[default: pooled, unpooled]",
        more="A label names an arm, as in fast=pooled. The first is compared with each other one; "
        "two labels of one kind make an A/A experiment.",
        group="Comparison",
        example=Example("-n 4 --arm fresh=unpooled", "arms.fresh.connections == 4"),
        shown=True,
    )
    order: Order | None = choice(
        None,
        ORDERS,
        spelling="--order",
        group="Comparison",
        help="Arms take turns, or run one after the other.",
        more="Paired is in random order, and the default where that changes no traffic: arms run "
        "one after the other where --maxsize is below the concurrency, or several threads pause, "
        "but for bursts.",
        example=Example("-n 3 --order sequential", "exchanges.columns.round[5] == 0"),
        shown=True,
    )
    """`paired`: the arms take turns, in random order; `sequential`: one after the other.

    `None`: paired, but sequential where blocks would change what the pool meets.
    """
    seed: Count = option(
        _UNSAID,
        int,
        spelling="--seed N",
        group="Comparison",
        help="Repeat a random order.  [default: drawn]",
        example=Example("-n 2 --vary u --seed 255", "?u=000000ff-1", "sent"),
        shown=True,
        matters=False,
    )
    """What the random order, pauses of random length and unique values are drawn from."""
    warmup: Count = option(
        1,
        int,
        spelling="--warmup N",
        help="Uncounted requests per arm first.",
        more="On pools of their own.",
        example=Example("-n 1 --warmup 3", "?kab=-3", "sent"),
        shown=True,
        matters=False,
    )
    """Requests of each arm, in each process, before the measurement."""
    keep_going: bool = switch(
        default=False,
        spelling="--keep-going",
        help="Go on even if an arm's first 5 requests all fail.",
        example=Example("-n 6 --expect-status 404 --keep-going", "?kab=5", "sent"),
        shown=True,
        matters=False,
    )
    """Whether an arm goes on when its first exchanges all fail."""
    sweep: Swept | None = ruled(None, nothing_asked, shown=True)
    """The option that [has a value of its own in each arm](sweep.md), and whose value above is then
    the largest, or that of all other arms; `None`: none."""

    def __post_init__(self) -> None:
        """Check the numbers, and settle how many requests are meant."""
        if self.seed == _UNSAID:
            object.__setattr__(self, "seed", randbits(_SEED_BITS))
        within(1, _MOST_PROCESSES, "processes", self.processes)
        within(1, _MOST_THREADS, "concurrency", self.concurrency)
        within(1, _MOST_THREADS, "processes × concurrency", self.threads)
        if self.requests == _UNSAID:
            object.__setattr__(self, "requests", self._usual_requests)
        within(1, _MOST_REQUESTS, "requests", self.requests)
        within(1, _MOST_THREADS, "maxsize", self.pool_size)
        within(0, _MOST_REQUESTS, "warmup", self.warmup)
        within(0, 2**64, "seed", self.seed)
        within(1, _MOST_ARMS, "The number of arms", len(self.arms))
        labels = [arm.label for arm in self.arms]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise UsageError(
                f"Two arms are called {twice!r}: give each a label of its own, as in "
                f"--arm a={twice} --arm b={twice}."
            )
        if self.order not in {None, *ORDERS}:
            raise UsageError(
                f"There is no order {quoted(str(self.order))}: it is paired or sequential."
            )
        self._check_end()
        self._check_sweep()

    @property
    def _usual_requests(self) -> int:
        if self.duration_s is not None:
            return _MOST_REQUESTS
        if self.precision is not None:
            return _USUAL_FOR_PRECISION
        rounds = _USUAL_ROUNDS if len(self.arms) > 1 else 1
        return max(_USUAL_REQUESTS, rounds * self.block_size)

    def _check_end(self) -> None:
        if self.duration_s is not None:
            within_s("duration", self.duration_s)
        if self.precision is None:
            return
        if not _FINEST <= self.precision <= _COARSEST:
            raise UsageError(
                f"precision must be from {_FINEST:.1%} to {_COARSEST:.0%}, "
                f"not {share_text(self.precision)}."
            )
        if not self.is_paired:
            raise UsageError(
                "A precision needs two arms that take turns: --order paired, with a maxsize not "
                "below the concurrency, and no think time of several threads but in bursts."
            )

    def _check_sweep(self) -> None:
        values = [arm.value for arm in self.arms if arm.value is not None]
        if self.sweep is None:
            if values:
                raise UsageError("An arm has a value, and the experiment sweeps over no option.")
            return
        if self.sweep not in SWEPT:
            raise UsageError(f"There is no sweep over {quoted(str(self.sweep))}.")
        if self.processes > 1:
            raise UsageError("A sweep is about one pool of each size: it runs in one process.")
        if len(values) < max(_LEAST_VALUES, len(self.arms)) or len(values) > len(set(values)):
            raise UsageError(f"A sweep needs two values of {self.sweep} or more, all different.")
        if any(arm.is_single_use for arm in self.arms) or not self.is_paired:
            raise UsageError("The values of a sweep are pooled arms that take turns.")
        least, most = (0, LARGEST_BODY) if self.sweep == "data-size" else (1, _MOST_THREADS)
        for value in values:
            within(least, most, self.sweep, value)
        if self.sweep == "concurrency" and max(values) != self.concurrency:
            raise UsageError("The concurrency of a sweep is the largest of its values.")

    @property
    def threads(self) -> int:
        """All threads of all processes: so many requests are under way at once at most."""
        return self.processes * self.concurrency

    def threads_of(self, arm: Arm) -> int:
        """Threads that share an arm's pool, in one process."""
        if self.sweep == "concurrency" and arm.value is not None:
            return arm.value
        return self.concurrency

    def pool_size_of(self, arm: Arm) -> int:
        """The `maxsize` of an arm's pool."""
        if self.sweep == "maxsize" and arm.value is not None:
            return arm.value
        return self.threads_of(arm) if self.maxsize is None else self.maxsize

    @property
    def may_end_early(self) -> bool:
        """Whether something else than the number of requests may end the run."""
        return self.duration_s is not None or self.precision is not None

    @property
    def is_limited(self) -> bool:
        """Whether the number of requests is bounded at all."""
        return self.requests < _MOST_REQUESTS

    @property
    def pool_size(self) -> int:
        """The `maxsize` of the pools."""
        return self.concurrency if self.maxsize is None else self.maxsize

    @property
    def is_paired(self) -> bool:
        """Whether arms take turns, rather than run one after the other; a single one can't.

        Steady traffic of several threads is changed by the ends of blocks: a pool smaller than the
        concurrency throws connections away there, and pauses get longer by the other arms' blocks.
        """
        if len(self.arms) == 1:
            return False
        if self.order is not None:
            return self.order == "paired"
        if self.threads == 1 or self.load.in_bursts:
            return True
        return self.pool_size >= self.concurrency and not self.load.has_pauses

    @property
    def rounds(self) -> int:
        """How many rounds the arms' requests are divided into, at most."""
        return self.rounds_of(self.requests)

    def rounds_of(self, requests: int) -> int:
        """How many rounds so many requests of each arm are divided into.

        Arms that don't take turns have one round.
        """
        return max(1, requests // self.block_size) if self.is_paired else 1

    @property
    def block_size(self) -> int:
        """Requests that belong together at least.

        One at a time, it is one; several at a time, blocks have to be long enough that the threads'
        common start and end doesn't show. Bursts have a common start by nature: a block is one
        burst. Those of an open load last for a while, too; and where time is limited, they are so
        short that it has several rounds.
        """
        if self.load.rate is not None:
            return self._open_block_size(self.load.rate)
        if self.threads == 1 or self.load.in_bursts:
            return self.threads
        return BLOCK_REQUESTS_PER_THREAD * self.threads

    def _open_block_size(self, rate: float) -> int:
        least = max(BLOCK_REQUESTS_PER_THREAD * self.threads, OPEN_BLOCK_S * rate)
        if self.duration_s is not None:
            least = min(least, rate * self.duration_s / (LEAST_ROUNDS * len(self.arms)))
        return max(1, ceil(least / self.burst_size)) * self.burst_size

    @property
    def burst_size(self) -> int:
        """Requests that a block can't part: those of a burst."""
        return self.threads if self.load.in_bursts else 1

    def pause_before(self, index: int) -> float:
        """The pause before a request, in seconds; all requests of a burst have the first one's."""
        return self.load.pause_s(self.seed, index // self.burst_size * self.burst_size)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the arms are called, in the order named."""
        return tuple(arm.label for arm in self.arms)

    @property
    def total_requests(self) -> int:
        """All requests that the run sends at most, warm-ups included."""
        return len(self.arms) * (self.requests + self.warmups)

    @property
    def warmups(self) -> int:
        """Warm-ups of each arm, of all processes: each has first requests of its own."""
        return self.processes * self.warmup

    @property
    def token(self) -> str:
        """What unique parameters of this run begin with."""
        return f"{self.seed:08x}"
