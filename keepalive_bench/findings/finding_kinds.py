"""What kab can notice."""

from __future__ import annotations

from typing import NamedTuple


class FindingKind(NamedTuple):
    """One thing that kab can notice."""

    code: str


INTERRUPTED = FindingKind("interrupted")
PROCESS_LOST = FindingKind("process-lost")
REQUESTS_FAILED = FindingKind("requests-failed")
REQUESTS_NOT_SENT = FindingKind("requests-not-sent")
WARMUP_FAILED = FindingKind("warmup-failed")
SEQUENTIAL_ORDER = FindingKind("sequential-order")
FEW_ROUNDS = FindingKind("few-rounds")
PAIRS_LEFT_OUT = FindingKind("pairs-left-out")
PRECISION_NOT_REACHED = FindingKind("precision-not-reached")
AUTOCORRELATED = FindingKind("autocorrelated")
CLIENT_BOUND = FindingKind("client-bound")
LATE_STARTS = FindingKind("late-starts")
CLOCK_TOO_COARSE = FindingKind("clock-too-coarse")
GARBAGE_COLLECTED = FindingKind("garbage-collected")
PORTS_LOW = FindingKind("ports-low")
PORTS_EXHAUSTED = FindingKind("ports-exhausted")
PACED = FindingKind("paced")
MACHINE_BUSY = FindingKind("machine-busy")
LOAD_CHANGED = FindingKind("load-changed")
DRIFT = FindingKind("drift")
BIMODAL = FindingKind("bimodal")
OUTLIERS = FindingKind("outliers")
TOO_FEW_REQUESTS = FindingKind("too-few-requests")
REDIRECTS_MEASURED = FindingKind("redirects-measured")
SERVER_OVERLOADED = FindingKind("server-overloaded")
CACHE_ANSWERED = FindingKind("cache-answered")
KEEP_ALIVE_TIMEOUT_DIFFERS = FindingKind("keep-alive-timeout-differs")
KEEP_ALIVE_MAX_DIFFERS = FindingKind("keep-alive-max-differs")
FAILING_ADDRESS = FindingKind("failing-address")
NAGLE_BEHIND_PROXY = FindingKind("nagle-behind-proxy")
KEEP_ALIVE_HURTS = FindingKind("keep-alive-hurts")
SEVERAL_PEERS = FindingKind("several-peers")
NOT_RESUMED = FindingKind("not-resumed")
BODIES_CUT = FindingKind("bodies-cut")
AFTER_ERROR = FindingKind("after-error")
STALE_RACE = FindingKind("stale-race")
SERVER_CLOSE = FindingKind("server-close")
HTTP_1_0 = FindingKind("http-1.0")
CLOSE_DELIMITED = FindingKind("close-delimited")
KEEP_ALIVE_MAX = FindingKind("keep-alive-max")
REQUEST_LIMIT = FindingKind("request-limit")
IDLE_TIMEOUT = FindingKind("idle-timeout")
STALE_BY_INTERLEAVING = FindingKind("stale-by-interleaving")
UNSOLICITED_DATA = FindingKind("unsolicited-data")
POOL_FULL = FindingKind("pool-full")
POOL_EXHAUSTED = FindingKind("pool-exhausted")
UNKNOWN = FindingKind("unknown")

FINDING_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, FindingKind))
"""All of them."""
