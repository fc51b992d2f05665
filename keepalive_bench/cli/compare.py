"""`kab compare BASE.json NEW.json`: what changed from one stored run to others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import NO_COLOR, PATH, REQUIRE, STRICT, Command, judging
from keepalive_bench.cli.reading import STDIN, load_run
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.compare.change import Change, Source
    from keepalive_bench.plan.options import Asked


_FORCE = Option(
    form="switch",
    parse=bool,
    spelling="--force",
    help="Compare runs, too, whose plans differ in what matters.",
    example=Example("--force", "changes[1].verdict.code != not-comparable"),
)
_MISSED = Example("--require 'pooled.connections.change>99'", "4", "exit code")
_UNDECIDED = Example("--require 'p99.change<=10%' --strict", "4", "exit code")


@click.command(
    "compare",
    cls=Command,
    options=(
        *exports.OF_CHANGES,
        replace(REQUIRE, example=_MISSED),
        replace(STRICT, example=_UNDECIDED),
        _FORCE,
        *judging("the first NEW's", "change", "changes[0].verdict.code"),
        NO_COLOR,
    ),
    short_help="Compare stored runs with an earlier one.",
    epilog="Exit codes: 4 where a requirement was missed, 2 where a file or an option is no good, "
    "else 0, whatever the verdict is: --require 'verdict!=worse' makes it count.",
)
@click.argument("base", metavar="BASE.json", type=PATH)
@click.argument("news", metavar="NEW.json...", nargs=-1, type=PATH)
def command(asked: Asked, base: str, news: tuple[str, ...]) -> ExitCode:
    """Say what changed from one run to each of the others; - is standard input.

    \b
    kab compare yesterday.json today.json --require 'pooled.p95.change<=10%'
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # --help does without
    from keepalive_bench.compare import compare_runs  # noqa: PLC0415  # the same

    _check_files((base, *news))
    wanted, strict = exports.wanted(asked), asked[STRICT] is True
    shown = Screen(wanted.values(), color=not asked[NO_COLOR])
    earlier, *later = _sources((base, *news), asked)
    requirements, forced = asked.each(REQUIRE), asked[_FORCE] is True
    changes = [compare_runs(earlier, it, requirements, forced=forced) for it in later]
    try:
        with exports.opened(wanted) as opened:
            opened.write(exports.Changes(changes, strict))
    finally:
        _show(changes, shown, strict=strict)
    return shown.code(_exit_code(changes, strict=strict))


def _check_files(paths: Sequence[str]) -> None:
    if len(paths) == 1:
        raise UsageError("There is nothing to compare with: kab compare BASE.json NEW.json.")
    news = paths[1:]
    twice = next((path for path in news if news.count(path) > 1), None)
    if twice is not None:
        raise UsageError(f"{filename(twice)} is named twice: name each NEW once.")
    if paths.count(STDIN) > 1:
        raise UsageError("Standard input (-) holds one run: name a file for the other.")


def _sources(paths: Sequence[str], asked: Asked) -> list[Source]:
    """The runs in the files, all judged alike: as the first NEW was, but for what is given.

    What was demanded of the single runs isn't demanded of what changed.
    """
    from keepalive_bench.cli.planning import judged  # noqa: PLC0415  # --help does without
    from keepalive_bench.compare.change import Source  # noqa: PLC0415  # the same
    from keepalive_bench.outcome import analyse  # noqa: PLC0415  # the same
    from keepalive_bench.plan.document import plan_document  # noqa: PLC0415  # the same

    runs = [load_run(path) for path in paths]
    rule = replace(judged(runs[1].plan, asked).decision_rule, requirements=())
    sources = []
    for path, stored in zip(paths, runs, strict=True):
        run = stored._replace(plan=replace(stored.plan, decision_rule=rule))
        name = "standard input" if path == STDIN else path
        sources.append(Source(name, run, analyse(run), plan_document(stored.plan)))
    return sources


def _show(changes: Sequence[Change], shown: Screen, *, strict: bool) -> None:
    """Print a part for each new run; only how requirements stand, where results go to stdout."""
    from keepalive_bench.compare.report import terminal_parts  # noqa: PLC0415  # --help does without

    width, plain_ascii = shown.out.width, shown.plain_ascii
    for number, change in enumerate(changes):
        if shown.is_for_remarks:
            shown.show_requirements(change.requirements, strict=strict)
            continue
        if number:
            shown.out.print()
        shown.show(terminal_parts(change, width, plain_ascii=plain_ascii, strict=strict))


def _exit_code(changes: Sequence[Change], *, strict: bool) -> ExitCode:
    from keepalive_bench.report.requirements import worst  # noqa: PLC0415  # --help does without

    checked = [it for change in changes for it in change.requirements]
    is_missed = worst(checked, strict=strict) == "missed"
    return ExitCode.REQUIREMENT_MISSED if is_missed else ExitCode.MEASURED
