"""The tables of what was measured on links, for people and for the documentation."""

from __future__ import annotations

from platform import freedesktop_os_release
from typing import TYPE_CHECKING

from document import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wan_figures import Check, Measured


def page(
    found: Sequence[Measured], checked: Sequence[Check], requests: int, peers: Sequence[str]
) -> str:
    """All of it, in Markdown."""
    parts = [f"Medians of {requests} requests of each arm, in milliseconds:", _kab_table(found)]
    if checked:
        parts += ["The figure that is furthest from each target:", _targets_table(checked)]
    if peers:
        told = (
            f"The same by {', '.join(peers)} as {system()} has them, each called twice: the\n"
            "median that it reports of reused and of fresh connections, and the ratio of the two."
        )
        parts += [told, _peers_table(found, peers)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _kab_table(found: Sequence[Measured]) -> str:
    arms = max((one.latencies_s for one in found), key=len)
    head = ("", "round trip", *arms, "ratio", "connect", "tls", "tls on loopback", "wait, each")
    rows = [
        (
            one.endpoint.name,
            f"{1000 * one.link.rtt_s:g}",
            *(_ms(one.latencies_s.get(arm)) for arm in arms),
            " : ".join(("1", *(f"{one.ratio(arm):.2f}" for arm in list(one.latencies_s)[1:]))),
            _ms(one.connect_s),
            _ms(one.tls_s),
            _ms(one.own_tls_s),
            ", ".join(_ms(wait_s) for wait_s in one.waits_s.values()),
        )
        for one in found
    ]
    return table(head, rows)


def _targets_table(checked: Sequence[Check]) -> str:
    worst: dict[str, Check] = {}
    for check in sorted(checked, key=lambda check: check.share):
        worst[check.target] = check
    rows = [(name, f"{it.told} ({it.where})", it.verdict) for name, it in sorted(worst.items())]
    return table(("target", "furthest from it", ""), rows)


def _peers_table(found: Sequence[Measured], peers: Sequence[str]) -> str:
    rows = []
    for one in found:
        rtt_s = one.link.rtt_s
        pairs = [
            (rtt_s, one.endpoint.fresh_trips * rtt_s),
            (one.latencies_s["pooled"], one.latencies_s["unpooled"]),
            *(one.peers_s[name] for name in peers),
        ]
        rows.append((one.endpoint.name, f"{1000 * rtt_s:g}", *(_pair(*pair) for pair in pairs)))
    return table(("", "round trip", "in truth", "kab", *peers), rows)


def _pair(reused_s: float, fresh_s: float) -> str:
    return f"{_ms(reused_s)} / {_ms(fresh_s)} (1 : {fresh_s / reused_s:.2f})"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.1f}"


def system() -> str:
    """What its programs come from."""
    try:
        return freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "this system"
