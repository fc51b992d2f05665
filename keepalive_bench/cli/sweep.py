"""`kab sweep URL`: which value of an option does this traffic need?"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.configuration import configured, nearest
from keepalive_bench.cli.options import requirement_options, shared_options
from keepalive_bench.cli.output_file import one_of_several
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.plan.load import TRAFFICS

if TYPE_CHECKING:
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.plan.load import Traffic
    from keepalive_bench.plan.plan import Plan

_BOTH = "both"


@click.command(
    "sweep",
    short_help="Which maxsize, or concurrency, does this traffic need?",
    epilog="One of --maxsize, --concurrency and --data-size has several values. All values "
    "take turns in one experiment, in random order, each with a pool of its own; all else is as in "
    "kab run, exit codes too. docs/sweep.md says how it is done, and what is counted.",
)
@click.argument("url", required=False)
@click.option(
    "--maxsize",
    metavar="N[,N…]",
    help="Connections that a pool keeps.  [default: 1, 2, 4 and so on, up to twice the "
    "concurrency; the concurrency, where something else has several values]",
)
@click.option(
    "-c",
    "--concurrency",
    metavar="N[,N…]",
    default="8",
    show_default=True,
    help="Threads that share a pool.",
)
@click.option(
    "--data-size",
    metavar="SIZE,SIZE[,…]",
    help="Send a body of that many bytes: 1kB,100kB (POST, if no --method is given).",
)
@click.option(
    "--traffic",
    type=click.Choice((*TRAFFICS, _BOTH)),
    default="bursts",
    show_default=True,
    help="Bursts: all threads send one request at once, then wait for each other. Steady: no "
    "thread ever pauses. Both: one sweep after the other; of FILE.json, FILE-bursts.json and "
    "FILE-steady.json are written.",
)
@click.option(
    "--block/--no-block",
    default=False,
    help="Wait for a free connection, rather than open one more than maxsize.",
)
@click.option(
    "-n",
    "--requests",
    type=int,
    help="Requests with each value.  [default: 50 a thread in bursts, 100 in steady traffic; no "
    "limit with --duration]",
)
@click.option(
    "-z",
    "--duration",
    metavar="TIME",
    help="Measure for that long, all values together: 30s, 2m; or until --requests are sent.",
)
@click.option("--seed", type=int, help="Makes the random order repeatable.  [default: drawn]")
@click.option(
    "--warmup",
    type=int,
    default=1,
    show_default=True,
    help="Requests with each value beforehand, on pools of their own; not counted.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    help="Go on with a value though its first 5 requests all failed.",
)
@shared_options
@requirement_options
@exports.export_options(exports.OF_RUN)
@configured
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR set).")
def command(
    url: str | None,
    *,
    strict: bool,
    quiet: bool,
    no_color: bool,
    **options: Any,  # noqa: ANN401  # Click's own values
) -> ExitCode:
    """Send the same traffic through pools of several sizes, and say which size it needs.

    \b
    kab sweep https://api.example.com/ --maxsize 1,2,4,8,16 --concurrency 8
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same
    from keepalive_bench.cli.sweeping import sweep_plan  # noqa: PLC0415  # the same

    if url is None:
        raise UsageError("There is no URL: kab sweep URL, or url in a file of options (--config).")
    wanted = exports.wanted(options)
    traffic = options.pop("traffic")
    traffics = TRAFFICS[::-1] if traffic == _BOTH else (traffic,)
    given = nearest(options)
    plans = [sweep_plan(url, each, **given) for each in traffics]
    targets = [wanted] if traffic != _BOTH else [_named(wanted, each) for each in traffics]
    shown = Screen(wanted.values(), color=not no_color, quiet=quiet)
    codes: list[ExitCode] = []
    with ExitStack() as stack:
        files = [stack.enter_context(exports.opened(paths)) for paths in targets]
        for plan, its_files in zip(plans, files, strict=True):
            if codes:
                shown.out.print()
            session.announce(plan, shown)
            codes.append(_measured(plan, shown, its_files, strict=strict))
            if codes[-1] == ExitCode.INTERRUPTED:
                break
    return shown.code(ExitCode.first_of(codes))


def _named(wanted: dict[str, str], traffic: Traffic) -> dict[str, str]:
    """The files of one of two sweeps: each holds one run."""
    return {dialect: one_of_several(path, traffic) for dialect, path in wanted.items()}


def _measured(plan: Plan, shown: Screen, files: exports.Exports, *, strict: bool) -> ExitCode:
    """Carry out one sweep, show it and write it."""
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without

    with session.deferred_interrupts() as interrupts:
        report = session.report_of(session.measure(plan, shown, interrupts), strict=strict)
        try:
            files.write(report)
        finally:  # what was measured is shown though its file could not be written
            session.show(report, shown, plotted=False)
        if interrupts.drain():  # since then; there may be another sweep to come
            return ExitCode.INTERRUPTED
    return session.exit_code(report)
