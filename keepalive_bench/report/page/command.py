"""The command that would make such a run again, as far as it can be shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from keepalive_bench.plan.document import withheld
from keepalive_bench.plan.fields import options_of, plan_fields
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import BEARER, DATA, USER
from keepalive_bench.plan.sweeping import OWN, sweep_options
from keepalive_bench.units import REDACTED, enumerated, plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.plan.fields import PlanField

_NAMED_APART = {"header", "fields-file"}
"""No command says them, whether or not they are secret."""
_CREDENTIALS = {USER.name, BEARER.name}


def command(plan: Plan) -> str:
    """`kab run URL …`, with what differs from kab's defaults, but for what `left_out` names."""
    is_sweep = plan.experiment.sweep is not None
    own = {it.name: it.command(plan.experiment) for it in OWN} if is_sweep else {}
    said = dict(_said(plan)) | own
    known = sweep_options() if is_sweep else options_of(Plan)
    words = [word for option in known for word in said.get(option.name, ())]
    name = "sweep" if is_sweep else "run"
    return " ".join(map(_word, ["kab", name, plan.target.shown, *words]))


def _said(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    for place in plan_fields(Plan):
        value = _to_say(place, plan)
        for option in place.setting.options:
            yield option.name, [] if value is None else option.command(value)


def _to_say(place: PlanField, plan: Plan) -> object:
    """What may be shown of a field; `None`: nothing, or it is as usual."""
    setting, value = place.setting, place.of(plan)
    usual = setting.usual(plan) if setting.usual else place.default
    return None if setting.shown is False or value == usual else setting.visible(value)


def _word(word: str) -> str:
    r"""A word for a shell, escaped as `printable` does where it would: `$'Foo:\x3aBar'`."""
    plain = shlex.quote(word)
    if printable(plain) == plain:
        return plain
    escaped = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(escaped)}'"


def left_out(plan: Plan) -> str:
    """What the command lacks, which may be secret, as the end of a sentence; empty: nothing."""
    parts = list(dict.fromkeys(_lacking(plan)))
    return enumerated(parts) if parts else ""


def _lacking(plan: Plan) -> Iterator[str]:
    names = dict.fromkeys(name for name, _ in plan.request.headers)
    if names:
        yield f"the header {'field' if len(names) == 1 else 'fields'} {', '.join(names)}"
    said = dict(_said(plan))
    for name, amount in withheld(plan).items():
        words = said.get(name, [])
        if name in _NAMED_APART or any(REDACTED in word for word in words):
            continue
        if name == DATA.name:
            if plan.experiment.sweep != "data-size":
                yield f"the body of {size(amount)}, {plan.request.content_type}"
        elif name in _CREDENTIALS:
            yield "the credentials"
        elif name == "cookie":
            yield plural(amount, "cookie")
        else:
            yield f"a part of --{name}" if words else f"--{name}"
    if rows := plan.request.variation.rows:
        yield f"the {plural(len(rows), 'row')} of its --fields-file"
    if REDACTED in command(plan):
        yield f"what {REDACTED} stands for"
