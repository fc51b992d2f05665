"""`kab demo`: the main job on the embedded server."""

from __future__ import annotations

import click

from keepalive_bench.errors import ExitCode
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings

_ANSWER = Behaviour(delay_s=0.002, keep_alive_header="timeout=5")
_OPTIONS = {"field": ("q=python", "q=php", "v=1.0"), "cacert": CERTIFICATE, "maxsize": 1}


@click.command("demo", short_help="The main job, on a server of its own.")
@click.option("--no-color", is_flag=True, help="No colours (as with NO_COLOR set).")
def command(*, no_color: bool) -> ExitCode:
    """Start a server on loopback, run the main job on HTTP and on HTTPS, and stop it again."""
    # --help and completion do without.
    from keepalive_bench.cli import session  # noqa: PLC0415
    from keepalive_bench.cli.planning import run_plan  # noqa: PLC0415
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415
    from keepalive_bench.engine.limits import naming_limits  # noqa: PLC0415

    shown = Screen((), color=not no_color)
    codes = []
    for tls in (False, True):
        with naming_limits("The demo's server can't be started", "end other programs"):
            server = ServerProcess(ServerSettings(behaviour=_ANSWER, tls=tls))
        with server:
            plan = run_plan(f"{server.url}/search", _OPTIONS)
            report = session.report_of(session.measure(plan, shown))
        session.show(report, shown, plotted=False)
        shown.out.print()
        codes.append(session.exit_code(report))
        if codes[-1] == ExitCode.INTERRUPTED:
            break
    else:
        shown.out.print("With a URL of your own:  kab run URL --requests 50 --maxsize 1")
    return ExitCode.first_of(codes)
