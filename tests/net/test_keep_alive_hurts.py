"""Delayed acknowledgements on real connections, and servers that merely take as long.

What is said of them is tested on runs written down by hand, in tests/findings/test_delay.py: on a
busy machine other answers come late, too, and these stand out from nothing.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

import pytest
from server.wire import settings
from support.plans import run

from keepalive_bench import analyse
from keepalive_bench.server import ServerProcess


@pytest.mark.skipif(sys.platform != "linux", reason="other systems delay otherwise")
@pytest.mark.parametrize(
    "behaviour",
    [{"delay_s": 0.0}, {"chunked": True, "delay_s": 0.02}],
    ids=["at once", "chunked and slow"],
)
def test_a_server_that_writes_head_and_body_apart_is_late_on_reused_connections_alone(
    behaviour: dict[str, Any],
) -> None:
    """Without TLS: a handshake uses up the acknowledgements that come at once.

    Linux delays them where a connection is used again within 40 ms, which a busy machine misses.
    """
    with ServerProcess(settings(fault="nagle", **behaviour)) as server:
        measured = run(server.url, requests=20, order="sequential")
    fresh: list[float] = []
    reused: list[float] = []
    ended_s = 0.0
    for it in measured.exchanges:
        began_s, latency_s, phases = it.outcome.began_s, it.outcome.latency_s, it.outcome.phases
        took = (phases.wait or 0.0) + (phases.receive or 0.0) - behaviour["delay_s"]
        if phases.connect is not None:
            fresh.append(took)
        elif began_s - ended_s < 0.02:
            reused.append(took)
        ended_s = began_s + latency_s
    assert median(reused) >= 0.03
    assert min(fresh) < 0.03


@pytest.mark.slow
def test_a_server_that_takes_40_ms_for_every_answer_is_not_said_to() -> None:
    with ServerProcess(settings(delay_s=0.04)) as server:
        codes = {it.code for it in analyse(run(server.url, requests=20)).findings}
    assert "keep-alive-hurts" not in codes
