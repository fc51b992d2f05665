"""From what the options say to a plan."""

from __future__ import annotations

from typing import Any

from keepalive_bench.cli import inputs
from keepalive_bench.cli.credentials import key_password, netrc_credentials
from keepalive_bench.cli.endpoints import parse_resolution, parse_route
from keepalive_bench.cli.files import check_file
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.decision_rule import DecisionRule
from keepalive_bench.plan.experiment import Experiment
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.network import Network, Tls
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import FORM, JSON, Request
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.variation import Variation
from keepalive_bench.requirements import requirements_of


def plan_from_options(url: str, **given: Any) -> Plan:  # noqa: ANN401  # Click's own values
    """The plan that a command line asks for.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    return plan_of(url, _experiment(given), given)


def plan_of(url: str, experiment: Experiment, given: dict[str, Any]) -> Plan:
    """The plan of an experiment, with all else that a command line says.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    target = Target(url)
    decision_rule = DecisionRule(
        confidence=given["confidence"],
        margin=given["margin"],
        requirements=given["requirements"],
    )
    plan = Plan(
        target, _request(given, target), _tls(given), _network(given), experiment, decision_rule
    )
    requirements_of(plan)  # a bad one is refused now, and not when all is measured
    return plan


def _experiment(given: dict[str, Any]) -> Experiment:
    optional: dict[str, Any] = {}
    if given["seed"] is not None:
        optional["seed"] = given["seed"]
    if given["requests"] is not None:
        optional["requests"] = given["requests"]
    if given["duration"] is not None:
        optional["duration_s"] = inputs.parse_duration(given["duration"])
    if given["precision"] is not None:
        optional["precision"] = inputs.parse_share(given["precision"])
    if given["arms"]:
        optional["arms"] = tuple(inputs.parse_arm(text) for text in given["arms"])
    return Experiment(
        load=_load(given),
        processes=given["processes"],
        concurrency=given["concurrency"],
        maxsize=given["maxsize"],
        block=given["block"],
        order=given["order"],
        warmup=given["warmup"],
        keep_going=given["keep_going"],
        **optional,
    )


def _load(given: dict[str, Any]) -> Load:
    think = given["think_time"]
    return Load(
        rate=None if given["rate"] is None else inputs.parse_rate(given["rate"]),
        think_s=(0.0, 0.0) if think is None else inputs.parse_pause(think),
        traffic=given["traffic"],
    )


def _request(given: dict[str, Any], target: Target) -> Request:
    as_json = given["json_body"] is not None
    if as_json and given["data"]:
        raise UsageError("--data and --json-body contradict each other: leave one out.")
    body = inputs.read_json(given["json_body"]) if as_json else inputs.read_body(given["data"])
    usual = "POST" if body is not None else "PUT" if given["upload"] else "GET"
    return Request(
        method=usual if given["method"] is None else given["method"],
        headers=tuple(inputs.parse_header(text) for text in given["headers"]),
        body=body,
        content_type=JSON if as_json else FORM,
        upload=given["upload"],
        credentials=_credentials(given, target),
        bearer=given["bearer"],
        cookies=given["cookies"],
        user_agent=given["user_agent"],
        variation=Variation(
            fields=inputs.parse_fields(given["fields"]),
            rows=inputs.read_rows(given["fields_file"]),
            unique=given["unique"],
            counter=not given["no_vary"],
        ),
        expect_status=given["expect_status"],
        max_body=given["max_body"],
    )


def _credentials(given: dict[str, Any], target: Target) -> tuple[str, str] | None:
    if given["user"] is not None:
        return inputs.parse_user(given["user"])
    if given["netrc"] and target.credentials is None and not given["bearer"]:
        return netrc_credentials(target.host)
    return None


def _tls(given: dict[str, Any]) -> Tls:
    if given["insecure"] and given["cacert"]:
        raise UsageError("--insecure and --cacert contradict each other: leave one out.")
    for name in ("cacert", "cert", "key"):
        check_file(given[name], f"--{name}")
    return Tls(
        verify=not given["insecure"],
        ca_file=given["cacert"],
        cert_file=given["cert"],
        key_file=given["key"],
        key_password=key_password(given["key"] or given["cert"], given["key_password_file"]),
        ciphers=given["ciphers"],
        minimum=given["tls_min"],
        maximum=given["tls_max"],
    )


def _network(given: dict[str, Any]) -> Network:
    if given["ipv4"] and given["ipv6"]:
        raise UsageError("--ipv4 and --ipv6 contradict each other: leave one out.")
    return Network(
        ip_version=4 if given["ipv4"] else 6 if given["ipv6"] else None,
        timeout_s=given["timeout"],
        connect_timeout_s=given["connect_timeout"],
        proxy=Target(given["proxy"]) if given["proxy"] else None,
        connect_to=tuple(parse_route(text) for text in given["connect_to"]),
        resolve=tuple(parse_resolution(text) for text in given["resolve"]),
        unix_socket=given["unix_socket"],
        source_addresses=given["source_addresses"],
        tcp_nodelay=given["tcp_nodelay"],
        tcp_keepalive=given["tcp_keepalive"],
    )
