"""`kab serve`: the embedded server, to try things on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from keepalive_bench.cli.inputs import parse_header
from keepalive_bench.server import CERTIFICATE, Behaviour, Settings, serve_forever

_VERSIONS = click.Choice(["1.2", "1.3"])


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
    "--body-size", type=int, default=1024, show_default=True, help="Bytes of each response's body."
)
@click.option("--delay", "delay_s", type=float, default=0.0, help="Seconds before each response.")
@click.option("--status", type=int, default=200, show_default=True, help="Status code.")
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
    "--idle-timeout", "idle_timeout_s", type=float, help="Close after so many idle seconds."
)
@click.option("--connection-close", is_flag=True, help="Answer `Connection: close`, and do so.")
@click.option("--http-10", is_flag=True, help="Answer as HTTP/1.0 does.")
@click.option(
    "--keep-alive-header", metavar="VALUE", help="A `Keep-Alive` header: timeout=5, max=100."
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
    record: Path | None,
    headers: tuple[str, ...],
    **behaviour: Any,  # noqa: ANN401  # Click's own values
) -> None:
    """Serve HTTP/1.1 on loopback until Ctrl-C; then tell how many connections were accepted.

    GET /stats tells it meanwhile (and counts itself).
    """
    settings = Settings(
        behaviour=Behaviour(headers=tuple(parse_header(text) for text in headers), **behaviour),
        host=host,
        port=port,
        allow_remote=allow_remote,
        tls=tls,
        tls_min=tls_min,
        tls_max=tls_max,
        record=record,
    )
    if tls:
        click.echo(f"To trust it: kab run --cacert {CERTIFICATE} URL", err=True)
    serve_forever(settings, sys.stdout)
