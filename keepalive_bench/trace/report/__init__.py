"""Usage → text: what a program did with its connections, set in every dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from keepalive_bench.analysis import Checked
    from keepalive_bench.trace.usage import Usage


class TraceReport(NamedTuple):
    """What a report is about."""

    usage: Usage
    requirements: tuple[Checked, ...] = ()
    strict: bool = False
    """Whether what is undecided of the requirements counts as missed."""
    folder: str = ""
    """The working folder: files beneath it are named from there."""
