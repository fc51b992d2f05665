"""kab against the servers that people deploy: it finds what their documentation says."""

from __future__ import annotations

import sys

import pytest
from support.servers.case import Case
from support.servers.measure import measure
from support.servers.table import CASES
from support.servers.versions import version_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which connections are open"),
]
_CLOCKS_S = 0.05
"""How far the server's, the kernel's and kab's clocks may be apart."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_kab_finds_the_reason_that_the_server_documents(case: Case) -> None:
    if version_of(case.server) is None:
        pytest.skip(f"{case.server} can't be installed on this Python")
    measured = measure(case)
    arm = measured.arm
    assert tuple(measured.seen) == case.served
    assert arm.connections == len(measured.seen)
    assert arm.reason_counts == case.reasons
    if case.idle_s is not None:
        assert measured.closed_after_s is not None
        (evidence,) = [it.evidence for it in arm.reasons.values() if it.code == case.code]
        after_s = evidence["closed_after_s"]
        assert isinstance(after_s, float)
        assert case.idle_s - _CLOCKS_S <= after_s <= measured.closed_after_s + _CLOCKS_S
        assert evidence["requests"] == case.served[0]
        assert evidence["interleaved"] is False
