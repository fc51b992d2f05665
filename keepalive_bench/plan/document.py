"""Plan ⇄ what a results file says of it. Secrets stay out, so a plan read back can't be run.

Each field that may be shown has its place; what is said of the others, and what a plan comes to, is
listed here.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from keepalive_bench.plan.experiment import Experiment, Order
from keepalive_bench.plan.options import PlanField, assembled, plan_fields
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import SHOWN_HEADERS, Request, Withheld
from keepalive_bench.plan.target import Target
from keepalive_bench.typed_json import (
    Count,
    Document,
    FaultError,
    Positive,
    Schema,
    fault,
    from_json,
    object_schema,
    schema_of,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Members = dict[str, tuple[Any, Callable[[Plan], object]]]

_DERIVED: Members = {
    "headers": (
        tuple[tuple[str, str | None], ...],
        lambda plan: [
            (name, value if name.lower() in SHOWN_HEADERS else None)
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
    document: Document = {}
    for place, (_, tell) in plan_members().items():
        parent, _, name = place.rpartition(".")
        inner = document.setdefault(parent, {}) if parent else document
        inner[name] = to_json(tell(plan))
    return document


def harmless() -> set[str]:
    """What a plan may differ in and yet send the same: as they are called in its document."""
    return {_place(it) for it in _shown() if not it.setting.matters} | _HARMLESS


def plan_from(document: Document) -> Plan:
    """The plan that a document describes, as far as it does.

    Raises:
        FaultError: it describes none.
        UsageError: what it describes makes no sense.
    """
    said = {place: _read(type_, document, place) for place, (type_, _) in plan_members().items()}
    values: dict[tuple[type[Any], str], object] = {}
    for it in _shown():
        form, value = it.setting.json_form, said[_place(it)]
        values[it.owner, it.name] = value if form is None else form.read(value)
    values |= {
        (Request, "headers"): tuple((name, value or "") for name, value in said["headers"]),
        (Request, "withheld"): Withheld(*(said[name] for name in Withheld._fields)),
        (Experiment, "maxsize"): _maxsize(said),
        (Experiment, "order"): said["order"] if said["order_given"] else None,
    }
    return assembled(Plan, values, target=Target(said["url"]))


def plan_schema() -> Schema:
    """The JSON Schema of a plan."""
    members: dict[str, Schema] = {}
    inner: dict[str, dict[str, Schema]] = {}
    for place, (type_, _) in plan_members().items():
        parent, _, name = place.rpartition(".")
        beside = inner.setdefault(parent, {}) if parent else members
        beside[name] = schema_of(type_)
    members["url"] |= {"pattern": "^https?://"}  # of what is no URL, Target says more
    return object_schema(members | {name: object_schema(it) for name, it in inner.items()})


@cache
def plan_members() -> Members:
    """All that a document says, by its place: of what type it is, and what it is."""
    members: Members = {"url": (str, lambda plan: plan.target.shown)}
    for it in _shown():
        form = it.setting.json_form
        type_ = form.type if form else _types(cast("Hashable", it.owner))[it.name]
        members[_place(it)] = (type_, partial(_told, it))
    return members | _DERIVED


def _told(it: PlanField, plan: Plan) -> object:
    form, (_, value) = it.setting.json_form, it.of(plan)
    visible = it.setting.visible(value)
    return form.write(visible) if form else visible


@cache
def _shown() -> tuple[PlanField, ...]:
    return tuple(it for it in plan_fields(Plan) if it.setting.shown is not False)


def _place(it: PlanField) -> str:
    return it.setting.json or it.name


@cache  # each annotation is compiled anew otherwise, for every member of every plan
def _types(owner: Hashable) -> dict[str, Any]:
    return get_type_hints(owner, include_extras=True)


def _read(type_: Any, document: Document, place: str) -> Any:  # noqa: ANN401  # of that type
    parent, _, name = place.rpartition(".")
    beside = document.get(parent) if parent else document
    if not isinstance(beside, dict):
        raise fault(f"plan.{parent}".rstrip("."), beside)
    if name not in beside:
        raise FaultError(f"plan.{place} is missing")
    return from_json(type_, beside[name], f"plan.{place}")


def _maxsize(said: Document) -> int | None:
    """What was asked for; a file says what it came to, which of swept threads is each one's own."""
    size: int = said["maxsize"]
    return None if said["sweep"] == "concurrency" and size == said["concurrency"] else size
