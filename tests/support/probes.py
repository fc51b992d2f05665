"""Probes of endpoints whose limits are known: what they would have seen, and what it comes to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from support.orders import ORDERS

from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.probed import Behaviour, Behind, Lifetime, RequestLimit
from keepalive_bench.probe.record import (
    Asked,
    Ended,
    Exchanged,
    ProbeInfo,
    ProbeRecord,
    Seen,
)
from keepalive_bench.probe.report import ProbeReport
from keepalive_bench.probe.requirements import check_probe, probe_requirements
from keepalive_bench.results.exchange import Answer, Failure
from keepalive_bench.results.failure_kinds import CONNECT_REFUSED, READ_TIMEOUT, RESET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.lives import Part
    from keepalive_bench.probe.probed import Probed
    from keepalive_bench.probe.record import EndKind

HOSTILE = f"=1+1|`<script>@team\x1b[31m\u202e]](http://evil.example) {ORDERS}"
URL = "http://api.example.com/"
_PATIENCE_S, _JITTER_S = 3.0, 0.004


class Endpoint(NamedTuple):
    """Servers, and the path to them."""

    timeouts_s: tuple[float, ...] = ()
    """Idle timeouts: connections go to one server after the other."""
    kind: EndKind = "fin"
    drop_s: float | None = None
    """After which idle time the path forgets."""
    drop_kind: str = READ_TIMEOUT.code
    round_trip_s: float = 0.02
    answer: Answer = Answer("HTTP/1.1", "text/html", server="nginx")
    status: int = 200
    closes: bool = False
    """Whether each response announces the connection's end."""
    peer: str = "192.0.2.1:80"


LADDER = (1.0, 2.0, 4.0, 8.1, 16.0, 33.0, 65.0, 130.0)


def record_of(
    endpoint: Endpoint,
    max_idle_s: float = 130.0,
    stopped_s: float | None = None,
    asked: Asked | None = None,
) -> ProbeRecord:
    """What a probe would have seen of it, up to when it was stopped."""
    seen = [*_seen(endpoint, max_idle_s, stopped_s)]
    wall_s = stopped_s or max(it.age_s for it in seen) + 0.1
    info = ProbeInfo(
        started_at="2026-01-02T03:04:05.678+00:00",
        wall_s=wall_s,
        interrupted=stopped_s is not None,
        kab="1.0",
        python="3.12.1",
        openssl="OpenSSL 3.0.13 30 Jan 2024",
        os="Linux 6.1",
    )
    return ProbeRecord(asked or Asked(URL, max_idle_s, 30.0), info, tuple(seen))


def _seen(it: Endpoint, max_idle_s: float, stopped_s: float | None) -> Iterator[Seen]:
    watch_s = stopped_s or max_idle_s + max(1.0, 0.03 * max_idle_s)
    ladder = [time_s for time_s in LADDER if time_s < max_idle_s]
    idles: list[tuple[Part, float]] = [("watched", watch_s)] * (2 if it.closes else 5)
    if not it.closes:
        idles += [("reused", time_s) for time_s in (*ladder, max_idle_s)]
    high_s = 0.0
    if it.drop_s is not None:
        low_s = max((time_s for time_s in ladder if time_s < it.drop_s), default=0.0)
        high_s = min(time_s for time_s in (*ladder, max_idle_s) if time_s >= it.drop_s)
        step_s = (high_s - low_s) / 6
        idles += [("narrowed", low_s + step_s * number) for number in range(1, 7)]
    for number, (part, idle_s) in enumerate(idles):
        begun_s = high_s + _PATIENCE_S if part == "narrowed" else 0.0
        yield connection(it, part, idle_s, number, stopped_s, begun_s)


def connection(
    it: Endpoint,
    part: Part,
    idle_s: float,
    number: int,
    stopped_s: float | None = None,
    begun_s: float = 0.0,
) -> Seen:
    """One connection that is idle for so long, and asks again then if it isn't only watched."""
    opened_s = begun_s + 0.03 + 0.001 * number
    first = exchanged(it, opened_s, None)
    seen = Seen(
        part,
        opened_s=opened_s,
        peer=it.peer,
        connect_s=it.round_trip_s,
        round_trip_s=it.round_trip_s,
        exchanges=(first,),
        carried=1,
    )
    if it.closes:
        return seen._replace(ended=Ended("fin", 0.0004), watched_s=0.0004)
    if it.timeouts_s:
        timeout_s = it.timeouts_s[number % len(it.timeouts_s)] + _JITTER_S * (number % 3 - 1)
        if timeout_s < min(idle_s, it.drop_s or idle_s, stopped_s or idle_s):
            return seen._replace(ended=Ended(it.kind, timeout_s), watched_s=timeout_s)
    if part == "watched" or (stopped_s is not None and idle_s > stopped_s):
        return seen._replace(watched_s=min(idle_s, stopped_s or idle_s))
    again = exchanged(it, first.began_s + first.latency_s + idle_s, idle_s)
    if it.drop_s is not None and idle_s >= it.drop_s:
        failure = Failure(it.drop_kind, "no response")
        lost = again._replace(
            latency_s=_PATIENCE_S, status=None, answer=None, failure=failure, acknowledged=False
        )
        return seen._replace(exchanges=(first, lost))
    return seen._replace(exchanges=(first, again), carried=2)


def exchanged(it: Endpoint, began_s: float, idle_s: float | None) -> Exchanged:
    """A request that is answered."""
    answer = it.answer._replace(connection="close") if it.closes else it.answer
    return Exchanged(
        began_s, idle_s, it.round_trip_s, "GET", "/", it.status, answer, closes=it.closes
    )


def silent_record(failure: Failure) -> ProbeRecord:
    """One connection that couldn't be opened."""
    info = record_of(Endpoint())[1]._replace(wall_s=0.01)
    return ProbeRecord(Asked(URL, 130.0, 30.0), info, (Seen("watched", failure=failure),))


def everything() -> Probed:
    """All that can be asked for, and found."""
    nginx = Answer("HTTP/1.1", "text/html", keep_alive="timeout=5, max=100", server="nginx")
    asked = Asked(
        URL,
        130.0,
        30.0,
        max_age_s=20.0,
        scan_requests=200,
        behaviours=("head", "paths", "http1.0"),
        also=("/missing",),
        behind="ALB 60s",
    )
    probed = analyse(record_of(Endpoint((75.0,), answer=nginx), asked=asked))
    return probed._replace(
        lifetime=Lifetime(10.0, 10.5, announced=True, looked_s=20.0, requests=49),
        request_limit=RequestLimit(100, announced=True, confirmed=True, looked=100),
        behaviours=(
            Behaviour("head", "HEAD", keeps=True, text="200, and the connection was used again."),
            Behaviour("paths", "GET /missing", keeps=False, text="500, then FIN after 1.20 ms."),
            Behaviour("http1.0", "HTTP/1.0", keeps=False, text="Closed after the response."),
            Behaviour(
                "http1.0",
                "HTTP/1.0 with keep-alive",
                keeps=None,
                text="No response came (read-timeout), so nothing can be said about it at all.",
            ),
        ),
    )


def hostile() -> Probed:
    """A server, and a user, whose words are all orders."""
    answer = Answer("HTTP/1.1", HOSTILE, HOSTILE, f"timeout=5, {HOSTILE}", server=HOSTILE)
    asked = Asked(f"{URL}{HOSTILE}", 130.0, 30.0, also=(HOSTILE,))
    probed = analyse(record_of(Endpoint((5.0,), answer=answer, peer=HOSTILE), asked=asked))
    return probed._replace(
        consistent_with=(HOSTILE,),
        behaviours=(Behaviour("paths", HOSTILE, keeps=None, text=HOSTILE),),
        behind=Behind(HOSTILE, 60.0, safe=False, text=HOSTILE),
        advice=(HOSTILE,),
        product=HOSTILE,
    )


@cache
def worlds() -> dict[str, Probed]:
    """What comes of endpoints as unlike as they can be."""
    old = Answer("HTTP/1.1", "text/html")
    found = {
        "well": record_of(Endpoint((75.0,))),
        "kept": record_of(Endpoint(answer=old)),
        "silent drop": record_of(Endpoint(drop_s=6.0)),
        "reset drop": record_of(Endpoint((12.0,), drop_s=6.0, drop_kind=RESET.code)),
        "backends": record_of(Endpoint((3.0, 8.0))),
        "far backends": record_of(Endpoint((3.0, 75.0))),
        "closed": record_of(Endpoint(closes=True)),
        "interrupted": record_of(Endpoint((75.0,)), stopped_s=20.0),
        "refused": silent_record(Failure(CONNECT_REFUSED.code, "Connection refused")),
        "short": record_of(Endpoint((0.2,), kind="rst"), 2.0),
    }
    return {
        **{name: analyse(it) for name, it in found.items()},
        "everything": everything(),
        "hostile": hostile(),
    }


def report_on(probed: Probed, *required: str, strict: bool = False) -> ProbeReport:
    """A report, with these requirements."""
    checked = (check_probe(it, probed) for it in probe_requirements(required))
    return ProbeReport(probed, tuple(checked), strict)
