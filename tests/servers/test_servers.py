"""kab against the servers that people deploy: it finds what their documentation says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.servers.measure import Measured, measure, version_of
from support.servers.table import CASES

if TYPE_CHECKING:
    from support.servers.table import Case

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which connections are open"),
]
_CLOCKS_S = 0.02
"""How far the server's, the kernel's and kab's clocks may be apart."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_kab_finds_the_reason_that_the_server_documents(case: Case) -> None:
    if version_of(case.server) is None:
        pytest.skip(f"{case.server} can't be installed on this Python")
    measured = measure(case)
    assert tuple(measured.seen) == case.served
    assert measured.arm.connections == len(measured.seen)
    assert measured.arm.reason_counts == case.reasons
    if case.idle_s is not None:
        assert_idle_as_set(measured, case.idle_s, requests=case.served[0])


def assert_idle_as_set(measured: Measured, set_s: float, *, requests: int) -> None:
    """The evidence is between what the server was told and what the kernel showed."""
    (reason,) = [it for it in measured.arm.reasons.values() if it.code == "idle-timeout"]
    after_s, rest = reason.evidence["closed_after_s"], measured.rest
    assert rest is not None
    assert isinstance(after_s, float)
    assert set_s - rest.latency_s - _CLOCKS_S <= after_s <= rest.open_s + _CLOCKS_S
    assert reason.evidence["requests"] == requests
    assert reason.evidence["interleaved"] is False
