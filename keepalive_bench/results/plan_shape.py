# ruff: noqa: TC001  # types that are read are evaluated
"""What a results file says of a plan, by type."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from keepalive_bench.plan.experiment import KINDS, Order, Swept
from keepalive_bench.plan.load import Traffic
from keepalive_bench.results.run import Label
from keepalive_bench.typed_json import (
    Count,
    Positive,
    Seconds,
    above,
    below,
    fewest,
    least,
    most,
    one_of,
    pattern,
)

_Above0 = Annotated[float, above(0)]
_TlsVersion = Literal["1.2", "1.3"]


class ArmShape(NamedTuple):
    """One of `arms`."""

    label: Label
    kind: Annotated[str, one_of(*KINDS)]
    value: Count | None


class ParametersShape(NamedTuple):
    """`parameters`."""

    fields: tuple[tuple[str, Annotated[tuple[str, ...], fewest(1)]], ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    unique: tuple[str, ...]
    counter: bool


class PlanShape(NamedTuple):
    """`plan`, its members in the order in which they are written."""

    url: Annotated[str, pattern("^https?://")]
    method: str
    headers: tuple[tuple[str, str | None], ...]
    user_agent: str | None
    body_bytes: Count | None
    content_type: str
    upload: str | None
    authenticated: bool
    cookies: Count
    expect_status: tuple[Annotated[str, pattern("^[1-5]([0-9][0-9]|xx)$")], ...]
    max_body: Count | None
    parameters: ParametersShape
    verify: bool
    ca_file: str | None
    cert_file: str | None
    key_file: str | None
    ciphers: str | None
    tls_min: _TlsVersion | None
    tls_max: _TlsVersion | None
    ip_version: Literal[4, 6] | None
    proxy: str | None
    connect_to: tuple[tuple[str, int, str, int], ...]
    resolve: tuple[tuple[str, int, tuple[str, ...]], ...]
    unix_socket: str | None
    source_addresses: tuple[str, ...]
    tcp_nodelay: bool | None
    tcp_keepalive: bool
    timeout_s: _Above0
    connect_timeout_s: _Above0 | None
    requests: Positive
    processes: Positive
    concurrency: Positive
    maxsize: Positive
    block: bool
    arms: Annotated[tuple[ArmShape, ...], fewest(1)]
    order: Order
    order_given: bool
    duration_s: float | None
    precision: float | None
    rate: _Above0 | None
    think_time_s: tuple[Seconds, Seconds]
    traffic: Traffic
    rounds: Positive
    seed: Count
    warmup: Count
    keep_going: bool
    sweep: Swept | None
    confidence: Annotated[float, least(0.5), most(0.999)]
    margin: Annotated[float, least(0), below(1)]
    requirements: tuple[str, ...]
