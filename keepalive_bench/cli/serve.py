"""`kab serve`: the embedded server, to try things on."""

from __future__ import annotations

import gc
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepalive_bench.cli import completion
from keepalive_bench.cli.options import TIME
from keepalive_bench.cli.reading import check_file
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.values import parse_header
from keepalive_bench.server import (
    CERTIFICATE,
    CERTIFICATES,
    FAULTS,
    Behaviour,
    Fault,
    ServerSettings,
    serve_forever,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import Field

_BAD = [name for name, path in CERTIFICATES.items() if path != CERTIFICATE]
_NUMBERS = "3, 3-, 2-4, or */3 for every third"
_TYPES: dict[type, Any] = {float: TIME, Path: click.Path(path_type=Path)}


def _list_faults(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # Click's way
    """Say of every fault what happens on the wire."""
    if not wanted or context.resilient_parsing:
        return
    for name, kind in FAULTS.items():
        parameter = kind.parameter
        usage = f"{name}[={parameter.name}]" if parameter else name
        default = f"  [default: {parameter.default!a}]" if parameter else ""
        click.echo(f"{usage:<28}{kind.line}{default}")
    context.exit()


_BY_HAND = {
    "certificate": [
        click.Option(
            ["--certificate"],
            metavar="NAME|FILE",
            shell_complete=completion.words(CERTIFICATES, or_files=True),
            help=f"HTTPS with another certificate: {', '.join(_BAD)}, or a PEM file.",
        )
    ],
    "headers": [
        click.Option(
            ["-H", "--header", "headers"],
            multiple=True,
            metavar="'NAME: VALUE'",
            help="Response header.",
        )
    ],
    "fault": [
        click.Option(
            ["--fault"],
            metavar="NAME[=PARAMETER]",
            shell_complete=completion.words(FAULTS),
            help="Go wrong in this way (see --list-faults).",
        ),
        click.Option(
            ["--fault-requests"],
            metavar="NUMBERS",
            help=f"Go wrong only on these requests of a connection: {_NUMBERS}.",
        ),
        click.Option(
            ["--fault-connections"],
            metavar="NUMBERS",
            help="Go wrong only on these connections, numbered as they are accepted.",
        ),
        click.Option(
            ["--list-faults"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_list_faults,
            help="Name all faults, with their parameters' defaults, and exit.",
        ),
    ],
}
"""The options of fields whose values Click can't read by itself."""


def _options_of(field: Field[Any]) -> Iterator[click.Option]:
    if field.name == "behaviour":
        for each in fields(Behaviour):
            yield from _options_of(each)
    elif field.name in _BY_HAND:
        yield from _BY_HAND[field.name]
    else:
        line, kind, metavar = field.metadata["option"]
        yield click.Option(
            [f"--{field.name.removesuffix('_s').replace('_', '-')}", field.name],
            type=click.Choice(kind) if isinstance(kind, tuple) else _TYPES.get(kind, kind),
            is_flag=kind is bool,
            default=field.default,
            show_default=kind is not bool and bool(field.default),
            metavar=metavar,
            help=line,
        )


@click.command(
    "serve",
    short_help="An HTTP/1.1 server to try things on.",
    params=[option for field in fields(ServerSettings) for option in _options_of(field)],
)
def command(
    *,
    certificate: str | None,
    fault: str | None,
    fault_requests: str | None,
    fault_connections: str | None,
    **values: Any,  # noqa: ANN401  # Click's own, each for the field that it is named after
) -> None:
    """Serve HTTP/1.1 on loopback until Ctrl-C; then tell how many connections were accepted.

    GET /stats tells it meanwhile (and counts itself).

    Whatever breaks reuse elsewhere can be tried here: --fault makes the server go wrong.
    """
    served = CERTIFICATES.get(certificate or "loopback") or Path(str(certificate))
    check_file(served, "--certificate")
    check_file(values["key"], "--key")
    values["headers"] = tuple(parse_header(text) for text in values["headers"])
    behaviour = {field.name: values.pop(field.name) for field in fields(Behaviour)}
    values["tls"] = values["tls"] or certificate is not None
    settings = ServerSettings(
        behaviour=Behaviour(**behaviour),
        fault=_fault(fault, fault_requests, fault_connections),
        certificate=served,
        **values,
    )
    if settings.tls:
        click.echo(f"To trust it: kab run --cacert {settings.certificate} URL", err=True)
    gc.freeze()  # what was imported stays
    gc.enable()
    serve_forever(settings, sys.stdout)


def _fault(text: str | None, requests: str | None, connections: str | None) -> Fault | None:
    if text is not None:
        return Fault.parse(text, requests=requests or "*", connections=connections or "*")
    if requests or connections:
        raise UsageError("What goes wrong on these requests or connections? Name a --fault.")
    return None
