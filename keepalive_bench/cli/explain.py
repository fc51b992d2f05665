"""`kab explain CODE`: what a code or a name means, and what to do, from the registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keepalive_bench.cli.formatter import Formatter
from keepalive_bench.cli.options import Command
from keepalive_bench.cli.variables import nearest
from keepalive_bench.errors import UsageError
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from click.shell_completion import CompletionItem

    from keepalive_bench.plan.options import Asked
    from keepalive_bench.report.explanation import Section
    from keepalive_bench.requirements.names import Scope

_REQUIREMENTS = "requirements"
_ALIKE = 0.75


def _complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """What can be explained, for a shell; of what a requirement can be about, its lists alone."""
    from click.shell_completion import CompletionItem as Item  # noqa: PLC0415  # only a shell asks

    from keepalive_bench.report.explanations import lists  # noqa: PLC0415  # the same

    found = {name: help_ for rows in lists().values() for name, help_ in rows}
    found |= {name: f"all {name}" for name in (*lists(), _REQUIREMENTS)}
    return [Item(name, help=it) for name, it in found.items() if name.startswith(typed)]


@click.command(
    "explain",
    cls=Command,
    options=(),
    short_help="Explain a code or a name that kab uses, and what to do.",
)
@click.argument("code", required=False, shell_complete=_complete)
def command(_: Asked, code: str | None) -> None:
    """Explain a code, a name in --require, a row of a table, a product or its setting.

    Without CODE, list what there is. reasons, programs (reasons that lie in a program, which kab
    trace names), failures, findings, verdicts, requirements, arms and products list one kind, each
    with a few words.

    \b
    kab explain idle-timeout
    kab explain pooled.p95
    kab explain nginx
    kab explain keepalive_timeout
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    formatter = Formatter()
    if code is None:
        _write_all(formatter)
    else:
        _write(formatter, code)
    click.echo(formatter.getvalue().rstrip("\n"))


def _write_all(formatter: Formatter) -> None:
    """Everything that has a code, by kind."""
    from keepalive_bench.report.explanations import (  # noqa: PLC0415  # --help does without
        findings_by_actor,
        lists,
    )

    formatter.write_text("kab explain CODE explains one of these; kab explain KIND lists one kind.")
    for kind, rows in lists().items():
        with formatter.section(f"{kind.capitalize()} ({len(rows)})"):
            if kind == "findings":
                formatter.write_text("One for most of the reasons, and by who causes them:")
                formatter.write_dl(findings_by_actor())
            else:
                formatter.write_text(", ".join(name for name, _ in rows))
    with formatter.section("Requirements"):
        formatter.write_text("kab explain requirements lists what --require can be about.")


def _write(formatter: Formatter, code: str) -> None:
    from keepalive_bench.compare.change import CHANGE_MEANINGS  # noqa: PLC0415  # as above
    from keepalive_bench.places.requirements import total_scope  # noqa: PLC0415  # as above
    from keepalive_bench.probe.requirements import probe_scope  # noqa: PLC0415  # as above
    from keepalive_bench.report import tellers  # noqa: PLC0415  # as above
    from keepalive_bench.report.explanations import (  # noqa: PLC0415  # --help does without
        explained,
        lists,
        requirement_names,
    )
    from keepalive_bench.trace.requirements import trace_scopes  # noqa: PLC0415  # as above

    listed, kind = lists(), code.strip().lower()
    if kind == _REQUIREMENTS:
        _write_sections(formatter, (*requirement_names(), *_of_others()))
        return
    if kind in listed:
        formatter.write_dl(listed[kind])
        return
    among = tuple(_scopes())
    others = {
        tellers.TRACE: trace_scopes(),
        tellers.PLACES: (total_scope(),),
        tellers.PROBE: (probe_scope(),),
    }
    found = (tellers.of_teller(code, its, teller) for teller, its in others.items())
    told = [it for it in (explained(code, among, CHANGE_MEANINGS), *found) if it is not None]
    if not told:
        names = (*among, *(scope for its in others.values() for scope in its))
        raise UsageError(_unknown(code, listed, names))
    for number, it in enumerate(told):
        if number:
            formatter.write_paragraph()
        formatter.write_text(f"{it.name}: {it.title}.")
        _write_sections(formatter, it.sections)


def _write_sections(formatter: Formatter, sections: Iterable[Section]) -> None:
    for section in sections:
        formatter.write_paragraph()
        if section.heading:
            formatter.write_heading(section.heading)
        with formatter.indentation():
            if section.paragraphs:
                formatter.write_text("\n\n".join(section.paragraphs))
            formatter.write_dl(section.rows)
            formatter.write_lines(section.lines)


def _of_others() -> Iterator[Section]:
    from keepalive_bench.places.requirements import total_names  # noqa: PLC0415  # as above
    from keepalive_bench.probe.requirements import probe_names  # noqa: PLC0415  # as above
    from keepalive_bench.report.explanation import Section  # noqa: PLC0415  # as above
    from keepalive_bench.report.explanations import plain  # noqa: PLC0415  # as above
    from keepalive_bench.trace.requirements import trace_names  # noqa: PLC0415  # as above

    all_names = trace_names() | total_names() | probe_names()
    for title, rows in all_names.items():
        yield Section(title, rows=tuple((name, plain(meaning)) for name, meaning in rows))


def _scopes() -> Iterator[Scope]:
    """What a requirement can be about, in runs of each kind of arm, and what changes of it."""
    from keepalive_bench.compare.requirements import change_scopes  # noqa: PLC0415  # as above
    from keepalive_bench.plan.arms import ARM_KINDS, Arm  # noqa: PLC0415  # as above
    from keepalive_bench.requirements.names import scopes  # noqa: PLC0415  # as above

    arms = tuple(Arm(kind.name) for kind in ARM_KINDS)
    yield from scopes(arms)
    yield from change_scopes(arms)


def _unknown(
    code: str, listed: dict[str, tuple[tuple[str, str], ...]], among: Iterable[Scope]
) -> str:
    from keepalive_bench.requirements.names import all_names  # noqa: PLC0415  # as above

    known = [name for rows in listed.values() for name, _ in rows]
    near = [
        nearest(code, it, _ALIKE) for it in ((*known, *listed, _REQUIREMENTS), all_names(among))
    ]
    meant = nearest(code, filter(None, near))
    end = f"Did you mean {meant}?" if meant else "Without a code, it lists what there is."
    return f"kab explain has nothing on {quoted(code)}. {end}"
