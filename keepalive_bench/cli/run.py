"""`kab run URL`: the main job."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from keepalive_bench.cli import session
from keepalive_bench.cli.options import plan_options
from keepalive_bench.cli.output_file import STDOUT, open_output
from keepalive_bench.cli.planning import plan_from_options

if TYPE_CHECKING:
    from keepalive_bench.errors import ExitCode


@click.command(
    "run",
    short_help="Compare pooled with unpooled requests.",
    epilog="Spellings are curl's and hey's where they have one. Different from curl: -f is always "
    "a query parameter, -n the number of requests, -c the concurrency, -t the timeout; -d @FILE "
    "keeps line ends, and -d - is standard input; -b reads no file; -T adds no name to the URL; -x "
    "takes a whole URL. "
    "No redirect is followed, nothing is retried, no compression is asked for. Proxies named in "
    "the environment (http_proxy, …) are not used.",
)
@click.argument("url")
@plan_options
@click.option("--json", "json_path", metavar="FILE", help="Write the results as JSON; - is stdout.")
@click.option(
    "-v", "--verbose", is_flag=True, help="A line for each response, and for each connection."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR set).")
def command(
    url: str,
    *,
    json_path: str | None,
    verbose: bool,
    quiet: bool,
    no_color: bool,
    **options: Any,  # noqa: ANN401  # Click's own values
) -> ExitCode:
    """Send N requests through a pool and N on a connection each, and compare them.

    \b
    kab run https://api.example.com/search -f q=python -f q=php --requests 50 --maxsize 1
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    plan = plan_from_options(url, **options)
    shown = session.screen(
        color=not no_color, quiet=quiet, verbose=verbose, results_only=json_path == STDOUT
    )
    analysis = None
    try:
        with ExitStack() as stack:
            results = stack.enter_context(open_output(json_path)) if json_path is not None else None
            session.announce(plan, shown)
            run = session.measure(plan, shown)
            analysis = session.analyse(run)
            if verbose:
                session.show_connections(run, analysis, shown)
            if results is not None:
                session.write(run, analysis, results)
    finally:  # what was measured is shown though its file could not be written
        if analysis is not None and (json_path != STDOUT or not analysis.has_answers):
            session.show(analysis, shown)
    return session.exit_code(analysis)
