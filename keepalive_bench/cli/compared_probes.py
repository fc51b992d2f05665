"""`kab compare` of stored probes: what changed about an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import CONFIDENCE, MARGIN, REQUIRE, STRICT
from keepalive_bench.cli.reading import STDIN
from keepalive_bench.cli.renderers import ProbeChanges
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.probe.analysis import analyse
from keepalive_bench.probe.changes import ProbeSource, compare_probes
from keepalive_bench.probe.record import ProbeRecord
from keepalive_bench.report.requirements import worst
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.probe.changes import ProbeChange
    from keepalive_bench.results.run import Run


def carry_out(
    bases: Sequence[str],
    news: Sequence[str],
    stored: Mapping[str, Run | ProbeRecord],
    asked: Asked,
    shown: Screen,
    *,
    forced: bool,
) -> ExitCode:
    """Compare each new probe with the base; the exit code.

    Raises:
        UsageError: a file holds a run, or there are several bases.
    """
    run = next((path for path, it in stored.items() if not isinstance(it, ProbeRecord)), None)
    if run is not None:
        raise UsageError(
            f"{filename(run)} holds a run, and others hold probes: compare runs with runs, and "
            "probes with probes."
        )
    if len(bases) > 1:
        raise UsageError("Probes are compared with one BASE: their times vary little.")
    check_no_statistics(asked)
    base, *others = (_source(path, stored) for path in (*bases, *news))
    strict = asked[STRICT] is True
    requirements = asked.each(REQUIRE)
    changes = [
        compare_probes(base, it, requirements, forced=forced, strict=strict) for it in others
    ]
    try:
        with exports.opened(exports.wanted(asked)) as opened:
            opened.write(ProbeChanges(changes))
    finally:
        _show(changes, shown)
    missed = any(worst(it.requirements, strict=strict) == "missed" for it in changes)
    return shown.code(ExitCode.REQUIREMENT_MISSED if missed else ExitCode.MEASURED)


def check_no_statistics(asked: Asked) -> None:
    """Refuse what is about intervals of a run.

    Raises:
        UsageError: it is asked for.
    """
    given = next((it for it in (CONFIDENCE, MARGIN) if it in asked), None)
    if given is not None:
        raise UsageError(f"{given.flag} is about runs: leave it out, as this is a probe.")


def _source(path: str, stored: Mapping[str, Run | ProbeRecord]) -> ProbeSource:
    record = stored[path]
    assert isinstance(record, ProbeRecord)  # noqa: S101  # others were refused
    return ProbeSource("standard input" if path == STDIN else path, analyse(record))


def _show(changes: Sequence[ProbeChange], shown: Screen) -> None:
    """Print a part for each new probe; only how requirements stand, where results go to stdout."""
    from keepalive_bench.probe.changes.report import annotation_lines, terminal_parts  # noqa: PLC0415  # --json - does without

    for number, change in enumerate(changes):
        if shown.is_for_remarks:
            shown.show_requirements(change.requirements, strict=change.strict)
            continue
        if number:
            shown.out.print()
        shown.show(terminal_parts(change, shown.out.width, plain_ascii=shown.plain_ascii))
    if shown.annotating:
        shown.annotate(annotation_lines(changes))
