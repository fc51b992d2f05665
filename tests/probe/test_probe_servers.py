"""`kab probe` against the servers that people deploy: it finds what their documentation says.

All are started and probed at the same time, in one test: they wait for the same seconds.
"""

from __future__ import annotations

import os
import sys

import pytest
from support.servers.probe_faults import faults
from support.servers.probing import probed
from support.servers.rows.probed import PROBED
from support.servers.versions import version_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who listens"),
]


def test_a_probe_finds_what_each_server_documents() -> None:
    quick = [it for it in PROBED if not it.is_costly]
    there = [it for it in quick if version_of(it.product.name) is not None]
    missing = {it.product.name for it in quick} - {it.product.name for it in there}
    assert not missing or "CI" not in os.environ, f"not installed: {missing}"
    servers, late_s = probed(there)
    wrong = [f"{it.case.name}: {what}" for it in servers for what in faults(it, late_s)]
    assert not wrong, "\n".join([*wrong, f"(this process was late by {late_s:.3f} s at worst)"])
    if missing:
        pytest.skip(f"the others are as documented; not installed: {missing}")
