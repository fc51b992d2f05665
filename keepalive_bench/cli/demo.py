"""`kab demo`: the main job on the embedded server."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli.dask_options import DASK
from keepalive_bench.cli.options import NO_COLOR, Command
from keepalive_bench.errors import ExitCode
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.plan.plan import Experiment, Plan, Request, Target, Tls, Variation
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.plan.options import Asked

_ANSWER = Behaviour(delay_s=0.002, keep_alive_header="timeout=5")
_FIELDS = (("q", ("python", "php")), ("v", ("1.0",)))


PLACES = Option(
    form="switch",
    parse=bool,
    spelling="--places",
    help="Run it on four workers of a Dask cluster on this machine.",
    more="It needs the extra dask.",
    example=Example("--places", "4 places sent", "said"),
)
_NAMES = ("one", "two", "three", "four")


@click.command(
    "demo",
    cls=Command,
    options=(PLACES, NO_COLOR),
    short_help="The main job, on a server of its own.",
)
def command(asked: Asked) -> ExitCode:
    """Start a server on loopback, run the main job on HTTP and on HTTPS, and stop it again."""
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # --help and completion do without

    return (_at_places if asked[PLACES] else _here)(asked, Screen((), asked))


def _here(asked: Asked, shown: Screen) -> ExitCode:
    from keepalive_bench.cli import session  # noqa: PLC0415  # --help and completion do without

    del asked
    codes = []
    for tls in (False, True):
        with _server(tls=tls) as server:
            report = session.report_of(session.measure(_plan(server), shown))
        session.show(report, shown, plotted=False)
        shown.out.print()
        codes.append(session.exit_code(report))
        if codes[-1] == ExitCode.INTERRUPTED:
            break
    else:
        said = f"With a URL of your own:  {_program()} run URL --requests 50 --maxsize 1"
        shown.out.print(said, soft_wrap=True)  # to be copied
    return ExitCode.first_of(codes)


def _at_places(asked: Asked, shown: Screen) -> ExitCode:
    # --help and completion do without.
    from keepalive_bench.cli import session  # noqa: PLC0415
    from keepalive_bench.cli.exports import opened  # noqa: PLC0415
    from keepalive_bench.cli.on_dask import carry_out, check_installed  # noqa: PLC0415

    check_installed("--places")
    from keepalive_bench.places.on_dask.local import local_cluster  # noqa: PLC0415

    with _server(tls=False) as server, local_cluster(_NAMES) as scheduler, opened({}) as files:
        asked.put(DASK, scheduler)
        with session.deferred_interrupts() as interrupts:
            code = carry_out(_plan(server), (), asked, shown, files, interrupts)
    said = f"With workers of your own:  {_program()} run URL --dask tcp://scheduler:8786"
    shown.out.print(f"\n{said}", soft_wrap=True)  # to be copied
    return code


@contextmanager
def _server(*, tls: bool) -> Iterator[ServerProcess]:
    from keepalive_bench.engine.limits import naming_limits  # noqa: PLC0415  # as above

    with naming_limits("The demo's server can't be started", "end other programs"):
        server = ServerProcess(ServerSettings(behaviour=_ANSWER, tls=tls))
    with server:
        yield server


def _plan(server: ServerProcess) -> Plan:
    return Plan(
        Target(f"{server.url}/search"),
        Request(variation=Variation(fields=_FIELDS)),
        Tls(ca_file=CERTIFICATE),
        experiment=Experiment(maxsize=1),
    )


def _program() -> str:
    """What to type for kab, as long as it isn't installed, too."""
    called = Path(sys.argv[0])
    if called.stem != "kab":
        return "python -m keepalive_bench"
    return "kab" if which("kab") else printable(str(called))
