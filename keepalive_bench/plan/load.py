"""When requests are sent: as fast as answers come, after pauses, or on a schedule of their own."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal, get_args

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, choice, option
from keepalive_bench.plan.values import parse_pause, parse_rate, pause_text, rate_text
from keepalive_bench.typed_json import Seconds, above
from keepalive_bench.units import quoted

Traffic = Literal["steady", "bursts"]
TRAFFICS: tuple[Traffic, ...] = get_args(Traffic)

LATE_S = 1e-3
"""A start this late is called so; a clock that waits for one is late by a tenth of it at times."""
_SLOWEST, _FASTEST = 1e-4, 1e6
_LONGEST_PAUSE_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Load:
    """When requests are sent. Nothing said: each thread sends its next as soon as it has an answer.

    Raises:
        UsageError: a rate or a pause that makes no sense, or both.
    """

    rate: Annotated[float, above(0)] | None = option(
        None,
        parse_rate,
        spell=rate_text,
        spelling="-q, --rate N[/s|/min|/h]",
        help="Requests a second per arm, on a fixed schedule.",
        more="200/s, 12000/min: whatever the responses do. Latency counts from when a request "
        "was to start; --concurrency (of each process) is the most under way at once.",
        example=Example("-n 4 -c 2 --rate 20/s", "exchanges.columns.queued_s[0] != null"),
        rivals=("think-time",),
        shown=True,
    )
    """Requests a second that each arm starts while it runs, whatever answers do; `None`: a thread
    starts its next when it has an answer."""
    think_s: tuple[Seconds, Seconds] = option(
        (0.0, 0.0),
        parse_pause,
        spell=pause_text,
        spelling="--think-time TIME[-TIME]",
        help="A thread's pause before its next.",
        more="Of one length, 5s, or drawn between two: 1s-5s.",
        example=Example("-n 2 -z 60s --think-time 60s", "run_info.requests.pooled == 1"),
        shown=True,
        json="think_time_s",
    )
    """The shortest and the longest pause between a thread's requests; 0 twice: none."""
    traffic: Traffic = choice(
        "steady",
        TRAFFICS,
        spelling="--traffic",
        help="In bursts, all threads send at once, then wait.",
        more="In bursts, all start together when all of the burst before are answered and have "
        "paused, or in step with --rate; steady threads go on by themselves.",
        example=Example("-n 4 -c 2 --maxsize 1 --traffic bursts", "in bursts", "said"),
        shown=True,
    )
    """`steady`, or `bursts`: all threads start together."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.traffic not in TRAFFICS:
            raise UsageError(f"There is no traffic {quoted(self.traffic)}: it is steady or bursts.")
        if self.rate is not None and not _SLOWEST <= self.rate <= _FASTEST:
            raise UsageError(
                f"rate must be from {_SLOWEST:g} to {_FASTEST:,.0f} requests a second, "
                f"not {self.rate:,.12g}."
            )
        least, most = self.think_s
        if not 0 <= least <= most <= _LONGEST_PAUSE_S:
            raise UsageError(
                f"think time must be from 0 s to {_LONGEST_PAUSE_S:,.0f} s, the shorter first, "
                f"not {least:,.12g} s to {most:,.12g} s."
            )
        if self.rate is not None and self.has_pauses:
            raise UsageError(
                "A rate says when requests start, and a think time how long after an answer: "
                "give one of them."
            )

    @property
    def is_open(self) -> bool:
        """Whether requests start on a schedule, whatever the answers do."""
        return self.rate is not None

    @property
    def has_pauses(self) -> bool:
        """Whether a worker pauses between its requests."""
        return self.think_s[1] > 0

    @property
    def in_bursts(self) -> bool:
        """Whether all workers start together."""
        return self.traffic == "bursts"

    @property
    def in_closed_bursts(self) -> bool:
        """Whether a burst waits for the answers of the one before."""
        return self.in_bursts and not self.is_open

    def pause_s(self, seed: int, index: int) -> float:
        """The pause before the request with an index: the same in every arm, and for one seed.

        It depends on nothing else, so that shares of a schedule draw what the whole would have.
        """
        least, most = self.think_s
        if least == most:
            return least
        return Random(f"{seed} {index}").uniform(least, most)  # noqa: S311  # not for secrets
