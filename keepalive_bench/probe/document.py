"""A probe for programs: JSON and its schema (docs/probe.md is the contract), and read back.

What is derived is written for whoever reads the file, and computed again from what was seen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from keepalive_bench.connections.products import product_called
from keepalive_bench.plan.probing import parse_balancer
from keepalive_bench.probe.analysis.behind import balancer_idle_s
from keepalive_bench.probe.probed import Probed
from keepalive_bench.probe.record import ProbeRecord
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.schema import array_of, requirement_schema, schema_head
from keepalive_bench.results.bounded import check_version, no_more_than, parsed, refusing
from keepalive_bench.typed_json import (
    FaultError,
    Schema,
    from_json,
    members_of,
    object_schema,
    schema_of,
    to_json,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.probe.record import Seen
    from keepalive_bench.probe.report import ProbeReport

KIND, SCHEMA_VERSION = "probe", 1
MOST_CHARACTERS = 64 * 2**20
MOST_CONNECTIONS, MOST_REQUESTS = 1_000, 200_000
"""No probe has more of any."""
_LAST = "connections"
"""The member whose parts have a line each."""
SPELLED = {"connections": "opened"}
"""What is called otherwise, as connections themselves are there, too."""
_ROUNDED_S = 1e-6


def json_lines(report: ProbeReport) -> Iterator[str]:
    """The file's lines, one for each connection."""
    probed, record = report.probed, report.probed.record
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "asked": to_json(record.asked),
        "info": to_json(record.info),
        **{SPELLED.get(name, name): to_json(getattr(probed, name)) for name in _derived()},
        "requirements": [requirement_document(it) for it in report.requirements],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f'{json_in_log(text).removesuffix("}").rstrip()},\n  "{_LAST}": ['
    before = "\n    "
    for it in record.connections:
        line = json.dumps(to_json(it), ensure_ascii=False, allow_nan=False)
        yield f"{before}{json_in_log(line)}"
        before = ",\n    "
    yield "\n  ]\n}\n" if record.connections else "]\n}\n"


def _derived() -> dict[str, Any]:
    """All of `Probed` but what was seen, by name, with their types."""
    return {name: type_ for name, type_ in members_of(Probed).items() if name != "record"}


def probe_schema() -> Schema:
    """What `kab probe --json FILE` writes."""
    stored = members_of(ProbeRecord)
    derived = {SPELLED.get(name, name): schema_of(it) for name, it in _derived().items()}
    return {
        **schema_head(KIND, SCHEMA_VERSION, "How an endpoint keeps connections", "docs/probe.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "asked": schema_of(stored["asked"]),
                "info": schema_of(stored["info"]),
                **derived,
                "requirements": array_of(requirement_schema()),
                _LAST: schema_of(stored[_LAST]),
            }
        ),
    }


def read_probe(lines: Iterable[str], name: str = "The file") -> ProbeRecord:
    """What the probe in a file asked for and saw; `name` is what the file is called.

    Lines may come in pieces. Memory is bounded, whatever is in them.

    Raises:
        ResultsFileError: it is none, is damaged, too large, or newer than this program.
    """
    with refusing(name):
        found = parsed(no_more_than(MOST_CHARACTERS, lines))
        document = check_version(found, name, SCHEMA_VERSION, KIND, "kab probe")
        record = from_json(ProbeRecord, document)
        _check(record)
    return record


def _check(record: ProbeRecord) -> None:
    """Check that a probe could have seen this.

    Raises:
        FaultError: it has more than any probe has, or parts that contradict each other.
        UsageError: it names a server or a balancer that nobody can have asked for.
    """
    if record.asked.server is not None:
        product_called(record.asked.server)
    if record.asked.behind is not None:
        balancer_idle_s(parse_balancer(record.asked.behind))
    if len(record.connections) > MOST_CONNECTIONS:
        raise FaultError("it has more connections than a probe opens")
    if sum(len(it.exchanges) for it in record.connections) > MOST_REQUESTS:
        raise FaultError("it has more requests than a probe sends")
    for number, it in enumerate(record.connections):
        _check_connection(it, f"connections[{number}]")


def _check_connection(it: Seen, where: str) -> None:
    if it.opened_s is None:
        if it.exchanges or it.ended is not None:
            raise FaultError(f"{where} was never open, and was used")
        return
    before_s = it.opened_s
    for each in it.exchanges:
        if (each.failure is None) != (each.status is not None):
            raise FaultError(f"{where} has a request with a response and a failure, or neither")
        if each.began_s < before_s - _ROUNDED_S:
            raise FaultError(f"{where} has requests in another order than they were sent in")
        before_s = each.began_s
    if it.carried < len(it.answered):
        raise FaultError(f"{where} carried fewer responses than it has")
    if any(each.failure is not None for each in it.exchanges[:-1]):
        raise FaultError(f"{where} has a request after one that failed")
