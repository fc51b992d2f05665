from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# A busy machine is no failure: how long an example takes isn't what these tests are about.
settings.register_profile(
    "kab", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kab")

# Where the tests run in the background, SIGINT is ignored, by them and by whatever they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
