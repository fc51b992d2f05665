"""`kab sweep URL`: which value of an option does this traffic need?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.configuration import CONFIGURATION
from keepalive_bench.cli.options import (
    CURL,
    GITHUB,
    NO_COLOR,
    QUIET,
    STRICT,
    VERBOSE,
    Command,
    Url,
)
from keepalive_bench.cli.output_file import one_of_several
from keepalive_bench.errors import ExitCode
from keepalive_bench.plan.fields import in_groups
from keepalive_bench.plan.sweeping import sweep_options

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.plan import Plan


@click.command(
    "sweep",
    cls=Command,
    options=(
        *in_groups((*sweep_options(), CURL)),
        STRICT,
        *exports.EXPORTERS,
        GITHUB,
        *CONFIGURATION,
        VERBOSE,
        QUIET,
        NO_COLOR,
    ),
    short_help="Which maxsize, or concurrency, does this traffic need?",
    epilog="One of --maxsize, --concurrency and --data-size has several values. They take turns "
    "in random order, each with a pool of its own. All else is as in kab run.",
)
@click.argument("url", required=False, cls=Url)
def command(asked: Asked, url: str) -> ExitCode:
    """Send the same traffic through pools of several sizes, and say which size it needs.

    \b
    kab sweep https://api.example.com/ --maxsize 1,2,4,8,16 --concurrency 8
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.planning import sweep_plans  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same

    wanted = exports.wanted(asked)
    plans = sweep_plans(url, asked)
    targets = [wanted] if len(plans) == 1 else [_named(wanted, it) for it in plans]
    shown = Screen(wanted.values(), asked)
    codes: list[ExitCode] = []
    with ExitStack() as stack:
        files = [stack.enter_context(exports.opened(paths)) for paths in targets]
        interrupts = stack.enter_context(session.deferred_interrupts())
        for plan, its_files in zip(plans, files, strict=True):
            if codes:
                shown.out.print()
            strict = asked[STRICT] is True
            codes.append(session.carry_out(plan, shown, its_files, interrupts, strict=strict))
            if interrupts.drain():  # since it was measured
                codes.append(ExitCode.INTERRUPTED)
            if codes[-1] == ExitCode.INTERRUPTED:
                break
    return shown.code(ExitCode.first_of(codes))


def _named(wanted: dict[exports.Exporter, str], plan: Plan) -> dict[exports.Exporter, str]:
    """The files of one of two sweeps: each holds one run."""
    traffic = plan.experiment.load.traffic
    return {exporter: one_of_several(path, traffic) for exporter, path in wanted.items()}
