"""Everywhere that a server can say something."""

from __future__ import annotations

from typing import Any

from keepalive_bench.server import Fault


def said(text: str) -> dict[str, dict[str, Any]]:
    """Settings of servers that say a text, by where they do."""
    return {
        "in Connection": {"headers": (("Connection", f"close, {text}"),), "silent_close_after": 1},
        "in Keep-Alive": {"keep_alive_header": f"max=1, {text}", "silent_close_after": 1},
        "in the status line": {"fault": f"garbage-status={text}"},
        "in a second status line": {"fault": Fault("garbage-status", text, requests="2")},
        "in a line of the head": {"fault": f"malformed-header={text}"},
        "in Content-Length": {"fault": f"odd-length={text}"},
        "in Content-Type": {"headers": (("Content-Type", text),)},
        "in X-Cache": {"headers": (("X-Cache", f"HIT {text}"),)},
        "in the reason": {"reason": text},
        "behind an answer": {"fault": "answer-twice", "reason": text},
        "behind an answer, as a first line": {"fault": "length-too-small", "reason": text},
        "on an idle connection": {"fault": "idle-garbage=0.01", "delay_s": 0.05},
    }
