"""Plan ⇄ what a results file says of it. Secrets stay out, so a plan read back can't be run.

Each field that may be shown has its place; what is said of the others, and what a plan comes to, is
listed here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from keepalive_bench.plan.experiment import Order
from keepalive_bench.plan.options import Found, made, settings
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import SHOWN_HEADERS, Withheld
from keepalive_bench.plan.target import Target
from keepalive_bench.typed_json import (
    Count,
    FaultError,
    Positive,
    Schema,
    fault,
    object_schema,
    read,
    schema_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Document = dict[str, Any]
Headers = tuple[tuple[str, str | None], ...]

_DERIVED: dict[str, tuple[Any, Callable[[Plan], object]]] = {
    "headers": (
        Headers,
        lambda plan: [
            [name, value if name.lower() in SHOWN_HEADERS else None]
            for name, value in plan.request.headers
        ],
    ),
    "body_bytes": (Count | None, lambda plan: plan.request.withhold(plan.target).body_bytes),
    "authenticated": (bool, lambda plan: plan.request.withhold(plan.target).authenticated),
    "cookies": (Count, lambda plan: plan.request.withhold(plan.target).cookies),
    "maxsize": (Positive, lambda plan: plan.experiment.pool_size),
    "order": (Order, lambda plan: "paired" if plan.experiment.is_paired else "sequential"),
    "order_given": (bool, lambda plan: plan.experiment.order is not None),
    "rounds": (Positive, lambda plan: plan.experiment.rounds),
}
"""What a plan comes to; and what is said of secrets."""
_HARMLESS = {"order_given", "rounds"}


def plan_document(plan: Plan) -> Document:
    """A plan as JSON has it."""
    document: Document = {"url": plan.target.shown}
    for it in _shown():
        place = document.setdefault(it.parent, {}) if it.parent else document
        _, value = it.of(plan)
        if callable(it.setting.shown):
            value = it.setting.shown(value)
        stored = it.setting.stored
        place[_name(it)] = written(value) if stored is None else stored.write(value)
    return document | {name: tell(plan) for name, (_, tell) in _DERIVED.items()}


def harmless() -> set[str]:
    """What a plan may differ in and yet send the same: as they are called in its document."""
    fields = (it for it in _shown() if not it.setting.matters)
    return {f"{it.parent}.{_name(it)}".lstrip(".") for it in fields} | _HARMLESS


def plan_from(document: Document) -> Plan:
    """The plan that a document describes, as far as it does.

    Raises:
        FaultError: it describes none.
        UsageError: what it describes makes no sense.
    """
    if not isinstance(document, dict):
        raise fault("plan", document)
    said = {name: _read(type_, document, name) for name, (type_, _) in _DERIVED.items()}
    read_back = {
        "headers": tuple((name, value or "") for name, value in said["headers"]),
        "withheld": Withheld(said["body_bytes"], said["authenticated"], said["cookies"]),
        "maxsize": _maxsize(document, said["maxsize"]),
        "order": said["order"] if said["order_given"] else None,
    }
    parents = {(it.owner, it.name): it.parent for it in _shown()}

    def value_of(it: Found) -> object:
        if it.name in read_back or it.setting.shown is False:
            return read_back.get(it.name)
        parent = parents[it.owner, it.name]
        place = document.get(parent) if parent else document
        if not isinstance(place, dict):
            raise fault(f"plan.{parent}", place)
        value = _read(_type(it), place, _name(it), parent)
        return value if it.setting.stored is None else it.setting.stored.read(value)

    return made(Plan, value_of, target=Target(_read(str, document, "url")))


def plan_schema() -> Schema:
    """The JSON Schema of a plan."""
    members: dict[str, Schema] = {"url": {"type": "string", "pattern": "^https?://"}}
    inner: dict[str, dict[str, Schema]] = {}
    for it in _shown():
        place = inner.setdefault(it.parent, {}) if it.parent else members
        place[_name(it)] = schema_of(_type(it))
    members |= {name: object_schema(fields) for name, fields in inner.items()}
    return object_schema(members | {name: schema_of(it) for name, (it, _) in _DERIVED.items()})


@cache
def _shown() -> tuple[Found, ...]:
    return tuple(it for it in settings(Plan) if it.setting.shown is not False)


def _name(it: Found) -> str:
    return it.setting.json or it.name


def _type(it: Found) -> Any:  # noqa: ANN401  # a type of any kind
    if it.setting.stored is not None:
        return it.setting.stored.type
    return _types(cast("Hashable", it.owner))[it.name]


@cache  # each annotation is compiled anew otherwise, for every member of every plan
def _types(owner: Hashable) -> dict[str, Any]:
    return get_type_hints(cast("type[Any]", owner), include_extras=True)


def _read(type_: Any, place: Document, name: str, parent: str = "") -> Any:  # noqa: ANN401  # of that type
    where = f"plan.{parent}.{name}" if parent else f"plan.{name}"
    if name not in place:
        raise FaultError(f"{where} is missing")
    return read(type_, place[name], where)


def _maxsize(document: Document, size: int) -> int | None:
    """What was asked for; a file says what it came to, which of swept threads is each one's own."""
    follows = document.get("sweep") == "concurrency" and size == document.get("concurrency")
    return None if follows else size
