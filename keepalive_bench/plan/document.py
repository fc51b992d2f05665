"""Plan ⇄ what a results file says of it. Secrets stay out, so a plan read back can't be run.

Each field that may be shown has its place, and what may not be is named in `withheld`; what a plan
comes to is listed here.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from keepalive_bench.plan.experiment import Experiment, Order
from keepalive_bench.plan.fields import PlanField, assembled, plan_fields
from keepalive_bench.plan.plan import OptionName, Plan
from keepalive_bench.plan.request import USER
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
    "maxsize": (Positive, lambda plan: plan.experiment.pool_size),
    "order": (Order, lambda plan: "paired" if plan.experiment.is_paired else "sequential"),
    "order_given": (bool, lambda plan: plan.experiment.order is not None),
    "rounds": (Positive, lambda plan: plan.experiment.rounds),
}
"""What a plan comes to."""
_HARMLESS = {"order_given", "rounds"}
_ADDED = {"count_by", "place", "server", "tcp_keepalive_time"}
"""What earlier versions don't write, as nobody could ask them for it."""


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
    fields = [it for it in plan_fields(Plan) if not it.setting.matters]
    shown = {_place(it) for it in fields if it.setting.shown is not False}
    withheld = {f"withheld.{_said_by(it)}" for it in fields if it.setting.shown is not True}
    return shown | withheld | _HARMLESS


def withheld(plan: Plan) -> dict[str, int]:
    """How much is not written of what options asked for, by the name of the field's first one."""
    if plan.withheld is not None:  # it was read back
        return plan.withheld
    found: dict[str, int] = {}
    for it in plan_fields(Plan):
        amount = it.setting.withheld(it.of(plan), it.default)
        if amount is not None:
            found[_said_by(it)] = amount
    return found if plan.target.credentials is None else found | {USER.name: 1}


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
        (Experiment, "maxsize"): _maxsize(said),
        (Experiment, "order"): said["order"] if said["order_given"] else None,
    }
    return assembled(Plan, values, target=Target(said["url"]), withheld=said["withheld"])


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
    members["withheld"] = (dict[OptionName, Count], withheld)
    return members | _DERIVED


def _told(it: PlanField, plan: Plan) -> object:
    form, visible = it.setting.json_form, it.setting.visible(it.of(plan))
    return form.write(visible) if form else visible


@cache
def _shown() -> tuple[PlanField, ...]:
    return tuple(it for it in plan_fields(Plan) if it.setting.shown is not False)


def _said_by(it: PlanField) -> str:
    return it.setting.options[0].name if it.setting.options else it.name


def _place(it: PlanField) -> str:
    return it.setting.json or it.name


@cache  # each annotation is compiled anew otherwise, for every member of every plan
def _types(owner: Hashable) -> dict[str, Any]:
    return get_type_hints(owner, include_extras=True)


def _read(type_: Any, document: Document, place: str) -> Any:  # noqa: ANN401  # of that type, or None
    parent, _, name = place.rpartition(".")
    beside = document.get(parent) if parent else document
    if not isinstance(beside, dict):
        raise fault(f"plan.{parent}".rstrip("."), beside)
    if name not in beside and place in _ADDED:
        return None
    if name not in beside:
        raise FaultError(f"plan.{place} is missing")
    return from_json(type_, beside[name], f"plan.{place}")


def _maxsize(said: Document) -> int | None:
    """What was asked for; a file says what it came to, which of swept threads is each one's own."""
    size: int = said["maxsize"]
    return None if said["sweep"] == "concurrency" and size == said["concurrency"] else size
