"""`kab compare BASE.json... --new NEW.json`: what changed from stored runs to others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import GITHUB, NO_COLOR, PATH, REQUIRE, STRICT, Command, judging
from keepalive_bench.cli.reading import STDIN
from keepalive_bench.cli.renderers import Changes
from keepalive_bench.errors import ExitCode, UsageError
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.compare.change import Change, Source
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.probe.record import ProbeRecord
    from keepalive_bench.results.run import Run


_FORCE = Option(
    form="switch",
    parse=bool,
    spelling="--force",
    group="Comparison",
    help="Compare even runs whose plans differ.",
    more="In what matters, that is: what is sent, or how.",
    example=Example("--force", "changes[1].verdict.code != not-comparable"),
)
_NEW = Option(
    form="repeatable",
    parse=str,
    source="path",
    spelling="--new NEW.json",
    group="Comparison",
    help="Compare this run with all BASE files together.",
    more="Three or more BASE files show how much runs vary.",
    example=Example("--new {latest}", "bases[2].method == PUT"),
)
_MISSED = Example("--require 'pooled.connections.change>99'", "4", "exit code")
_ANNOTATED = Example(f"{_MISSED.words} --github", "::error title=Missed", "said")
_UNDECIDED = Example("--force --require 'p99.change<=10%' --strict", "4", "exit code")


@click.command(
    "compare",
    cls=Command,
    options=(
        _NEW,
        *exports.OF_CHANGES,
        replace(GITHUB, example=_ANNOTATED),
        replace(
            REQUIRE,
            help="End with 4 unless it holds: 'pooled.p95.change<=10%'; see kab explain "
            "requirements.",
            example=_MISSED,
        ),
        replace(STRICT, example=_UNDECIDED),
        _FORCE,
        *judging("the first NEW's", "change", "changes[0].verdict.code"),
        NO_COLOR,
    ),
    short_help="Compare stored runs or probes with earlier ones.",
    epilog="Exit codes: 4 where a --require was missed, or the runs can't be compared and there is "
    "a --require; 2 where a file or an option is no good; else 0. --require 'verdict!=worse' makes "
    "the verdict count.",
)
@click.argument("files", metavar="BASE.json...", nargs=-1, required=True, type=PATH)
def command(asked: Asked, files: tuple[str, ...]) -> ExitCode:
    """Say what changed from BASE to each NEW; - is standard input.

    Without --new, the first file is BASE, and each further one a NEW.

    \b
    kab compare yesterday.json today.json --require 'pooled.p95.change<=10%'
    kab compare monday.json tuesday.json wednesday.json --new today.json
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # --help does without
    from keepalive_bench.compare import compare_runs  # noqa: PLC0415  # the same
    from keepalive_bench.probe.record import ProbeRecord  # noqa: PLC0415  # the same

    bases, news = _sides(files, asked.each(_NEW))
    wanted = exports.wanted(asked)
    shown = Screen(wanted.values(), asked)
    stored = _stored((*bases, *news))
    if any(isinstance(it, ProbeRecord) for it in stored.values()):
        from keepalive_bench.cli.compared_probes import carry_out  # noqa: PLC0415  # few are

        return carry_out(bases, news, stored, asked, shown, forced=asked[_FORCE] is True)
    sources = _sources((*bases, *news), stored, len(bases), asked)
    earlier, later = sources[: len(bases)], sources[len(bases) :]
    requirements = asked.each(REQUIRE)
    forced, strict = asked[_FORCE] is True, asked[STRICT] is True
    changes = [
        compare_runs(earlier, it, requirements, forced=forced, strict=strict) for it in later
    ]
    try:
        with exports.opened(wanted) as opened:
            opened.write(Changes(changes))
    finally:
        _show(changes, shown)
    return shown.code(_exit_code(changes))


def _sides(files: Sequence[str], news: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The files of BASE, and those to compare with it."""
    bases, news = (files, news) if news else (files[:1], files[1:])
    if not news:
        raise UsageError(
            "There is nothing to compare with: kab compare BASE.json NEW.json, or "
            "kab compare BASE.json... --new NEW.json."
        )
    for role, paths in (("BASE", bases), ("NEW", news)):
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice is not None:
            raise UsageError(f"{filename(twice)} is named twice: name each {role} once.")
    if (*bases, *news).count(STDIN) > 1:
        raise UsageError("Standard input (-) holds one run: name a file for the other.")
    return bases, news


def _stored(paths: Sequence[str]) -> dict[str, Run | ProbeRecord]:
    """What is in each file."""
    from keepalive_bench.cli.reading import load_stored  # noqa: PLC0415  # --help does without

    return {path: load_stored(path) for path in paths}


def _sources(
    paths: Sequence[str],
    stored: Mapping[str, Run | ProbeRecord],
    first_new: int,
    asked: Asked,
) -> list[Source]:
    """The runs in the files, all judged alike: as the first NEW was, but for what is given.

    What was demanded of the single runs isn't demanded of what changed.
    """
    from keepalive_bench.cli.planning import judged  # noqa: PLC0415  # --help does without
    from keepalive_bench.compare.change import Source  # noqa: PLC0415  # the same
    from keepalive_bench.outcome import analyse  # noqa: PLC0415  # the same
    from keepalive_bench.plan.document import plan_document  # noqa: PLC0415  # the same

    runs = [cast("Run", stored[path]) for path in paths]
    rule = replace(judged(runs[first_new].plan, asked).decision_rule, requirements=())
    sources = []
    for path, it in zip(paths, runs, strict=True):
        run = it._replace(plan=replace(it.plan, decision_rule=rule))
        name = "standard input" if path == STDIN else path
        sources.append(Source(name, run, analyse(run), plan_document(it.plan)))
    return sources


def _show(changes: Sequence[Change], shown: Screen) -> None:
    """Print a part for each new run; only how requirements stand, where results go to stdout."""
    from keepalive_bench.compare.report import terminal_parts  # noqa: PLC0415  # --help does without

    width, plain_ascii = shown.out.width, shown.plain_ascii
    for number, change in enumerate(changes):
        if shown.is_for_remarks:
            shown.show_requirements(change.requirements, strict=change.strict)
            continue
        if number:
            shown.out.print()
        shown.show(terminal_parts(change, width, plain_ascii=plain_ascii))
    if shown.annotating:
        from keepalive_bench.compare.report import annotation_lines  # noqa: PLC0415  # the same

        shown.annotate(annotation_lines(changes))


def _exit_code(changes: Sequence[Change]) -> ExitCode:
    from keepalive_bench.report.requirements import worst  # noqa: PLC0415  # --help does without

    missed = [worst(it.requirements, strict=it.strict) == "missed" for it in changes]
    return ExitCode.REQUIREMENT_MISSED if any(missed) else ExitCode.MEASURED
