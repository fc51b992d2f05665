"""`kab report RUN.json`: a stored run, shown and written again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import (
    GITHUB,
    NO_COLOR,
    NO_PLOT,
    PATH,
    REQUIRE,
    SERVER,
    STRICT,
    VERBOSE,
    Command,
    judging,
)
from keepalive_bench.cli.reading import load_stored, run_name
from keepalive_bench.errors import ResultsFileError, UsageError

if TYPE_CHECKING:
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.errors import ExitCode
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.plan import DecisionRule
    from keepalive_bench.results.run import Run


@click.command(
    "report",
    cls=Command,
    options=(
        *exports.EXPORTERS,
        GITHUB,
        REQUIRE,
        STRICT,
        *judging("as in the run", "speed-up", "verdict.code"),
        replace(SERVER, group="Output"),
        VERBOSE,
        NO_PLOT,
        NO_COLOR,
    ),
    short_help="Show a stored run or probe again, or write it in other formats.",
    epilog="Everything is computed again from what was measured. Exit codes are those of kab run; "
    "a run that was interrupted counts as one of which requests weren't sent.",
)
@click.argument("path", metavar="RUN.json", type=PATH)
def command(asked: Asked, path: str) -> ExitCode:
    """Print what was printed of a run or a probe stored with --json; - is standard input.

    \b
    kab report run.json --html run.html --csv rows.csv.gz
    kab report probe.json --require 'idle_timeout>=60s'
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.planning import judged  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same
    from keepalive_bench.probe.record import ProbeRecord  # noqa: PLC0415  # the same

    wanted = exports.wanted(asked)
    shown = Screen(wanted.values(), asked)
    stored = load_stored(path)
    if isinstance(stored, ProbeRecord):
        from keepalive_bench.cli.probing import reported  # noqa: PLC0415  # few are

        return reported(stored, asked, shown)
    check_requirements(stored, path)
    run = stored._replace(plan=judged(stored.plan, asked))
    _announce(stored.plan.decision_rule, run.plan.decision_rule, shown)
    report = session.report_of(run, strict=asked[STRICT] is True)
    try:
        with exports.opened(wanted) as opened:
            opened.write(report)
    finally:
        if shown.verbose:
            session.show_exchanges(run, shown)
            session.show_connections(report, shown)
        session.show(report, shown, plotted=not asked[NO_PLOT])
    return shown.code(session.exit_code(report, stored=True))


def check_requirements(run: Run, path: str) -> None:
    """Hold what a stored run was required to be against what there are names for.

    Raises:
        ResultsFileError: a requirement in the file is none.
    """
    from keepalive_bench.requirements import requirements_of  # noqa: PLC0415  # --help does without

    try:
        requirements_of(run.plan)
    except UsageError as error:
        raise ResultsFileError(f"{run_name(path)} has a bad requirement. {error}") from None


def _announce(stored: DecisionRule, decision_rule: DecisionRule, shown: Screen) -> None:
    if _said(decision_rule) != _said(stored):
        shown.remark(f"Judged at {_said(decision_rule)}; the run itself was at {_said(stored)}.")


def _said(decision_rule: DecisionRule) -> str:
    return (
        f"{100 * decision_rule.confidence:g} % confidence, {100 * decision_rule.margin:g} % margin"
    )
