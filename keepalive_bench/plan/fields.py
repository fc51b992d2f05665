"""The fields of a plan, with the options that set them: found by walking it and its parts."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from keepalive_bench.plan.options import GROUP_KEY, GROUPS, SETTING_KEY, Option

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping

    from keepalive_bench.plan.options import Asked, Group, Setting

T = TypeVar("T")


class PlanField(NamedTuple):
    """A field of a plan, or of one of its parts, at its place."""

    path: tuple[str, ...]
    """The names that lead to the part, from the plan."""
    owner: type[Any]
    """The part's type."""
    name: str
    default: object
    group: Group | None
    setting: Setting

    def of(self, whole: object) -> Any:  # noqa: ANN401  # of any type
        """Its value in a plan."""
        for name in (*self.path, self.name):
            whole = getattr(whole, name)
        return whole


@cache
def plan_fields(kind: Hashable) -> tuple[PlanField, ...]:
    """The fields of a plan, or of a part of one, and of the parts within, in their order."""
    return tuple(_walk(kind, None, ()))


def _walk(kind: Any, group: Group | None, path: tuple[str, ...]) -> Iterator[PlanField]:  # noqa: ANN401  # a dataclass
    for it in fields(kind):
        if GROUP_KEY in it.metadata:
            yield from _walk(it.default_factory, it.metadata[GROUP_KEY] or group, (*path, it.name))
        elif SETTING_KEY in it.metadata:
            yield PlanField(path, kind, it.name, it.default, group, it.metadata[SETTING_KEY])


@cache
def options_of(kind: Hashable) -> tuple[Option[Any], ...]:
    """The options of a plan, or of a part of one: those of a heading together, told their default.

    Raises:
        ValueError: two have a name in common, or one excludes another that there isn't.
    """
    found: dict[str, Option[Any]] = {}
    for place in plan_fields(kind):
        for each in place.setting.options:
            if found.setdefault(each.name, each) is not each:
                raise ValueError(f"two options are called {each.name}")
            found[each.name] = replace(
                each, group=each.group or place.group, help=f"{each.help}{_default(each, place)}"
            )
    return in_groups(found.values())


def in_groups(several: Collection[Option[Any]]) -> tuple[Option[Any], ...]:
    """Options of a heading together, in the order of the headings; each has one.

    Raises:
        ValueError: one excludes another that there isn't.
    """
    rivals = {rival for it in several for rival in it.rivals}
    if unknown := rivals - {it.name for it in several}:
        raise ValueError(f"no option is called {', '.join(sorted(unknown))}")
    return tuple(sorted(several, key=lambda it: GROUPS.index(cast("Group", it.group))))


def _default(declared: Option[Any], place: PlanField) -> str:
    """The default, for the help text, where it is a value and the text doesn't tell already."""
    said = list(declared.words(place.default)) if len(place.setting.options) == 1 else []
    is_told = declared.form != "value" or "[default" in declared.help or not said
    return "" if is_told else f"  [default: {said[0]}]"


def assembled(kind: type[T], values: Mapping[tuple[type[Any], str], object], **given: object) -> T:
    """A plan, or a part of one; a field without a value is as it is by default.

    Args:
        kind: the type.
        values: by the field's owner and name; `None`: it has none.
        given: fields that are settled already.
    """
    for it in fields(cast("Any", kind)):
        if it.name not in given and GROUP_KEY in it.metadata:
            given[it.name] = assembled(cast("Any", it.default_factory), values)
        elif it.name not in given and (value := values.get((kind, it.name))) is not None:
            given[it.name] = value
    return kind(**given)


def planned(kind: type[T], asked: Asked, **given: object) -> T:
    """A plan, or a part of one, as it is asked for; `given`: fields that are settled already."""
    fields_of_kind = plan_fields(cast("Hashable", kind))
    values = {(it.owner, it.name): it.setting.rule(asked) for it in fields_of_kind}
    return assembled(kind, values, **given)
