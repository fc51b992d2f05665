"""`kab report RUN.json`: a stored run, shown and written again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import completion, exports
from keepalive_bench.cli.options import judging_options, requirement_options

if TYPE_CHECKING:
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.errors import ExitCode
    from keepalive_bench.plan.plan import DecisionRule


@click.command(
    "report",
    short_help="Show a stored run again, or write it in other formats.",
    epilog="Everything is computed again from what was measured. Exit codes are those of kab run; "
    "a run that was interrupted counts as one of which requests weren't sent.",
)
@click.argument("path", metavar="RUN.json", shell_complete=completion.files)
@exports.export_options(exports.OF_RUN)
@requirement_options
@judging_options("as in the run", "speed-up")
@click.option(
    "-v", "--verbose", is_flag=True, help="A line for each response, and for each connection."
)
@click.option("--no-plot", is_flag=True, help="No histograms below the table.")
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR set).")
def command(  # noqa: PLR0913  # its options
    path: str,
    *,
    strict: bool,
    verbose: bool,
    no_plot: bool,
    no_color: bool,
    confidence: float | None,
    margin: float | None,
    requirements: tuple[str, ...],
    **files: object,
) -> ExitCode:
    """Print what kab run printed of a run that it stored with --json; - is standard input.

    \b
    kab report run.json --html run.html --csv rows.csv.gz
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same
    from keepalive_bench.cli.stored_run import (  # noqa: PLC0415  # the same
        check_requirements,
        judged,
        load,
    )

    wanted = exports.wanted(files)
    shown = Screen(wanted.values(), color=not no_color, verbose=verbose)
    stored = load(path)
    check_requirements(stored, path)
    run = judged(stored, confidence, margin, requirements)
    _announce(stored.plan.decision_rule, run.plan.decision_rule, shown)
    report = session.report_of(run, strict=strict)
    try:
        with exports.opened(wanted) as opened:
            opened.write(report)
    finally:
        if verbose:
            session.show_exchanges(run, shown)
            session.show_connections(report, shown)
        session.show(report, shown, plotted=not no_plot)
    return shown.code(session.exit_code(report, stored=True))


def _announce(stored: DecisionRule, decision_rule: DecisionRule, shown: Screen) -> None:
    if _said(decision_rule) != _said(stored):
        shown.remark(f"Judged at {_said(decision_rule)}; the run itself was at {_said(stored)}.")


def _said(decision_rule: DecisionRule) -> str:
    return (
        f"{100 * decision_rule.confidence:g} % confidence, {100 * decision_rule.margin:g} % margin"
    )
