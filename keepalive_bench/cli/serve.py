"""`kab serve`: the embedded server, to try things on."""

from __future__ import annotations

import gc
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepalive_bench.cli.options import Command, Immediate
from keepalive_bench.cli.reading import check_file
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, Group, Option
from keepalive_bench.plan.values import parse_header, parse_time
from keepalive_bench.server import FAULTS, Behaviour, Fault, ServerSettings, serve_forever

if TYPE_CHECKING:
    from dataclasses import Field

    from keepalive_bench.plan.options import Asked
    from keepalive_bench.server.behaviour import ServerOption

_NUMBERS = "3, 3-, 2-4, or */3"
_GROUPS: dict[Group, set[str]] = {
    "TLS": {"tls", "tls_min", "tls_max", "certificate", "key"},
    "Response": {*("body_size", "delay_s", "status", "reason", "chunked", "http_10")},
    "Connection": {
        *("close_after", "silent_close_after", "idle_timeout_s", "max_age_s", "connection_close"),
        *("keep_alive_header", "keep_alive_max"),
    },
}
"""The headings of fields; of all others it is `Server`."""


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


_HEADER = Option(
    form="repeatable",
    group="Response",
    parse=parse_header,
    spelling="-H, --header 'NAME: VALUE'",
    help="Response header.",
    example=Example("-H 'X-A: 1' -H 'X-B: 2'", "X-A: 1\r\nX-B: 2\r\n", "served"),
)
_FAULT = Option(
    parse=str,
    group="Faults",
    spelling="--fault NAME[=PARAMETER]",
    help="Go wrong in this way.",
    example=Example("--fault odd-length=nonsense", "Content-Length: nonsense", "served"),
)
_FAULT_REQUESTS = Option(
    parse=str,
    group="Faults",
    spelling="--fault-requests NUMBERS",
    help=f"Only on these requests of a connection: {_NUMBERS}.",
    example=Example("--fault close-on-request --fault-requests 2", "closed after 1", "served"),
)
_FAULT_CONNECTIONS = Option(
    parse=str,
    group="Faults",
    spelling="--fault-connections NUMBERS",
    help="Only on these connections: 1 is the first accepted.",
    example=Example("--fault close-on-request --fault-connections 2", "open after 2", "served"),
)
_LIST_FAULTS = Immediate(
    form="switch",
    parse=bool,
    group="Faults",
    spelling="--list-faults",
    help="List all faults and exit.",
    example=Example("--list-faults", "idle-408[=", "served"),
    act=_list_faults,
)


def _options_of(kind: type[Behaviour | ServerSettings]) -> dict[str, Option[Any]]:
    """The options that its fields declare, by the names of the fields."""
    return {it.name: _option(it) for it in fields(kind) if "option" in it.metadata}


def _option(field: Field[Any]) -> Option[Any]:
    it: ServerOption = field.metadata["option"]
    told = f"  [default: {field.default}]" if field.default and it.parse in {int, str} else ""
    return Option(
        form="switch" if it.parse is bool else "value",
        parse=parse_time if it.parse is float else it.parse,
        choices=it.choices,
        source="file" if it.parse is Path else "path" if it.metavar.endswith("FILE") else "text",
        spelling=f"--{field.name.removesuffix('_s').replace('_', '-')} {it.metavar}".rstrip(),
        help=f"{it.line}{told}",
        group=next((group for group, names in _GROUPS.items() if field.name in names), "Server"),
        example=Example(*it.example, "served"),
    )


_OF_BEHAVIOUR, _OF_SETTINGS = _options_of(Behaviour), _options_of(ServerSettings)
_CERTIFICATE, _KEY = _OF_SETTINGS["certificate"], _OF_SETTINGS["key"]


@click.command(
    "serve",
    cls=Command,
    options=(
        *_OF_SETTINGS.values(),
        *_OF_BEHAVIOUR.values(),
        _HEADER,
        _FAULT,
        _FAULT_REQUESTS,
        _FAULT_CONNECTIONS,
        _LIST_FAULTS,
    ),
    short_help="An HTTP/1.1 server to try things on.",
)
def command(asked: Asked) -> None:
    """Serve HTTP/1.1 on loopback until Ctrl-C; then tell how many connections were accepted.

    GET /stats tells it meanwhile (and counts itself).

    Whatever breaks reuse elsewhere can be tried here: --fault makes the server go wrong.
    """
    for option in (_CERTIFICATE, _KEY):
        check_file(asked[option], option.flag)
    behaviour = Behaviour(**_given(_OF_BEHAVIOUR, asked), headers=asked.each(_HEADER))
    given = _given(_OF_SETTINGS, asked)
    given["tls"] = "tls" in given or "certificate" in given
    settings = ServerSettings(**given, behaviour=behaviour, fault=_fault(asked))
    if settings.tls:
        click.echo(f"To trust it: kab run --cacert {settings.certificate} URL", err=True)
    gc.freeze()  # what was imported stays
    gc.enable()
    serve_forever(settings, sys.stdout)


def _given(options: dict[str, Option[Any]], asked: Asked) -> dict[str, Any]:
    return {name: asked[option] for name, option in options.items() if option in asked}


def _fault(asked: Asked) -> Fault | None:
    text, requests, connections = asked[_FAULT], asked[_FAULT_REQUESTS], asked[_FAULT_CONNECTIONS]
    if text is not None:
        return Fault.parse(text, requests=requests or "*", connections=connections or "*")
    if requests or connections:
        raise UsageError("What goes wrong on these requests or connections? Name a --fault.")
    return None
