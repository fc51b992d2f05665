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

    However busy the machine is, nothing comes earlier for it.
    """
    with ServerProcess(settings(fault="nagle", **behaviour)) as server:
        measured = run(server.url, requests=20)
    fresh: list[float] = []
    reused: list[float] = []
    for it in measured.exchanges:
        phases = it.outcome.phases
        took = (phases.wait or 0.0) + (phases.receive or 0.0) - behaviour["delay_s"]
        (reused if phases.connect is None else fresh).append(took)
    assert len(reused) == 19
    assert median(reused) >= 0.03
    assert min(fresh) < 0.03


@pytest.mark.slow
def test_a_server_that_takes_40_ms_for_every_answer_is_not_said_to() -> None:
    with ServerProcess(settings(delay_s=0.04)) as server:
        codes = {it.code for it in analyse(run(server.url, requests=20)).findings}
    assert "keep-alive-hurts" not in codes
