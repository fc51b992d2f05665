"""What to be careful with, and what to do, in sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.connections.lives import AT_ONCE_S
from keepalive_bench.probe.analysis.doubts import doubts_of
from keepalive_bench.probe.analysis.drops import met_closing
from keepalive_bench.probe.probed import Remark
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.probe.analysis.products import Nearest
    from keepalive_bench.probe.probed import (
        Announced,
        IdleTimeout,
        Settings,
        SilentDrop,
    )
    from keepalive_bench.probe.record import ProbeRecord, Seen

_SUCCESS = range(200, 300)
_REDIRECT = range(300, 400)
_EARLY = 0.9
_LATE_S, _LATE = 1.5, 1.2
"""An announced time is another one than what is seen from there on."""


def remarks_of(
    record: ProbeRecord,
    timeout: IdleTimeout,
    drop: SilentDrop,
    announced: Announced,
    who: Nearest,
) -> tuple[Remark, ...]:
    """What to be careful with, warnings first."""
    warnings = [
        *_of_statuses(record.connections),
        *_of_failures(record.connections),
        *_of_survivors(timeout),
        *doubts_of(record, drop),
        *_of_announcement(announced, timeout),
    ]
    notes = [*_nearest_hop(record, who)]
    met = met_closing(record.connections, record.info.wall_s)
    if met and (timeout.least_s or 0.0) > AT_ONCE_S and not timeout.together:
        notes.append(f"{plural(met, 'reuse')} failed in the race window.")
    return (
        *(Remark("warning", it) for it in warnings),
        *(Remark("info", it) for it in notes),
    )


def _nearest_hop(record: ProbeRecord, who: Nearest) -> Iterator[str]:
    """Whose limits these are; who says what is in front knows."""
    if record.asked.behind is not None:
        return
    if record.asked.proxied:
        yield (
            "These limits are those of the proxy, or of what it tunnels to. Servers behind it have "
            "limits of their own: probe them directly."
        )
        return
    answered = f" ({printable(who.said)} answered)" if who.said else ""
    yield (
        f"These limits are the nearest hop's{answered}. Servers behind it have limits of their "
        "own: probe them directly."
    )


def _of_statuses(seen: Sequence[Seen]) -> Iterator[str]:
    statuses = Counter(
        each.status
        for it in seen
        if it.part in {"watched", "reused", "narrowed"}
        for each in it.answered
        if each.status is not None
    )
    others = {it: count for it, count in statuses.items() if it not in _SUCCESS}
    if not others:
        return
    told = ", ".join(
        f"{plural(count, 'response')} with status {it}" for it, count in others.items()
    )
    if all(it in _REDIRECT for it in others):
        yield f"{told}: this measures the redirecting server: probe its target instead."
    else:
        yield f"{told}. Servers may close after errors only: probe a URL that answers 200."


def _of_failures(seen: Sequence[Seen]) -> Iterator[str]:
    idle = [it for it in seen if it.part in {"watched", "reused", "narrowed"}]
    failed = [it for it in idle if it.failure is not None or (it.exchanges and not it.answered)]
    if not failed or len(failed) == len(idle):
        return
    kinds = Counter(
        failure.kind
        for it in failed
        for failure in (it.failure, *(each.failure for each in it.exchanges))
        if failure is not None
    )
    kind = kinds.most_common(1)[0][0]
    yield (
        f"{plural(len(failed), 'connection')} of {len(idle)} got no response at all ({kind}): the "
        "server may answer one connection at a time, or limit how many there are."
    )


def _of_survivors(timeout: IdleTimeout) -> Iterator[str]:
    if timeout.least_s is not None and timeout.open and not timeout.together:
        are = "is" if timeout.open == 1 else "are"
        yield (
            f"{plural(timeout.open, 'connection')} {are} kept for longer, for more than "
            f"{duration(timeout.looked_s)}: backends may differ."
        )


def _of_announcement(announced: Announced, timeout: IdleTimeout) -> Iterator[str]:
    told_s = announced.timeout_s
    if told_s is None or timeout.together:
        return
    said = f"The server announces timeout={told_s}"
    late_s = max(_LATE * told_s, told_s + _LATE_S)
    if timeout.least_s is None:
        if timeout.looked_s > late_s:
            yield f"{said} but keeps connections for longer than {duration(timeout.looked_s)}."
    elif timeout.least_s < _EARLY * told_s:
        yield (
            f"{said} but closes after {duration(timeout.least_s)}: clients that trust it will lose "
            "requests."
        )
    elif timeout.least_s > late_s:
        yield f"{said} but closes only after {duration(timeout.least_s)}."


def advice_of(
    timeout: IdleTimeout, drop: SilentDrop, settings: Settings, who: Nearest
) -> tuple[str, ...]:
    """What to do, a sentence or two each."""
    return tuple(_advice(timeout, drop, settings, who))


def _advice(
    timeout: IdleTimeout, drop: SilentDrop, settings: Settings, who: Nearest
) -> Iterator[str]:
    limit_s = settings.idle_limit_s
    if limit_s:
        limit = f"{limit_s:g}"
        yield (
            f"Client: close connections after {limit} s idle (httpx "
            f"Limits(keepalive_expiry={limit}), aiohttp TCPConnector(keepalive_timeout={limit}), "
            "Go Transport.IdleConnTimeout, nginx keepalive_timeout in upstream). urllib3 has no "
            "such setting: the code below does it."
        )
    elif limit_s is None and not timeout.together and not drop.deaths and drop.answered_s:
        safe_s = min(drop.answered_s, timeout.looked_s)
        yield f"A client limit of up to {duration(safe_s)} is safe as far as was tested."
    if settings.probe_after_s is not None:
        yield (
            f"Or keep the path open: TCP's keep-alive probes every {settings.probe_after_s} s "
            f"(TCP_KEEPIDLE and TCP_KEEPINTVL; kab probe --tcp-keepalive-time "
            f"{settings.probe_after_s},{settings.probe_after_s} tries it). They don't delay a "
            "server's own timeout."
        )
    if settings.retries:
        yield (
            "Retry idempotent requests when a reused connection fails: urllib3's PoolManager does "
            'so by default; with requests: session.mount("https://", '
            "HTTPAdapter(max_retries=Retry(2))), from requests.adapters import HTTPAdapter, from "
            "urllib3 import Retry."
        )
    if limit_s is not None and not timeout.together and drop.died_s is None:
        yield from _of_server(who)


def _of_server(who: Nearest) -> Iterator[str]:
    """What sets a timeout, and how much later than that connections are closed."""
    setting = None if who.product is None else who.product.idle_timeout
    if who.product is None or setting is None or not setting.name:
        return
    name = who.product.name
    late = ""
    if setting.late_s:
        late = f" {name} closes up to {duration(setting.late_s)} later than it is set to."
    yield (
        f"Server: {name}'s {setting.name} sets that; keep it longer than the client's limit.{late}"
    )
