"""The options of a measuring command, and the plan that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepalive_bench.cli import inputs
from keepalive_bench.errors import UsageError
from keepalive_bench.model.plan import (
    KINDS,
    ORDERS,
    Experiment,
    Network,
    Plan,
    Request,
    Target,
    Tls,
    Variation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_FILE = click.Path(path_type=Path)
_READABLE = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)

_EXPERIMENT = (
    click.option(
        "-n", "--requests", type=int, default=50, show_default=True, help="Requests of each arm."
    ),
    click.option(
        "--maxsize", type=int, help="Connections that the pool keeps.  [default: the concurrency]"
    ),
    click.option(
        "-c",
        "--concurrency",
        type=int,
        default=1,
        show_default=True,
        help="Threads that share the pool.",
    ),
    click.option(
        "--block/--no-block",
        default=False,
        help="Wait for a free connection, rather than open one more than maxsize.",
    ),
    click.option(
        "--arm",
        "arms",
        multiple=True,
        metavar="[LABEL=]KIND",
        help=f"A way of treating connections: {', '.join(KINDS)}. Repeat it to name the arms; the "
        "first is compared with each other one, and two labels of one kind make an A/A "
        "experiment.  [default: pooled, unpooled]",
    ),
    click.option(
        "--order",
        type=click.Choice(ORDERS),
        help="Arms in turns, in random order, or one after the other.  [default: paired; "
        "sequential where maxsize is below the concurrency]",
    ),
    click.option("--seed", type=int, help="Makes the random order repeatable.  [default: drawn]"),
    click.option(
        "--warmup",
        type=int,
        default=1,
        show_default=True,
        help="Requests of each arm beforehand, on pools of their own; not counted.",
    ),
    click.option(
        "--keep-going",
        is_flag=True,
        help="Go on with an arm though its first 5 requests all failed.",
    ),
)

_REQUEST = (
    click.option(
        "-X", "--method", help="Request method.  [default: GET, with a body POST]", metavar="METHOD"
    ),
    click.option(
        "-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Header field."
    ),
    click.option(
        "-d",
        "--data",
        multiple=True,
        metavar="TEXT|@FILE|-",
        help="Request body; a file's bytes as they are; - is standard input.",
    ),
    click.option("-u", "--user", metavar="USER:PASSWORD", help="Basic authentication."),
    click.option("-A", "--user-agent", help="User agent.  [default: kab and its version]"),
    click.option(
        "-f",
        "--field",
        "fields",
        multiple=True,
        metavar="NAME=VALUE",
        help="Query parameter. One name with several values: request by request the next.",
    ),
    click.option(
        "--fields-file",
        type=_FILE,
        help="CSV with a header, or JSON Lines: query parameters, a row a request, in turns.",
    ),
    click.option(
        "--vary",
        "unique",
        multiple=True,
        metavar="NAME",
        help="Query parameter with a value of its own in each request.",
    ),
    click.option(
        "--no-vary",
        is_flag=True,
        help="Don't add kab=i to the i-th request where nothing else varies it.",
    ),
)

_NETWORK = (
    click.option(
        "-t",
        "--timeout",
        type=float,
        default=30.0,
        show_default=True,
        help="Seconds for a whole exchange, the body included.",
    ),
    click.option(
        "--connect-timeout",
        type=float,
        help="Seconds for name, TCP and TLS together.  [default: the timeout]",
    ),
    click.option("-k", "--insecure", is_flag=True, help="Don't check the server's certificate."),
    click.option("--cacert", type=_READABLE, help="Certificates to trust, PEM."),
    click.option("-4", "--ipv4", is_flag=True, help="Use IPv4 only."),
    click.option("-6", "--ipv6", is_flag=True, help="Use IPv6 only."),
)


def plan_options(command: _Command) -> _Command:
    """Add the options that `plan_from_options` takes."""
    for option in reversed(_EXPERIMENT + _REQUEST + _NETWORK):
        command = option(command)
    return command


def plan_from_options(url: str, **given: Any) -> Plan:  # noqa: ANN401  # Click's own values
    """The plan that a command line asks for.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    experiment = _experiment(given)
    return Plan(Target(url), _request(given), _tls(given), _network(given), experiment)


def _experiment(given: dict[str, Any]) -> Experiment:
    optional: dict[str, Any] = {}
    if given["seed"] is not None:
        optional["seed"] = given["seed"]
    if given["arms"]:
        optional["arms"] = tuple(inputs.parse_arm(text) for text in given["arms"])
    return Experiment(
        requests=given["requests"],
        concurrency=given["concurrency"],
        maxsize=given["maxsize"],
        block=given["block"],
        order=given["order"],
        warmup=given["warmup"],
        keep_going=given["keep_going"],
        **optional,
    )


def _request(given: dict[str, Any]) -> Request:
    body = inputs.read_body(given["data"])
    return Request(
        method=("GET" if body is None else "POST") if given["method"] is None else given["method"],
        headers=tuple(inputs.parse_header(text) for text in given["headers"]),
        body=body,
        credentials=inputs.parse_user(given["user"]) if given["user"] is not None else None,
        user_agent=given["user_agent"],
        variation=Variation(
            fields=inputs.parse_fields(given["fields"]),
            rows=inputs.read_rows(given["fields_file"]),
            unique=given["unique"],
            counter=not given["no_vary"],
        ),
    )


def _tls(given: dict[str, Any]) -> Tls:
    if given["insecure"] and given["cacert"]:
        raise UsageError("--insecure and --cacert contradict each other: leave one out.")
    return Tls(verify=not given["insecure"], ca_file=given["cacert"])


def _network(given: dict[str, Any]) -> Network:
    if given["ipv4"] and given["ipv6"]:
        raise UsageError("--ipv4 and --ipv6 contradict each other: leave one out.")
    return Network(
        ip_version=4 if given["ipv4"] else 6 if given["ipv6"] else None,
        timeout_s=given["timeout"],
        connect_timeout_s=given["connect_timeout"],
    )
