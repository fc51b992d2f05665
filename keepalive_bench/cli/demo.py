"""`kab demo`: the main job on the embedded server."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli.options import NO_COLOR, Command
from keepalive_bench.errors import ExitCode
from keepalive_bench.plan.plan import Experiment, Plan, Request, Target, Tls, Variation
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked

_ANSWER = Behaviour(delay_s=0.002, keep_alive_header="timeout=5")
_FIELDS = (("q", ("python", "php")), ("v", ("1.0",)))


@click.command(
    "demo",
    cls=Command,
    options=(NO_COLOR,),
    short_help="The main job, on a server of its own.",
)
def command(asked: Asked) -> ExitCode:
    """Start a server on loopback, run the main job on HTTP and on HTTPS, and stop it again."""
    # --help and completion do without.
    from keepalive_bench.cli import session  # noqa: PLC0415
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415
    from keepalive_bench.engine.limits import naming_limits  # noqa: PLC0415

    shown = Screen((), asked)
    codes = []
    for tls in (False, True):
        with naming_limits("The demo's server can't be started", "end other programs"):
            server = ServerProcess(ServerSettings(behaviour=_ANSWER, tls=tls))
        with server:
            plan = Plan(
                Target(f"{server.url}/search"),
                Request(variation=Variation(fields=_FIELDS)),
                Tls(ca_file=CERTIFICATE),
                experiment=Experiment(maxsize=1),
            )
            report = session.report_of(session.measure(plan, shown))
        session.show(report, shown, plotted=False)
        shown.out.print()
        codes.append(session.exit_code(report))
        if codes[-1] == ExitCode.INTERRUPTED:
            break
    else:
        said = f"With a URL of your own:  {_program()} run URL --requests 50 --maxsize 1"
        shown.out.print(said, soft_wrap=True)  # to be copied
    return ExitCode.first_of(codes)


def _program() -> str:
    """What to type for kab, as long as it isn't installed, too."""
    called = Path(sys.argv[0])
    if called.stem != "kab":
        return "python -m keepalive_bench"
    return "kab" if which("kab") else printable(str(called))
