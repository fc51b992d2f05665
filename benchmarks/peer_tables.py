"""What was measured of kab and its peers, as Markdown, and whether it keeps to the targets."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from document import table
from pairing import Spread, spread
from peer_clients import (
    CLIENTS,
    HTTP_USER,
    KAB,
    KAB_ALONE,
    KAB_ONE,
    KAB_TWO,
    LEAN,
    LEAN_ALONE,
    MODES,
    POOLED,
    REQUESTS,
    UNPOOLED,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peer_clients import Client
    from peer_visits import Visits

_MISSING = "–"


@dataclass(frozen=True)
class Claim:
    """A ratio of the times that requests take; the bound is one that it must, or may, reach.

    Without one, it is told for what it explains.
    """

    name: str
    ratio: Spread | None
    bound: float | None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Whether the median keeps to the bound; what wasn't measured doesn't."""
        if self.bound is None:
            return _MISSING
        if self.ratio is None or self.ratio.median <= 0:  # nothing but noise is less than nothing
            return "not measured"
        reached = self.ratio.median
        is_met = reached <= self.bound if self.at_most else reached >= self.bound
        return "MET" if is_met else "MISSED"

    @property
    def fails(self) -> bool:
        """Whether there is a bound, and it isn't shown to be kept to."""
        return self.bound is not None and self.verdict != "MET"

    @property
    def row(self) -> tuple[str, ...]:
        """As the table has it."""
        word = "at most" if self.at_most else "at least"
        bound = _MISSING if self.bound is None else f"{word} {self.bound:.2f}"
        return (self.name, *_told(self.ratio), bound, self.verdict)


def dispatcher(visits: Visits) -> list[Claim]:
    """The targets, and what came of them."""

    def ratio(one: Client, other: Client) -> Spread | None:
        ratios = _ratios(visits, (one, POOLED), (other, POOLED))
        return spread(ratios) if len(ratios) > 1 else None

    return [
        Claim("kab ÷ lean urllib3", ratio(KAB, LEAN), 1.08, at_most=True),
        Claim("the same, 1 at a time", ratio(KAB_ALONE, LEAN_ALONE), 1.08, at_most=True),
        Claim("kab, 1 process ÷ 2 processes, both cores", ratio(KAB_ONE, KAB_TWO), 1.7),
        Claim("kab, 1 process, its own core ÷ 2 processes, both cores", ratio(KAB, KAB_TWO), None),
        Claim("requests ÷ kab", ratio(REQUESTS, KAB), 2.0),
        Claim("locust's HttpUser ÷ kab", ratio(HTTP_USER, KAB), 2.0),
    ]


def _told(ratio: Spread | None) -> tuple[str, str]:
    if ratio is None:
        return _MISSING, _MISSING
    low, high = ratio.interval
    return f"{ratio.median:.3f}", f"{low:.3f} – {high:.3f}"


def claims_table(found: Sequence[Claim]) -> str:
    """The targets."""
    head = ("time of a request, pooled", "ratio", "95 % CI", "target", "")
    return table(head, [claim.row for claim in found])


def speed_table(visits: Visits) -> str:
    """Requests per second, and processor time, of each client in each mode."""
    columns = ("requests/s", "CPU a request, µs", "nginx busy")
    head = ("", *(f"{mode}: {column}" for mode in MODES for column in columns))
    return table(head, [_speed_row(visits, client) for client in CLIENTS])


def _speed_row(visits: Visits, client: Client) -> tuple[str, ...]:
    cells = [cell for mode in MODES for cell in _speed(visits, client, mode)]
    return _row(visits, client, cells)


def _speed(visits: Visits, client: Client, mode: str) -> tuple[str, str, str]:
    found = visits.of(client, mode)
    if not found:
        return (_MISSING,) * 3
    return (
        f"{1 / median(visit.request_s for visit in found):,.0f}",
        f"{1e6 * median(visit.cpu_s for visit in found):.0f}",
        f"{median(visit.nginx_busy for visit in found):.0%}",
    )


def truth_table(visits: Visits, effect_of_kab: str) -> str:
    """What each says of its connections and of reuse, beside what nginx counted."""
    head = (
        "",
        *(f"{mode}: {column}" for mode in MODES for column in ("it says", "opened ÷ requests")),
        "of reuse it says",
        "unpooled ÷ pooled",
    )
    rows = []
    for client in CLIENTS:
        if client.shares_cores:
            continue
        cells = [cell for mode in MODES for cell in _counted(visits, client, mode)]
        told = effect_of_kab if client is KAB else _reuse_told(visits, client)
        rows.append(_row(visits, client, [*cells, told, _effect(visits, client)]))
    return table(head, rows)


def _row(visits: Visits, client: Client, cells: Sequence[str]) -> tuple[str, ...]:
    """A client's; one that isn't there says why."""
    reason = visits.absent.get(client.name)
    return (client.name if reason is None else f"{client.name} ({reason})", *cells)


def _counted(visits: Visits, client: Client, mode: str) -> tuple[str, str]:
    found = visits.of(client, mode)
    if not found:
        return _MISSING, _MISSING
    call = found[-1].last
    told = client.connections_told(call.output) or _MISSING
    return told, f"{call.connections:,} ÷ {call.requests:,}"


def _reuse_told(visits: Visits, client: Client) -> str:
    found = visits.of(client, POOLED)
    return (found and client.reuse_told(found[-1].last.output)) or _MISSING


def _effect(visits: Visits, client: Client) -> str:
    """How many times as long a request takes on a connection of its own."""
    ratios = _ratios(visits, (client, UNPOOLED), (client, POOLED))
    return f"{median(ratios):.2f}" if ratios else _MISSING


def _ratios(visits: Visits, one: tuple[Client, str], other: tuple[Client, str]) -> list[float]:
    """Of the times that a request takes, round by round."""
    return [here.request_s / there.request_s for here, there in visits.pairs(one, other)]
