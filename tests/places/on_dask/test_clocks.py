"""Workers whose clocks are wrong: they are told of, and all begin at once by the server's clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from support.command import PROGRESS, kab
from support.dask_cluster import Cluster, customized
from support.misbehaving import ANSWER, Peer, misbehaving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
AHEAD_S = {"right": 0, "ahead": 30, "behind": -30}
AT_ONCE_S = 1.0
"""Less than any wait for a start that isn't found, and more than a busy machine is late by."""
_CLOCK = """\
import time
_right = time.time
time.time = lambda: _right() + {ahead_s}
"""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask")
    made = Cluster(folder)
    try:
        made.start_scheduler()
        for name, ahead_s in AHEAD_S.items():
            code = _CLOCK.format(ahead_s=ahead_s)
            made.start_worker(name, env=customized(tmp_path_factory.mktemp(name), code))
        made.joined(len(AHEAD_S))
        yield made
    finally:
        made.end()


def test_clocks_that_are_wrong_are_told_of_and_places_begin_together(workers: Cluster) -> None:
    begun_s: list[float] = []

    def script(peer: Peer) -> None:
        begun_s.append(time.monotonic())
        while peer.read_request():
            peer.socket.sendall(ANSWER)

    words = ("-n", "3", "--warmup", "0", "--arm", "pooled", "--dask", workers.address)
    with misbehaving(script) as server:
        done = kab("run", server.url, *words, env=PROGRESS)
    assert done.code == 0, done.text
    assert "The clocks of 3 workers are within 30.0 s of this machine's" in done.err
    assert len(begun_s) == len(AHEAD_S)
    assert max(begun_s) - min(begun_s) < AT_ONCE_S
