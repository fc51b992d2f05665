"""Probed → text: how long an endpoint keeps connections, set in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.analysis import Checked
    from keepalive_bench.probe.probed import Probed


class ProbeReport(NamedTuple):
    """What a report on a probe is about."""

    probed: Probed
    requirements: tuple[Checked, ...] = ()
    strict: bool = False
    """Whether what is undecided of the requirements counts as missed."""
