"""How long this system's resolver waits for a nameserver before it asks again, or another one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_CONFIGURATION = Path("/etc/resolv.conf")
_USUAL_S, _MOST_S, _LEAST_S = 5, 30, 1
"""resolv.conf(5): RES_TIMEOUT, RES_MAXRETRANS; and 0 is 1 (glibc's `res_send.c`)."""
_ATTEMPTS = 2


def resolver_wait_s() -> float | None:
    """What resolv.conf(5) says; `None`: nothing tells, as everywhere but on Linux.

    glibc asks again after that time, and `RES_OPTIONS` may say another one. musl asks as often as
    it is to within that time.
    """
    if sys.platform != "linux":
        return None
    try:
        lines = _CONFIGURATION.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    options = [line.partition("options")[2] for line in lines if line.startswith("options")]
    words = " ".join(options).split()
    if _is_glibc():
        words += os.environ.get("RES_OPTIONS", "").split()
        return float(min(max(_number("timeout", words, _USUAL_S), _LEAST_S), _MOST_S))
    attempts = max(_number("attempts", words, _ATTEMPTS), 1)
    return _number("timeout", words, _USUAL_S) / attempts or None


def _number(name: str, words: list[str], usual: int) -> int:
    found = (re.fullmatch(rf"{name}:([0-9]{{1,4}})", word) for word in words)
    return next((int(it[1]) for it in reversed([*found]) if it), usual)


def _is_glibc() -> bool:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") is not None
    except (ValueError, OSError):
        return False
