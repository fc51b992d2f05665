"""Runs of any size, with noise: what a page has to cope with."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from support.runs import Script

from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Answer, Ending, Failure, Phases

if TYPE_CHECKING:
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.exchange import EndingKind
    from keepalive_bench.results.run import Run

URL = "https://api.example.com/search?a=1"
HOSTILE = "<script>document.title='owned'</script>\u2028</script><img src=x onerror=alert(1)>"
_RESET = Failure("reset", f"Connection reset by peer {HOSTILE}")


def noisy_run(
    requests: int,
    arms: tuple[tuple[str, str], ...] = (("pooled", "pooled"), ("unpooled", "unpooled")),
    *,
    per_connection: int = 10**9,
    failing: float = 0.0,
    interrupted: bool = False,
    keep_alive: str = "timeout=5",
) -> Run:
    """Pairs of a pooled arm of some 20 ms against one that opens a connection each time.

    Pooled connections are closed after `per_connection` requests; `failing` is a share.
    """
    random = Random(7)  # noqa: S311  # noise, not a secret
    script = Script(*arms, plan=Plan(Target(URL)), requests=requests, maxsize=1)
    answer = Answer("HTTP/1.1", "text/html", None, keep_alive)
    kept: dict[str, tuple[int, int]] = {}
    for index in range(requests // 2 if interrupted else requests):
        for label, kind in arms:
            row, served = kept.get(label, (-1, 0))
            fresh = row < 0 or kind == "unpooled" or served >= per_connection
            if fresh and row >= 0:
                how: EndingKind = "retired" if kind == "unpooled" else "fin"
                script.connections.ended(row, Ending(how, 0.4, 0.3), _end_s(script.exchanges))
            wait = 0.02 * random.lognormvariate(0, 0.08) + (0.4 if random.random() < 0.004 else 0)
            times = {"send": 0.0001, "wait": wait, "receive": 0.0002}
            if fresh:
                times |= {"connect": 0.021 * random.uniform(1, 1.1), "tls": 0.022}
                opened_s = _end_s(script.exchanges) + times["connect"]
                row = script.open(label, opened_s=opened_s, tls_version="TLSv1.3", cipher="AES")
                served = 0
            kept[label] = row, served + 1
            if random.random() < failing:
                script.fail(label, sum(times.values()), failure=_RESET, index=index, on=row)
                continue
            latency_s = sum(times.values()) + 0.0001
            script.send(
                label, latency_s, on=row, index=index, answer=answer, phases=Phases(**times)
            )
    return script.run(interrupted=interrupted, wall_s=_end_s(script.exchanges))


def _end_s(exchanges: ExchangeColumns) -> float:
    """When the last exchange was over."""
    return exchanges.began_s[-1] + exchanges.latency_s[-1] if len(exchanges) else 0.0
