"""However much a server sends, kab holds little of it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from server.wire import settings
from support.command import environment
from support.processes import PEAK_BYTES, linux

from keepalive_bench.server import ServerProcess

MIB = 1024 * 1024
# In a process of its own, so that the peak is that of the run.
PROGRAM = f"""{PEAK_BYTES}
import json, sys
from keepalive_bench import Arm, Experiment, Network, Plan, Target, benchmark
from keepalive_bench import analyse

def wanted(url, requests, timeout_s=30):
    experiment = Experiment(arms=(Arm("pooled"),), requests=requests, warmup=0, keep_going=True)
    return Plan(Target(url), experiment=experiment, network=Network(timeout_s=timeout_s))

good, hostile, requests, endless = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
analyse(benchmark(wanted(good, 20)))
before = peak_bytes()
arm = analyse(benchmark(wanted(hostile, requests, 0.5 if endless else 30))).first
print(json.dumps([arm.bytes_received, arm.failed, peak_bytes() - before]))
"""
FLOODS: dict[str, tuple[dict[str, Any], int, int]] = {
    "an endless body in chunks": ({"fault": "endless-body"}, 3, 3),
    "a gzip bomb of 4 GiB": ({"fault": f"gzip-bomb={4096 * MIB}"}, 10, 0),
    "a header of 100 MB": ({"fault": "long-header=100000000"}, 3, 3),
    "headers of 6 MB": ({"fault": "big-head=6000000"}, 50, 50),
    "10,000 headers": ({"fault": "many-headers"}, 50, 50),
    "a body of 100 MB": ({"body_size": 100 * MIB}, 3, 0),
    "a second answer of 100 MB": ({"fault": "answer-twice", "body_size": 100 * MIB}, 3, 0),
    "a 1xx flood": ({"fault": "endless-interim=0"}, 3, 3),
}


@pytest.mark.slow
@linux
@pytest.mark.parametrize(("server", "requests", "failed"), FLOODS.values(), ids=FLOODS)
def test_a_flood_is_not_held(server: dict[str, Any], requests: int, failed: int) -> None:
    with ServerProcess() as good, ServerProcess(settings(**server)) as hostile:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, good.url, hostile.url, str(requests), str(failed)],
            capture_output=True,
            env=environment(),
            timeout=60,
            check=True,
        )
    _, failures, growth = json.loads(done.stdout)
    assert failures == failed
    assert growth < 24 * MIB  # a few copies of a head of 6 MB, and none of the one before
