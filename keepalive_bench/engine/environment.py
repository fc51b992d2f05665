"""Where, and with what, a run is made."""

from __future__ import annotations

import os
import platform
import ssl
import sys
import time
from importlib.metadata import version
from pathlib import Path

import keepalive_bench
from keepalive_bench.results.run import Environment

_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def describe_environment() -> Environment:
    """This machine and these versions; nothing that names the machine or its user."""
    return Environment(
        kab=keepalive_bench.__version__,
        python=platform.python_version(),
        implementation=sys.implementation.name,
        urllib3=version("urllib3"),
        openssl=ssl.OPENSSL_VERSION,
        os=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu_count=os.cpu_count() or 1,
        clock_resolution_s=time.get_clock_info("perf_counter").resolution,
        ephemeral_ports=_ephemeral_ports(),
    )


def _ephemeral_ports() -> int | None:
    """How many there are; of IPv6, too. Only Linux tells it in a file."""
    try:
        lowest, highest = map(int, _PORT_RANGE.read_text().split())
    except (OSError, ValueError):
        return None
    return highest - lowest + 1
