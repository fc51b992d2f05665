"""`kab serve`: the embedded server, to try things on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from keepalive_bench.cli import completion
from keepalive_bench.cli.options import TIME
from keepalive_bench.cli.reading import check_file
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.values import parse_header
from keepalive_bench.server import CERTIFICATES, FAULTS, Behaviour, Fault, Settings, serve_forever

_VERSIONS = click.Choice(["1.2", "1.3"])
_NUMBERS = "3, 3-, 2-4, or */3 for every third"


def list_faults(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # Click's way
    """Say of every fault what happens on the wire."""
    if not wanted or context.resilient_parsing:
        return
    for name, kind in FAULTS.items():
        parameter = kind.parameter
        usage = f"{name}[={parameter.name}]" if parameter else name
        default = f"  [default: {parameter.default!a}]" if parameter else ""
        click.echo(f"{usage:<28}{kind.line}{default}")
    context.exit()


@click.command("serve", short_help="An HTTP/1.1 server to try things on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=int, default=0, help="Port to bind.  [default: any that is free]")
@click.option(
    "--allow-remote", is_flag=True, help="Bind an address that other machines can reach, too."
)
@click.option("--tls", is_flag=True, help="Serve HTTPS, with a certificate for loopback only.")
@click.option("--tls-min", type=_VERSIONS, help="Lowest version of TLS.")
@click.option("--tls-max", type=_VERSIONS, help="Highest version of TLS.")
@click.option(
    "--certificate",
    metavar="NAME|FILE",
    shell_complete=completion.words(CERTIFICATES, or_files=True),
    help="HTTPS with another certificate: wrong-host, expired, untrusted, or a PEM file.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="The private key, where it isn't in the certificate's file.",
)
@click.option(
    "--body-size", type=int, default=1024, show_default=True, help="Bytes of each response's body."
)
@click.option(
    "--delay", "delay_s", type=TIME, default=0.0, help="Time before each response: 0.5, 500ms."
)
@click.option("--status", type=int, default=200, show_default=True, help="Status code.")
@click.option("--reason", metavar="TEXT", help="The words after the status code.")
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Response header."
)
@click.option("--chunked", is_flag=True, help="Send bodies in chunks.")
@click.option(
    "--close-after", type=int, metavar="N", help="Say so in the N-th response, then close."
)
@click.option(
    "--silent-close-after", type=int, metavar="N", help="Close after N responses, unannounced."
)
@click.option(
    "--idle-timeout", "idle_timeout_s", type=TIME, help="Close after so long without a request: 5s."
)
@click.option("--connection-close", is_flag=True, help="Answer `Connection: close`, and do so.")
@click.option("--http-10", is_flag=True, help="Answer as HTTP/1.0 does.")
@click.option(
    "--keep-alive-header", metavar="VALUE", help="A `Keep-Alive` header: timeout=5, max=100."
)
@click.option(
    "--keep-alive-max",
    type=int,
    metavar="N",
    help="Announce max=N, one less each time, and close after N + 1 responses, as Apache does.",
)
@click.option(
    "--fault",
    metavar="NAME[=PARAMETER]",
    shell_complete=completion.words(FAULTS),
    help="Go wrong in this way (see --list-faults).",
)
@click.option(
    "--fault-requests",
    "fault_requests",
    metavar="NUMBERS",
    help=f"Go wrong only on these requests of a connection: {_NUMBERS}.",
)
@click.option(
    "--fault-connections",
    "fault_connections",
    metavar="NUMBERS",
    help="Go wrong only on these connections, numbered as they are accepted.",
)
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_faults,
    help="Name all faults, with their parameters' defaults, and exit.",
)
@click.option("--record", type=click.Path(path_type=Path), help="Write each request to a file.")
def command(  # noqa: PLR0913  # one for each setting that is not the behaviour's
    *,
    host: str,
    port: int,
    allow_remote: bool,
    tls: bool,
    tls_min: str | None,
    tls_max: str | None,
    certificate: str | None,
    key: Path | None,
    record: Path | None,
    headers: tuple[str, ...],
    fault: str | None,
    fault_requests: str | None,
    fault_connections: str | None,
    **behaviour: Any,  # noqa: ANN401  # Click's own values
) -> None:
    """Serve HTTP/1.1 on loopback until Ctrl-C; then tell how many connections were accepted.

    GET /stats tells it meanwhile (and counts itself).

    Whatever breaks reuse elsewhere can be tried here: --fault makes the server go wrong.
    """
    served = _certificate(certificate or "loopback")
    check_file(served, "--certificate")
    check_file(key, "--key")
    settings = Settings(
        behaviour=Behaviour(
            headers=tuple(parse_header(text) for text in headers),
            fault=_fault(fault, fault_requests, fault_connections),
            **behaviour,
        ),
        host=host,
        port=port,
        allow_remote=allow_remote,
        tls=tls or certificate is not None,
        tls_min=tls_min,
        tls_max=tls_max,
        certificate=served,
        key=key,
        record=record,
    )
    if settings.tls:
        click.echo(f"To trust it: kab run --cacert {settings.certificate} URL", err=True)
    serve_forever(settings, sys.stdout)


def _fault(text: str | None, requests: str | None, connections: str | None) -> Fault | None:
    if text is not None:
        return Fault.parse(text, requests=requests or "*", connections=connections or "*")
    if requests or connections:
        raise UsageError("What goes wrong on these requests or connections? Name a --fault.")
    return None


def _certificate(named: str) -> Path:
    return CERTIFICATES.get(named) or Path(named)
