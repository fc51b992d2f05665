"""`kab run URL`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.configuration import configured, nearest
from keepalive_bench.cli.options import Grouped, plan_options, strict_option
from keepalive_bench.plan.options import options_of
from keepalive_bench.plan.plan import Plan

if TYPE_CHECKING:
    from keepalive_bench.errors import ExitCode


@click.command(
    "run",
    cls=Grouped,
    short_help="Compare pooled with unpooled requests.",
    epilog="Spellings are curl's and hey's where they have one. Different from curl: -f is always "
    "a query parameter, -n the number of requests, -c the concurrency, -t the timeout; -d @FILE "
    "keeps line ends, and -d - is standard input; -b reads no file; -T adds no name to the URL; -x "
    "takes a whole URL. "
    "No redirect is followed, nothing is retried, no compression is asked for. Proxies named in "
    "the environment (http_proxy, …) are not used.",
)
@click.argument("url", required=False)
@plan_options(options_of(Plan))
@strict_option
@exports.export_options(exports.OF_RUN)
@configured
@click.option(
    "-v", "--verbose", is_flag=True, help="A line for each response, and for each connection."
)
@click.option("--no-plot", is_flag=True, help="No histograms below the table.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR set).")
def command(
    url: str | None,
    *,
    strict: bool,
    verbose: bool,
    no_plot: bool,
    quiet: bool,
    no_color: bool,
    **given: object,
) -> ExitCode:
    """Send N requests through a pool and N on a new connection each, and compare them.

    \b
    kab run https://api.example.com/search -f q=python -f q=php --requests 50 --maxsize 1
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.planning import run_plan  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same

    plan = run_plan(url, nearest(given))
    wanted = exports.wanted(given)
    shown = Screen(wanted.values(), color=not no_color, quiet=quiet, verbose=verbose)
    report = None
    with session.deferred_interrupts() as interrupts:
        try:
            with exports.opened(wanted) as files:
                session.announce(plan, shown)
                run = session.measure(plan, shown, interrupts)
                report = session.report_of(run, strict=strict)
                if verbose:
                    session.show_connections(report, shown, interrupts)
                files.write(report)
        finally:  # what was measured is shown though its file could not be written
            if report is not None:
                session.show(report, shown, plotted=not no_plot)
    return shown.code(session.exit_code(report))
