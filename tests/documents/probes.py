"""What is derived of docs/probe.md: groups of behaviours, names, members, columns and series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.exports import labelled
from documents.members import members, rows_of
from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table
from support.probes import everything, report_on

from keepalive_bench.analysis import Checked, Requirement
from keepalive_bench.cli.exports import OF_PROBE
from keepalive_bench.plan.probing import BEHAVIOUR_GROUPS, ProbePlan, Probing
from keepalive_bench.plan.target import Target
from keepalive_bench.probe.behaviours import lives_of
from keepalive_bench.probe.document import KIND, SCHEMA_VERSION, SPELLED
from keepalive_bench.probe.exporting import COLUMNS, openmetrics_lines
from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.probe.probed import Probed
from keepalive_bench.probe.record import Asked, ProbeInfo, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documents.members import Member
    from documents.tables import Row

_PAGE = "probe.md"
_ABSENT = {
    "lifetime": "it wasn't looked for",
    "request_limit": "it wasn't looked for",
    "window": "nobody closes, or it isn't known",
    "behind": "nobody said who is in front",
}
"""Objects that may be absent, and where they are."""
_EACH = {"paths": " for each", "addresses": " for each"}


def parts() -> Iterator[PagePart]:
    """All of the page's that is neither prose nor measured, and what docs/exports.md says."""
    head = ("group", "what is tried", "connections", "requests")
    yield table(_PAGE, "groups", head, _groups())
    names = ((names_cell([[it.path]]), it.meaning, it.lacking) for it in PROBE_METRICS)
    yield table(_PAGE, "names", ("name", "meaning", "unknown where"), names)
    yield table(_PAGE, "members", MEMBERS_HEAD, rows_of(_members()))
    columns = ((f"`{name}`", *said) for name, said in COLUMNS.items())
    yield table(_PAGE, "columns", ("column", "meaning", "empty when"), columns)
    written = "".join(openmetrics_lines(report_on(everything(), "idle_timeout>=60s")))
    series = (
        (name, kind, ", ".join(f"`{it}`" for it in labels if it != "url"), meaning)
        for name, kind, labels, meaning in labelled(written)
    )
    yield table(_PAGE, "series", ("metric", "type", "further labels", "meaning"), series)
    flags = ", ".join(f"`{it.flag}`" for it in OF_PROBE)
    yield PagePart("exports.md", "probed", f"`kab probe` has {flags}.")


def _groups() -> Iterator[Row]:
    """Of an endpoint with one address, and one other path."""
    target = Target("https://127.0.0.1/")
    asked = Probing(
        behaviours=tuple(it.name for it in BEHAVIOUR_GROUPS), also=("/missing",), post_url=target
    )
    opened = lives_of(ProbePlan(target, probing=asked))
    for it in BEHAVIOUR_GROUPS:
        lives, each = opened[it.name], _EACH.get(it.name, "")
        requests = sum(ask.times for life in lives for ask in life.asks)
        yield f"`{it.name}`", it.help, f"{len(lives)}{each}", f"{requests}{each}"


def _members() -> Iterator[Member]:
    yield "schema_version", f"{SCHEMA_VERSION}", ""
    yield "kind", f"`{KIND}`", ""
    yield from members(Asked, "asked.")
    yield from members(ProbeInfo, "info.")
    for path, meaning, none in members(Probed, without={"record"}):
        yield SPELLED.get(path, path), meaning, none
    for name, none in _ABSENT.items():
        yield name, "All of the members above that begin so", none
    requirement = "requirements[]."
    for path, meaning, none in members(Requirement, requirement):
        if not path.endswith(".selector"):
            about = "[What it is about](#requirements)"
            yield path, about if path.endswith(".name") else meaning, none
    renamed: dict[str, Iterable[str]] = {"text": ["sentence"]}
    without = {"requirement", "because", "low", "high"}
    yield from members(Checked, requirement, without=without, renamed=renamed)
    yield f"{requirement}low", "The low end of what was found", "it is exact, or unknown"
    yield f"{requirement}high", "The high end", "the same"
    yield from members(Seen, "connections[].")
