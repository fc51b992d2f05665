"""The command that would make such a run again, as far as it can be shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from keepalive_bench.plan.experiment import SWEPT
from keepalive_bench.plan.plan import Plan
from keepalive_bench.units import REDACTED, plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.plan import Arm, Network, Resolution, Route, Tls, Variation

_Option = tuple[str, object, object]
"""How it is spelled, what it was, and what it is when nothing is said."""
_DECIMALS = 9
"""As many as kab reads."""
_RATES = {"s": 1.0, "min": 60.0, "h": 3600.0}


def command(plan: Plan) -> str:
    """`kab run URL …`, with what differs from kab's defaults, but for what `left_out` names."""
    is_sweep = plan.experiment.sweep is not None
    words = ["kab", "sweep" if is_sweep else "run", plan.target.shown]
    options = (
        *_extent(plan),
        *(_sweep(plan) if is_sweep else _experiment(plan)),
        *_rest(plan),
        *_request(plan),
        *_way(plan.network),
        *_tls(plan.tls),
    )
    for spelling, value, usual in options:
        if value is True and not usual:
            words.append(spelling)
        elif value is not None and value is not False and value != usual:
            words += [spelling, _plain(value) if isinstance(value, float) else f"{value}"]
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    r"""A word for a shell, escaped as `printable` does where it would: `$'Foo:\x3aBar'`."""
    plain = shlex.quote(word)
    if printable(plain) == plain:
        return plain
    escaped = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(escaped)}'"


def left_out(plan: Plan) -> str:
    """What the command lacks, which may be secret, as the end of a sentence; empty: nothing."""
    request, withheld = plan.request, plan.request.withhold(plan.target)
    names = dict.fromkeys(name for name, _ in request.headers)
    parts = [f"the header {'field' if len(names) == 1 else 'fields'} {', '.join(names)}"][
        : len(names)
    ]
    if withheld.body_bytes is not None and plan.experiment.sweep != "data-size":
        parts.append(f"the body of {size(withheld.body_bytes)}, {request.content_type}")
    if withheld.authenticated:
        parts.append("the credentials")
    if withheld.cookies:
        parts.append(plural(withheld.cookies, "cookie"))
    if request.variation.rows:
        parts.append(f"the {plural(len(request.variation.rows), 'row')} of its --fields-file")
    if REDACTED in command(plan):
        parts.append(f"what {REDACTED} stands for")
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _plain(value: float) -> str:
    """A number without an exponent, nor more digits than it needs."""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def _extent(plan: Plan) -> Iterator[_Option]:
    asked = plan.experiment
    yield "-n", asked.requests if asked.is_limited else None, None
    yield "-z", None if asked.duration_s is None else f"{_plain(asked.duration_s)}s", None


def _experiment(plan: Plan) -> Iterator[_Option]:
    asked, usual = plan.experiment, Plan(plan.target).experiment
    yield "--precision", None if asked.precision is None else _percent(asked.precision), None
    yield "--processes", asked.processes, usual.processes
    yield "-c", asked.concurrency, usual.concurrency
    yield "--maxsize", asked.pool_size, asked.concurrency
    yield "--block", asked.block, usual.block
    if asked.arms != usual.arms:
        for arm in asked.arms:
            yield "--arm", _arm(arm), None
    yield "--order", asked.order, usual.order
    yield "--rate", None if asked.load.rate is None else _rate(asked.load.rate), None
    yield "--think-time", _span(*asked.load.think_s), _span(*usual.load.think_s)
    yield "--traffic", asked.load.traffic, usual.load.traffic


def _percent(share: float) -> str:
    return f"{_plain(100 * share)}%"


def _arm(arm: Arm) -> str:
    return arm.kind if arm.label == arm.kind else f"{arm.label}={arm.kind}"


def _rate(per_second: float) -> str:
    """In the unit that it was given in: 1/3 a second has no end, and 20 a minute has one."""
    texts = {unit: _plain(per_second * seconds) for unit, seconds in _RATES.items()}
    exact = [unit for unit, text in texts.items() if float(text) / _RATES[unit] == per_second]
    unit = exact[0] if exact else "s"
    return f"{texts[unit]}/{unit}"


def _span(least: float, most: float) -> str:
    """A pause, or the shortest and the longest."""
    return f"{_plain(least)}s" if least == most else f"{_plain(least)}s-{_plain(most)}s"


def _sweep(plan: Plan) -> Iterator[_Option]:
    asked, values = plan.experiment, ",".join(arm.label for arm in plan.experiment.arms)
    for option in SWEPT:
        if option == asked.sweep:
            yield f"--{option}", values, None
        elif option == "concurrency":
            yield "--concurrency", asked.concurrency, None
        elif option == "maxsize":
            yield "--maxsize", asked.pool_size, asked.concurrency
    yield "--block", asked.block, False
    yield "--traffic", asked.load.traffic, None


def _rest(plan: Plan) -> Iterator[_Option]:
    asked, usual = plan.experiment, Plan(plan.target).experiment
    yield "--warmup", asked.warmup, usual.warmup
    yield "--keep-going", asked.keep_going, usual.keep_going
    yield "--confidence", plan.decision_rule.confidence, Plan(plan.target).decision_rule.confidence
    yield "--margin", plan.decision_rule.margin, Plan(plan.target).decision_rule.margin
    for requirement in plan.decision_rule.requirements:
        yield "--require", requirement, None
    yield "--seed", asked.seed, None


def _request(plan: Plan) -> Iterator[_Option]:
    request, has_body = plan.request, plan.request.withhold(plan.target).body_bytes is not None
    yield "-X", request.method, None if has_body or request.upload else "GET"
    yield "-A", request.user_agent, None
    yield "-T", request.upload, None
    yield from _variation(request.variation)
    for status in request.expect_status:
        yield "--expect-status", status, None
    yield "--max-body", request.max_body, None


def _variation(variation: Variation) -> Iterator[_Option]:
    """With secrets starred, as the results file has them."""
    shown = variation.redacted()
    for name, values in shown.fields:
        for value in values:
            yield "-f", f"{name}={value}", None
    for name in shown.unique:
        yield "--vary", name, None
    yield "--no-vary", not (shown.counts or shown.fields or shown.rows or shown.unique), False


def _way(network: Network) -> Iterator[_Option]:
    yield "--timeout", network.timeout_s, type(network)().timeout_s
    yield "--connect-timeout", network.connect_timeout_s, None
    yield "--proxy", None if network.proxy is None else network.proxy.origin, None
    if network.ip_version is not None:
        yield f"-{network.ip_version}", True, False
    for route in network.connect_to:
        yield "--connect-to", _route(route), None
    for resolution in network.resolve:
        yield "--resolve", _resolution(resolution), None
    yield "--unix-socket", network.unix_socket, None
    for address in network.source_addresses:
        yield "--source-address", address, None
    if network.tcp_nodelay is not None:
        yield "--tcp-nodelay" if network.tcp_nodelay else "--no-tcp-nodelay", True, False
    yield "--tcp-keepalive", network.tcp_keepalive, False


def _route(route: Route) -> str:
    ports = [f"{port or ''}" for port in (route.port, route.to_port)]
    return f"{_host(route.host)}:{ports[0]}:{_host(route.to_host)}:{ports[1]}"


def _resolution(resolution: Resolution) -> str:
    addresses = ",".join(map(_host, resolution.addresses))
    return f"{_host(resolution.host)}:{resolution.port}:{addresses}"


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls(tls: Tls) -> Iterator[_Option]:
    yield "--insecure", not tls.verify, False
    yield "--cacert", tls.ca_file, None
    yield "--cert", tls.cert_file, None
    yield "--key", tls.key_file, None
    yield "--ciphers", tls.ciphers, None
    yield "--tls-min", tls.minimum, None
    yield "--tls-max", tls.maximum, None
