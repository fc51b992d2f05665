from __future__ import annotations

import gc
import signal

from hypothesis import HealthCheck, settings

# A busy machine is no failure: how long an example takes isn't what these tests are about.
settings.register_profile(
    "kab", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kab")

# Where the tests run in the background, SIGINT is ignored, by them and by whatever they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep the tests themselves out of the collections that each run begins with: 0.1 s each."""
    gc.collect()
    gc.freeze()
