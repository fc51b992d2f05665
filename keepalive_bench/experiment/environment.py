"""Where, and with what, a run is made."""

from __future__ import annotations

import os
import platform
import ssl
import sys
import time
from importlib.metadata import version

import keepalive_bench
from keepalive_bench.model.run import Environment


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
    )
