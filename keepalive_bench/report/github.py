"""What was missed, and warnings, as annotations of a job on GitHub: commands in its log.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands describes them;
texts are escaped as `packages/core/src/command.ts` of GitHub's actions/toolkit does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import preamble
from keepalive_bench.report.requirements import in_order, reasons
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keepalive_bench.analysis import Checked, Finding
    from keepalive_bench.report import Report

_IN_MESSAGES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTIES = _IN_MESSAGES | str.maketrans({":": "%3A", ",": "%2C"})


def annotation_lines(report: Report) -> Iterator[str]:
    """A line for each requirement that a run missed, and for each warning."""
    analysis = report.analysis
    if not analysis.has_answers:
        yield annotation("error", "Nothing was measured", preamble.nothing_measured(analysis))
    yield from missed(analysis.requirements, strict=report.strict)
    yield from warnings(analysis.findings)


def missed(requirements: Iterable[Checked], *, strict: bool) -> Iterator[str]:
    """A line for each that was missed, with why; where it is `strict`, for the undecided, too."""
    failing = {"missed", "undecided"} if strict else {"missed"}
    for it in in_order(requirements):
        if it.status in failing:
            title = f"{it.status.capitalize()}: {it.requirement.text}"
            yield annotation("error", title, " ".join((it.text, *reasons(it))))


def warnings(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each warning."""
    for finding, words in preamble.told(findings):
        if finding.severity == "warning":
            yield annotation("warning", f"kab: {finding.code}", words)


def annotation(
    command: str, title: str, message: str, place: Mapping[str, str] | None = None
) -> str:
    """One line of a log that GitHub takes for a command; `place`: its file and line."""
    told = {**(place or {}), "title": title}
    properties = (f"{name}={printable(it).translate(_IN_PROPERTIES)}" for name, it in told.items())
    return f"::{command} {','.join(properties)}::{printable(message).translate(_IN_MESSAGES)}"
