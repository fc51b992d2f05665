from __future__ import annotations

import pytest
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Phases


@pytest.mark.parametrize(
    ("wait_s", "block", "is_said"),
    [(0.02, True, True), (0.0001, True, False), (None, True, False), (None, False, False)],
)
def test_waiting_for_the_pool_is_told_where_latencies_are_longer_for_it(
    wait_s: float | None, *, block: bool, is_said: bool
) -> None:
    script = Script("pooled", requests=8, concurrency=4, maxsize=1, block=block)
    row = script.open("pooled")
    for number in range(8):
        waited = wait_s if number % 2 else None
        script.send("pooled", 0.01 + (waited or 0.0), on=row, phases=Phases(pool_wait=waited))
    found = [it for it in analyse(script.run()).findings if it.code == "pool-wait"]
    assert len(found) == is_said
    for finding in found:  # 4 × 20 ms of 8 × 20 ms
        assert finding.evidence == {
            "arm": "pooled",
            "count": 4,
            "timed": 8,
            "wait_s": pytest.approx(0.08),
            "share": pytest.approx(0.5),
        }
        assert finding.text.startswith("4 of 8 requests of pooled waited for a connection")
        assert "--maxsize 4" in finding.advice
