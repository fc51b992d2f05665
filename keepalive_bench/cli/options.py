"""The options of a measuring command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepalive_bench.cli import completion
from keepalive_bench.cli.inputs import TIME
from keepalive_bench.plan.experiment import ORDERS
from keepalive_bench.plan.load import TRAFFICS
from keepalive_bench.plan.network import TLS_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_FILE = click.Path(path_type=Path)
_READABLE = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)

_EXPERIMENT = (
    click.option(
        "-n",
        "--requests",
        type=int,
        help="Requests of each arm.  [default: 50, or 10 rounds of several at a time; 10,000 "
        "at most with --precision; no limit with --duration]",
    ),
    click.option(
        "-z",
        "--duration",
        metavar="TIME",
        help="Measure for that long, all arms together: 30s, 2m; or until --requests are sent.",
    ),
    click.option(
        "--precision",
        metavar="SHARE",
        help="Measure until the interval of the speed-up is as narrow on either side: 2%.",
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
        "--processes",
        type=int,
        default=1,
        show_default=True,
        help="Processes that share the requests, each with --concurrency threads and a pool of its "
        "own, because the threads of one process take turns.",
    ),
    click.option(
        "-q",
        "--rate",
        metavar="N[/s|/min|/h]",
        help="Start so many requests of each arm a second while it runs, whatever the answers do: "
        "200/s, 12000/min. Latency counts from when they were to start; --concurrency (of each "
        "process) is the most under way at once.  [default: the next when there is an answer]",
    ),
    click.option(
        "--think-time",
        metavar="TIME[-TIME]",
        help="Pause so long between an answer and the next request of a thread: 5s, 1s-5s.",
    ),
    click.option(
        "--traffic",
        type=click.Choice(TRAFFICS),
        default="steady",
        show_default=True,
        help="Each thread by itself; or in bursts: all start together, when all of the burst "
        "before are answered and have paused, or in step with --rate.",
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
        shell_complete=completion.arms,
        help="A way of treating connections: pooled; unpooled, a new one for each request; "
        "resumed, the same with TLS sessions taken up again (https only); naive, a new "
        "PoolManager for each request. Repeat it to name the arms; the first is compared with each "
        "other one, and two labels of one kind make an A/A experiment.  [default: pooled, "
        "unpooled]",
    ),
    click.option(
        "--order",
        type=click.Choice(ORDERS),
        help="Arms in turns, in random order, or one after the other.  [default: paired; "
        "sequential where maxsize is below the concurrency, or several threads pause, but for "
        "bursts]",
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

_JUDGEMENT = (
    click.option(
        "--confidence",
        type=float,
        default=0.95,
        show_default=True,
        help="Of every interval.",
    ),
    click.option(
        "--margin",
        type=float,
        default=0.05,
        show_default=True,
        help="A speed-up wholly within 1 ± this is called no difference.",
    ),
)

_REQUIREMENTS = (
    click.option(
        "--require",
        "requirements",
        multiple=True,
        metavar="EXPR",
        help="What has to be so, or kab ends with 4: 'reopened==0', 'pooled.p95<=50ms', "
        "'speedup>=1.5'. Repeatable; docs/requirements.md lists the names.",
    ),
    click.option(
        "--strict", is_flag=True, help="Take a requirement that is undecided for a missed one."
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
    click.option("--json-body", metavar="JSON|@FILE|-", help="Request body, sent as JSON."),
    click.option(
        "-T", "--upload-file", "upload", type=_READABLE, help="Stream a file as the body (PUT)."
    ),
    click.option("-u", "--user", metavar="USER:PASSWORD", help="Basic authentication."),
    click.option("--bearer", metavar="TOKEN", help="Bearer token."),
    click.option("--netrc", is_flag=True, help="Take user and password from ~/.netrc."),
    click.option("-b", "--cookie", "cookies", multiple=True, metavar="NAME=VALUE", help="Cookie."),
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

_RESPONSE = (
    click.option(
        "--expect-status",
        multiple=True,
        metavar="CODE",
        help="Count other answers as failed: 200, or 2xx. Repeatable.  [default: all count]",
    ),
    click.option(
        "--max-body",
        type=int,
        metavar="BYTES",
        help="Stop reading a body there, which closes the connection.",
    ),
)

_NETWORK = (
    click.option(
        "-t",
        "--timeout",
        type=TIME,
        default="30s",
        show_default=True,
        help="Deadline for a whole exchange, the body included: 5s, 500ms; a number is of seconds.",
    ),
    click.option(
        "--connect-timeout",
        type=TIME,
        help="Deadline for name, TCP and TLS together.  [default: the timeout]",
    ),
    click.option("-4", "--ipv4", is_flag=True, help="Use IPv4 only."),
    click.option("-6", "--ipv6", is_flag=True, help="Use IPv6 only."),
    click.option(
        "-x",
        "--proxy",
        metavar="URL",
        help="http:// or https:// proxy, with credentials: plain requests are forwarded, https is "
        "tunnelled.",
    ),
    click.option(
        "--connect-to",
        multiple=True,
        metavar="HOST1:PORT1:HOST2:PORT2",
        help="Connect to the second in place of the first; Host header, SNI and certificate check "
        "stay.",
    ),
    click.option(
        "--resolve",
        multiple=True,
        metavar="HOST:PORT:ADDRESS[,ADDRESS]",
        help="Take these addresses, and don't look the name up.",
    ),
    click.option("--unix-socket", type=_FILE, help="Connect to a Unix socket."),
    click.option(
        "--source-address",
        "source_addresses",
        multiple=True,
        metavar="ADDRESS",
        help="Connect from a local address; several are taken in turns.",
    ),
    click.option(
        "--tcp-nodelay/--no-tcp-nodelay",
        default=None,
        help="Nagle's algorithm off or on.  [default: urllib3's own, off except behind a proxy]",
    ),
    click.option("--tcp-keepalive", is_flag=True, help="Let the system probe idle connections."),
)

_TLS = (
    click.option("-k", "--insecure", is_flag=True, help="Don't check the server's certificate."),
    click.option("--cacert", type=_READABLE, help="Certificates to trust, PEM."),
    click.option("--cert", type=_READABLE, help="The client's own certificate, PEM."),
    click.option("--key", type=_READABLE, help="Its key.  [default: in the certificate's file]"),
    click.option(
        "--key-password-file", type=_READABLE, help="The key's passphrase.  [default: asked for]"
    ),
    click.option("--ciphers", metavar="LIST", help="OpenSSL's cipher list, for TLS 1.2."),
    click.option("--tls-min", type=click.Choice(TLS_VERSIONS), help="Lowest version of TLS."),
    click.option("--tls-max", type=click.Choice(TLS_VERSIONS), help="Highest version of TLS."),
)


def requirement_options(command: _Command) -> _Command:
    """Add `--require` (`requirements`, a tuple of texts) and `--strict`."""
    for option in reversed(_REQUIREMENTS):
        command = option(command)
    return command


def plan_options(command: _Command) -> _Command:
    """Add the options that `plan_from_options` takes."""
    command = shared_options(command)
    for option in reversed(_EXPERIMENT):
        command = option(command)
    return command


def shared_options(command: _Command) -> _Command:
    """Add what `plan_of` takes: all options of a command that measures, but the experiment's."""
    for option in reversed(_JUDGEMENT + _REQUEST + _RESPONSE + _NETWORK + _TLS):
        command = option(command)
    return command
