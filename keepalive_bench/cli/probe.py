"""`kab probe URL`: how long does this endpoint keep a connection?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.configuration import CONFIGURATION
from keepalive_bench.cli.options import (
    GITHUB,
    NO_COLOR,
    QUIET,
    REQUIRE,
    STRICT,
    VERBOSE,
    Command,
    Url,
)
from keepalive_bench.plan.fields import in_groups
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.plan.probing import probe_options

if TYPE_CHECKING:
    from keepalive_bench.errors import ExitCode
    from keepalive_bench.plan.options import Asked

DRY_RUN = Option(
    form="switch",
    parse=bool,
    group="Probe",
    spelling="--dry-run",
    help="Say what would be sent, and when; send nothing.",
    example=Example("--dry-run", "Nothing was sent", "said"),
)
_MISSED = Example("--require 'persistence==closed'", "4", "exit code")
_ANNOTATED = Example(f"{_MISSED.words} --github", "::error title=Missed", "said")
_UNDECIDED = Example("--require 'lifetime>=1s' --strict", "4", "exit code")
_DETAILED = Example("-v", "watched 1", "said")
_UNTOLD = Example("--quiet", "at most", "unremarked")


@click.command(
    "probe",
    cls=Command,
    options=(
        *in_groups(
            (
                *probe_options(),
                DRY_RUN,
                replace(
                    REQUIRE,
                    help="End with 4 unless it holds: 'idle_timeout>=60s', 'silent_drop>=350s'; "
                    "see kab explain requirements.",
                    example=_MISSED,
                ),
                replace(STRICT, example=_UNDECIDED),
            )
        ),
        *exports.OF_PROBE,
        replace(GITHUB, example=_ANNOTATED),
        *CONFIGURATION,
        replace(VERBOSE, help="Tell more, and show each connection.", example=_DETAILED),
        replace(QUIET, example=_UNTOLD),
        NO_COLOR,
    ),
    short_help="How long does an endpoint keep a connection?",
    epilog="It sends GET of the URL, and of nothing else unless it is asked to; no redirect is "
    "followed. Exit codes, the first that applies: 130 interrupted, 2 usage, 1 no response came, "
    "4 a requirement was missed, 3 some connections got no response, 0 measured.",
)
@click.argument("url", required=False, cls=Url)
def command(asked: Asked, url: str) -> ExitCode:
    """Find out when idle connections end, and how, without load; and say what to set.

    \b
    kab probe https://api.example.com/health
    kab probe http://10.0.0.5:8000/health --behind 'ALB 60s'
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import probing  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.cli.planning import probe_plan  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same

    plan = probe_plan(url, asked)
    required = probing.requirements(asked.each(REQUIRE))
    wanted = exports.wanted(asked)
    shown = Screen(wanted.values(), asked)
    if asked[DRY_RUN]:
        return probing.told(plan, required, shown)
    with exports.opened(wanted) as files, probing.deferred_interrupts() as interrupts:
        report = probing.probed(plan, required, shown, interrupts, strict=asked[STRICT] is True)
        try:
            files.write(report)
        finally:
            probing.show(report, shown)
    return shown.code(probing.exit_code(report))
