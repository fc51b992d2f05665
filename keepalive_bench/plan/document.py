"""Plan ⇄ what a results file says of it. Secrets stay out, so a plan read back can't be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepalive_bench.plan.plan import (
    Arm,
    DecisionRule,
    Experiment,
    Load,
    Network,
    Plan,
    Request,
    Resolution,
    Route,
    Target,
    Tls,
    Variation,
)
from keepalive_bench.plan.request import Withheld

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_HEADERS = {
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "if-modified-since",
    "if-none-match",
    "keep-alive",
    "pragma",
    "range",
    "te",
    "transfer-encoding",
    "user-agent",
    "via",
}
"""Header fields that are known to carry no secret; of others only the name is written."""

Document = dict[str, Any]


def plan_document(plan: Plan) -> Document:
    """A plan as JSON has it."""
    request, tls, network, experiment = plan.request, plan.tls, plan.network, plan.experiment
    variation, withheld = request.variation.redacted(), request.withhold(plan.target)
    return {
        "url": plan.target.shown,
        "method": request.method,
        "headers": [
            [name, value if name.lower() in _SHOWN_HEADERS else None]
            for name, value in request.headers
        ],
        "user_agent": request.user_agent,
        "body_bytes": withheld.body_bytes,
        "content_type": request.content_type,
        "upload": None if request.upload is None else str(request.upload),
        "authenticated": withheld.authenticated,
        "cookies": withheld.cookies,
        "expect_status": list(request.expect_status),
        "max_body": request.max_body,
        "parameters": {
            "fields": [[name, list(values)] for name, values in variation.fields],
            "rows": [[list(parameter) for parameter in row] for row in variation.rows],
            "unique": list(variation.unique),
            "counter": variation.counts,
        },
        "verify": tls.verify,
        "ca_file": None if tls.ca_file is None else str(tls.ca_file),
        "cert_file": None if tls.cert_file is None else str(tls.cert_file),
        "key_file": None if tls.key_file is None else str(tls.key_file),
        "ciphers": tls.ciphers,
        "tls_min": tls.minimum,
        "tls_max": tls.maximum,
        "ip_version": network.ip_version,
        "proxy": None if network.proxy is None else network.proxy.origin,
        "connect_to": [list(route) for route in network.connect_to],
        "resolve": [list(resolution) for resolution in network.resolve],
        "unix_socket": None if network.unix_socket is None else str(network.unix_socket),
        "source_addresses": list(network.source_addresses),
        "tcp_nodelay": network.tcp_nodelay,
        "tcp_keepalive": network.tcp_keepalive,
        "timeout_s": network.timeout_s,
        "connect_timeout_s": network.connect_timeout_s,
        "requests": experiment.requests,
        "processes": experiment.processes,
        "concurrency": experiment.concurrency,
        "maxsize": experiment.pool_size,
        "block": experiment.block,
        "arms": [
            {"label": arm.label, "kind": arm.kind, "value": arm.value} for arm in experiment.arms
        ],
        "order": "paired" if experiment.is_paired else "sequential",
        "order_given": experiment.order is not None,
        "duration_s": experiment.duration_s,
        "precision": experiment.precision,
        "rate": experiment.load.rate,
        "think_time_s": list(experiment.load.think_s),
        "traffic": experiment.load.traffic,
        "rounds": experiment.rounds,
        "seed": experiment.seed,
        "warmup": experiment.warmup,
        "keep_going": experiment.keep_going,
        "sweep": experiment.sweep,
        "confidence": plan.decision_rule.confidence,
        "margin": plan.decision_rule.margin,
        "requirements": list(plan.decision_rule.requirements),
    }


def plan_from(document: Document) -> Plan:
    """The plan that a document describes, as far as it does.

    Raises:
        KeyError, TypeError, ValueError: it describes none.
    """
    parameters = document["parameters"]
    return Plan(
        Target(document["url"]),
        Request(
            method=document["method"],
            headers=tuple((name, value or "") for name, value in document["headers"]),
            content_type=document["content_type"],
            upload=_path(document["upload"]),
            user_agent=document["user_agent"],
            variation=Variation(
                fields=tuple((name, tuple(values)) for name, values in parameters["fields"]),
                rows=tuple(
                    tuple((name, value) for name, value in row) for row in parameters["rows"]
                ),
                unique=tuple(parameters["unique"]),
                counter=parameters["counter"],
            ),
            expect_status=tuple(document["expect_status"]),
            max_body=document["max_body"],
            withheld=Withheld(
                document["body_bytes"], document["authenticated"], document["cookies"]
            ),
        ),
        Tls(
            verify=document["verify"],
            ca_file=_path(document["ca_file"]),
            cert_file=_path(document["cert_file"]),
            key_file=_path(document["key_file"]),
            ciphers=document["ciphers"],
            minimum=document["tls_min"],
            maximum=document["tls_max"],
        ),
        Network(
            ip_version=document["ip_version"],
            timeout_s=document["timeout_s"],
            connect_timeout_s=document["connect_timeout_s"],
            proxy=None if document["proxy"] is None else Target(document["proxy"]),
            connect_to=tuple(Route(*route) for route in document["connect_to"]),
            resolve=tuple(
                Resolution(host, port, tuple(addresses))
                for host, port, addresses in document["resolve"]
            ),
            unix_socket=_path(document["unix_socket"]),
            source_addresses=tuple(document["source_addresses"]),
            tcp_nodelay=document["tcp_nodelay"],
            tcp_keepalive=document["tcp_keepalive"],
        ),
        Experiment(
            requests=document["requests"],
            duration_s=document.get("duration_s"),
            precision=document.get("precision"),
            processes=document.get("processes", 1),
            concurrency=document["concurrency"],
            maxsize=_maxsize(document),
            block=document["block"],
            arms=tuple(
                Arm(arm["kind"], arm["label"], arm.get("value")) for arm in document["arms"]
            ),
            order=document["order"] if document["order_given"] else None,
            load=Load(
                rate=document.get("rate"),
                think_s=_span(document.get("think_time_s", (0.0, 0.0))),
                traffic=document.get("traffic", "steady"),
            ),
            seed=document["seed"],
            warmup=document["warmup"],
            keep_going=document["keep_going"],
            sweep=document.get("sweep"),
        ),
        DecisionRule(
            confidence=document["confidence"],
            margin=document["margin"],
            requirements=tuple(map(_text, document.get("requirements", []))),
        ),
    )


def _maxsize(document: Document) -> int | None:
    """What was asked for; a file says what it came to, which of swept threads is each one's own."""
    size: int = document["maxsize"]
    follows = document.get("sweep") == "concurrency" and size == document["concurrency"]
    return None if follows else size


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _span(values: Sequence[float]) -> tuple[float, float]:
    least, most = values
    return float(least), float(most)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
