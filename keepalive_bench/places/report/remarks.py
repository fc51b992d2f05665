"""The lines around the table of places: what was asked and when, and what to be careful with."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from keepalive_bench.places.report import words
from keepalive_bench.places.sentence import some_of
from keepalive_bench.report.preamble import planned, requested
from keepalive_bench.units import enumerated, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.places.report import Places

_HOUR_S, _DAYS_FROM = 3600.0, 48
"""Runs that began further apart than one may differ for that reason; from 48 on, it is in days."""
_MOST_WARNINGS = 8


def asked(found: Places) -> str:
    """What was asked, as far as it was the same everywhere, and when."""
    plans = [it.plan for it in found.places]
    for told in (planned, requested):
        several = {told(it) for it in plans}
        if len(several) == 1:
            return f"{several.pop()} · {when(found)}"
    return f"{plural(len(several), 'different request')} · {when(found)}"


def when(found: Places) -> str:
    """When the first run began, and the last one, to the minute."""
    starts = sorted(it.began_s for it in found.places)
    first, last = _minute(starts[0]), _minute(starts[-1])
    if first == last:
        return f"{first} UTC"
    day, _, time = last.partition(" ")
    return f"{first} to {time if first.startswith(day) else last} UTC"


def _minute(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, timezone.utc):%Y-%m-%d %H:%M}"


def caveats(found: Places) -> Iterator[str]:
    """Places without a result, and why what the others say may mislead."""
    yield from words.lost_lines(found)
    if options := [it.kind for it in found.differences if it.of == "plan"]:
        yield printable(
            f"What was asked isn't the same everywhere: see {enumerated(options)} below."
        )
    starts = sorted(it.began_s for it in found.places)
    if starts and starts[-1] - starts[0] > _HOUR_S:
        hours = round((starts[-1] - starts[0]) / _HOUR_S)
        apart = plural(hours, "hour") if hours < _DAYS_FROM else plural(round(hours / 24), "day")
        yield f"The runs began up to {apart} apart: what differs may be the time, not the place."
    if warnings := [*_warnings(found)]:
        left = len(warnings) - _MOST_WARNINGS
        told = [*warnings[:_MOST_WARNINGS], *([f"{left:,} more"] if left > 0 else [])]
        yield printable(f"Warnings: {'; '.join(told)}. See kab report FILE, or kab explain CODE.")


def _warnings(found: Places) -> Iterator[str]:
    """What runs warn of, by where."""
    where: dict[str, list[str]] = defaultdict(list)
    for it in found.places:
        for finding in it.document["findings"] if it.is_measured else ():
            if finding["severity"] == "warning":
                where[finding["code"]].append(it.name)
    for code, names in where.items():
        yield f"{code} in {some_of(list(dict.fromkeys(names)))}"
