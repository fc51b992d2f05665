"""The tables of docs/json-format.md whose members are those of a type: its fields' docstrings."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table

from keepalive_bench.analysis import Checked, Finding, Requirement
from keepalive_bench.analysis.counted import ShownField
from keepalive_bench.analysis.sweep import RECOMMENDED, Recommendation, Sweep
from keepalive_bench.analysis.verdict import Verdict
from keepalive_bench.field_docs import field_docs
from keepalive_bench.plan.document import plan_members
from keepalive_bench.plan.experiment import Experiment, Swept
from keepalive_bench.plan.fields import plan_fields
from keepalive_bench.plan.load import Traffic
from keepalive_bench.plan.plan import OptionName, Plan
from keepalive_bench.plan.target import Target
from keepalive_bench.results.exchange import Answer
from keepalive_bench.results.file import StoredConnections, StoredExchanges, stored_columns
from keepalive_bench.results.measured import Environment, Label, RunInfo, WarmUp
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.typed_json import DERIVED, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Member = tuple[str, str, str]
"""Its path, what it is, and when it is `null`."""
_PAGE = "json-format.md"
_COUNT = (
    "answers[].count",
    "How many answers said just this; the most frequent comes first",
    "",
)
_BECAUSE = (
    "because[]",
    "The codes of the findings that say why it isn't met; often there is none",
    "",
)
_ORDER_GIVEN = "Whether that order was asked for; if not, kab chose it"
_ELSEWHERE = {"Swept": Swept, "Traffic": Traffic, "Estimate": Estimate}
"""Types that a file imports for mypy only."""
_KEYS = {Label: "<label>", OptionName: "<option>"}
_NONE = re.compile(r"[;.] `None`: ")


def parts() -> Iterator[PagePart]:
    """One of each part of the document that isn't made of metrics."""
    columns = stored_columns()
    found: dict[str, list[Member]] = {
        "plan": list(_of_plan()),
        "environment": members(Environment),
        "run_info": members(RunInfo),
        "warmup": members(WarmUp),
        "answers": [*members(Answer, "answers[]."), _COUNT],
        "counted": members(ShownField, "counted[]."),
        "verdict": members(Verdict),
        "findings": members(Finding),
        "requirements": [
            *members(Requirement),
            *members(Checked, without={"requirement", "because"}, renamed={"text": ["sentence"]}),
            _BECAUSE,
        ],
        "sweep": members(Sweep, without={"values", "recommendation"}),
        "recommendation": members(Recommendation, renamed={"value": RECOMMENDED}),
        "exchanges": [*members(StoredExchanges), *_columns(columns["exchanges"])],
        "connections": [*members(StoredConnections), *_columns(columns["connections"])],
    }
    for name, its_members in found.items():
        yield table(_PAGE, name, MEMBERS_HEAD, rows_of(its_members))


def members(
    type_: type[Any],
    before: str = "",
    without: Iterable[str] = (),
    renamed: dict[str, Iterable[str]] | None = None,
) -> list[Member]:
    """Those of an object, and of objects in it."""
    docs = field_docs(type_)
    hints = get_type_hints(type_, localns=_ELSEWHERE, include_extras=True)
    for name, found in vars(type_).items():
        if isinstance(found, property):
            hint = get_type_hints(found.fget, include_extras=True)["return"]
            if DERIVED in get_args(hint):
                hints[name] = hint
    return [
        member
        for name, hint in hints.items()
        if name not in without
        for spelled in (renamed or {}).get(name, [name])
        for member in _member(f"{before}{spelled}", hint, docs.get(name, ""))
    ]


def _of_plan() -> Iterator[Member]:
    """Those of fields that are shown, and what is said of the others."""
    fields = ((it.setting.json or it.name, it) for it in plan_fields(Plan))
    docs = {
        "url": field_docs(Target)["shown"],
        **{place: field_docs(it.owner).get(it.name, "") for place, it in fields},
        "withheld": field_docs(Plan)["withheld"],
        "rounds": field_docs(Experiment)["rounds"],
        "order_given": _ORDER_GIVEN,
    }
    for place, (hint, _) in plan_members().items():
        yield from _member(place, hint, docs[place])


def _member(path: str, hint: Any, doc: str) -> Iterator[Member]:  # noqa: ANN401  # a type of any kind
    suffix, inner = _opened(hint)
    if is_dataclass(inner) or hasattr(inner, "_fields"):
        yield from members(inner, f"{path}{suffix}.")
        return
    assert doc, f"nothing says what {path} is"
    meaning, _, none = _NONE.sub("\0", doc).partition("\0")
    words = [f"`{it}`" for it in schema_of(inner).get("enum", ()) if it != ""]
    choice = f": {', '.join(words)}" if words and words[0] not in meaning else ""
    yield f"{path}{suffix}", f"{meaning.rstrip('.')}{choice}", none.rstrip(".")


def _opened(hint: Any) -> tuple[str, Any]:  # noqa: ANN401  # the same
    """How what is in a type's arrays and objects is written, and its own type."""
    if get_origin(hint) is Annotated:
        suffix, inner = _opened(get_args(hint)[0])
        return suffix, inner if suffix else hint
    parts = [part for part in get_args(hint) if part is not type(None)]
    if get_origin(hint) is dict:
        suffix, inner = _opened(parts[1])
        return f".{_KEYS.get(parts[0], '*')}{suffix}", inner
    if parts[1:] == [...]:
        suffix, inner = _opened(parts[0])
        return f"[]{suffix}", inner
    is_optional = len(parts) == 1 and len(get_args(hint)) > 1
    return _opened(parts[0]) if is_optional else ("", hint)


def _columns(columns: Iterable[Any]) -> list[Member]:
    return [(f"columns.{it.name}", it.meaning, it.none) for it in columns]


def rows_of(found: Iterable[Member]) -> Iterator[tuple[str, ...]]:
    """Those together of which the same is said."""
    for said, group in groupby(found, lambda it: it[1:]):
        paths = (path for path, *_ in group)
        alike = (list(found) for _, found in groupby(paths, lambda path: path.count(".")))
        yield names_cell(alike), *said
