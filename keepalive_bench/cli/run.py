"""`kab run URL`: the main job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.configuration import CONFIGURATION
from keepalive_bench.cli.dask_options import DASK, OPTIONS, check_alone
from keepalive_bench.cli.options import (
    CURL,
    GITHUB,
    NO_COLOR,
    NO_PLOT,
    QUIET,
    REQUIRE,
    STRICT,
    VERBOSE,
    Command,
    Url,
)
from keepalive_bench.plan.fields import in_groups, options_of
from keepalive_bench.plan.options import Example
from keepalive_bench.plan.plan import Plan

if TYPE_CHECKING:
    from keepalive_bench.errors import ExitCode
    from keepalive_bench.plan.options import Asked


@click.command(
    "run",
    cls=Command,
    options=(
        *in_groups((*options_of(Plan), CURL)),
        STRICT,
        *OPTIONS,
        *exports.EXPORTERS,
        GITHUB,
        *CONFIGURATION,
        VERBOSE,
        replace(NO_PLOT, example=Example("-n 30 --no-plot", "latency distribution", "unsaid")),
        QUIET,
        NO_COLOR,
    ),
    short_help="Compare pooled with unpooled requests.",
    epilog="Different from curl: -f is always a query parameter, -n the number of requests, -c "
    "the concurrency, -t the timeout; -b reads no file, -x takes a whole URL. No redirect is "
    "followed, nothing is retried, no compression is asked for, and http_proxy is not used.",
)
@click.argument("url", required=False, cls=Url)
def command(asked: Asked, url: str) -> ExitCode:
    """Send N requests through a pool, N on a new connection each, and compare.

    \b
    kab run https://api.example.com/search -f q=python -f q=php -n 50 --maxsize 1
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.planning import run_plan  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same

    check_alone(asked)
    demanded: tuple[str, ...] = ()
    if asked[DASK] is not None:  # requirements are on places then
        demanded = asked.each(REQUIRE)
        asked.put(REQUIRE, ())
    plan = run_plan(url, asked)
    wanted = exports.wanted(asked)
    shown = Screen(wanted.values(), asked)
    if asked[DASK] is not None:
        from keepalive_bench.cli.on_dask import carry_out  # noqa: PLC0415  # few runs need it

        with exports.opened(wanted) as files, session.deferred_interrupts() as interrupts:
            return shown.code(carry_out(plan, demanded, asked, shown, files, interrupts))
    strict, plotted = asked[STRICT] is True, not asked[NO_PLOT]
    with exports.opened(wanted) as files, session.deferred_interrupts() as interrupts:
        code = session.carry_out(plan, shown, files, interrupts, strict=strict, plotted=plotted)
    return shown.code(code)
