"""What was measured on a link, and what physics says that it should be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from link import Link
    from wan_server import Endpoint

_RATIO_OFF, _TRIP_OFF_S = 0.05, 0.0015
_RATIOS_FROM_S = 0.02
"""On a shorter link the machine's own time isn't small beside a round trip."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Medians at one endpoint over one link, in seconds."""

    endpoint: Endpoint
    link: Link
    latencies_s: Mapping[str, float]
    """By arm, as are the waits."""
    waits_s: Mapping[str, float]
    connect_s: float
    tls_s: float | None
    own_tls_s: float | None
    """The same handshake on loopback: what it costs without a link."""
    peers_s: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """What other tools report of reused and of fresh connections."""

    @property
    def name(self) -> str:
        """Which measurement this is."""
        return f"{self.endpoint.name} at {1000 * self.link.rtt_s:g} ms"

    def ratio(self, arm: str) -> float:
        """How much longer than the pooled arm another one takes."""
        return self.latencies_s[arm] / self.latencies_s["pooled"]

    def beside(self, peers_s: Mapping[str, tuple[float, float]]) -> Measured:
        """The same, with what other tools say."""
        return replace(self, peers_s=peers_s)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure, held against what it should be."""

    target: str
    where: str
    told: str
    share: float
    """How far it is off, of what it may be."""

    @property
    def is_met(self) -> bool:
        """Whether it is near enough."""
        return self.share <= 1

    @property
    def verdict(self) -> str:
        """The same, as a word."""
        return "MET" if self.is_met else "MISSED"


def checks(measured: Measured) -> Iterator[Check]:
    """Every target that holds for a measurement; none where times vary, or packets get lost."""
    end, link = measured.endpoint, measured.link
    if link.jitter_s or link.loss:
        return
    if link.rtt_s >= _RATIOS_FROM_S:
        yield _ratio(measured, "unpooled", end.fresh_trips)
        if end.tls == "1.2":
            yield _ratio(measured, "resumed", end.fresh_trips - 1)
    yield _time(measured, "connect", measured.connect_s)
    for arm, wait_s in measured.waits_s.items():
        yield _time(measured, f"wait, {arm}", wait_s)
    if measured.tls_s is not None and measured.own_tls_s is not None:
        beyond_s = measured.tls_s - measured.own_tls_s
        yield _time(measured, f"tls of {end.name} − on loopback", beyond_s, end.handshake_trips)


def _ratio(measured: Measured, arm: str, trips: int) -> Check:
    ratio = measured.ratio(arm)
    return Check(
        target=f"pooled : {arm} on {measured.endpoint.name} = 1 : {trips} ± {100 * _RATIO_OFF:g} %",
        where=measured.name,
        told=f"1 : {ratio:.2f}",
        share=abs(ratio / trips - 1) / _RATIO_OFF,
    )


def _time(measured: Measured, what: str, time_s: float, trips: int = 1) -> Check:
    off_s, allowed_s = time_s - trips * measured.link.rtt_s, trips * _TRIP_OFF_S
    wanted = "1 round trip" if trips == 1 else f"{trips} round trips"
    return Check(
        target=f"{what} = {wanted} ± {1000 * allowed_s:g} ms",
        where=measured.name,
        told=f"{'+' if off_s >= 0 else '−'}{1000 * abs(off_s):.2f} ms",
        share=abs(off_s) / allowed_s,
    )
