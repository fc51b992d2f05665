"""What makes the lines of each export: it is imported when something is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.compare.change import Change
    from keepalive_bench.places.report import Places
    from keepalive_bench.probe.changes import ProbeChange
    from keepalive_bench.probe.report import ProbeReport
    from keepalive_bench.report import Report
    from keepalive_bench.trace.report import TraceReport


class Changes(NamedTuple):
    """What changed from earlier runs to others."""

    changes: Sequence[Change]


class ProbeChanges(NamedTuple):
    """The same of probes."""

    changes: Sequence[ProbeChange]


def json_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.document import derived_document
    from keepalive_bench.results.file import document_lines

    return document_lines(of.run, derived_document(of.analysis))


def json_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import document

        return document.json_lines(of.changes)
    from keepalive_bench.compare.document import json_lines

    return json_lines(of.changes)


def json_of_trace(of: TraceReport) -> Iterable[str]:
    from keepalive_bench.trace.document import json_lines

    return json_lines(of)


def json_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.document import json_lines

    return json_lines(of)


def json_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.document import json_lines

    return json_lines(of)


def csv_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.rows_csv import csv_lines

    return csv_lines(of.run, of.analysis)


def csv_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import document

        return document.csv_lines(of.changes)
    from keepalive_bench.compare.document import csv_lines

    return csv_lines(of.changes)


def csv_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.document import csv_lines

    return csv_lines(of)


def csv_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.exporting import csv_lines

    return csv_lines(of)


def markdown_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.markdown import markdown_lines

    return markdown_lines(of)


def markdown_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import report

        return report.markdown_lines(of.changes)
    from keepalive_bench.compare.report import markdown_lines

    return markdown_lines(of.changes)


def markdown_of_trace(of: TraceReport) -> Iterable[str]:
    from keepalive_bench.trace.report.dialects import markdown_lines

    return markdown_lines(of)


def markdown_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.report.dialects import markdown_lines

    return markdown_lines(of)


def markdown_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.report.dialects import markdown_lines

    return markdown_lines(of)


def junit_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.junit import junit_lines

    return junit_lines(of)


def junit_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import report

        return report.junit_lines(of.changes)
    from keepalive_bench.compare.report import junit_lines

    return junit_lines(of.changes)


def junit_of_trace(of: TraceReport) -> Iterable[str]:
    from keepalive_bench.trace.report.dialects import junit_lines

    return junit_lines(of)


def junit_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.report.dialects import junit_lines

    return junit_lines(of)


def junit_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.report.dialects import junit_lines

    return junit_lines(of)


def openmetrics_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.openmetrics import openmetrics_lines

    return openmetrics_lines(of.run, of.analysis)


def openmetrics_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import document

        return document.openmetrics_lines(of.changes)
    from keepalive_bench.compare.document import openmetrics_lines

    return openmetrics_lines(of.changes)


def openmetrics_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.document import openmetrics_lines

    return openmetrics_lines(of)


def openmetrics_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.exporting import openmetrics_lines

    return openmetrics_lines(of)


def html_of_run(of: Report) -> Iterable[str]:
    from keepalive_bench.report.webpage import page_lines

    return page_lines(of)


def html_of_changes(of: Changes | ProbeChanges) -> Iterable[str]:
    if isinstance(of, ProbeChanges):
        from keepalive_bench.probe.changes import report

        return report.page_lines(of.changes)
    from keepalive_bench.compare.report import page_lines

    return page_lines(of.changes)


def html_of_trace(of: TraceReport) -> Iterable[str]:
    from keepalive_bench.trace.report.webpage import page_lines

    return page_lines(of)


def html_of_places(of: Places) -> Iterable[str]:
    from keepalive_bench.places.report.webpage import page_lines

    return page_lines(of)


def html_of_probe(of: ProbeReport) -> Iterable[str]:
    from keepalive_bench.probe.report.webpage import page_lines

    return page_lines(of)
