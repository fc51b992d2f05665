"""`kab places A.json B.json...`: what reuse is worth at each of several places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import GITHUB, NO_COLOR, PATH, REQUIRE, STRICT, Command, judging
from keepalive_bench.plan.options import Example

if TYPE_CHECKING:
    from keepalive_bench.cli.screen import Screen
    from keepalive_bench.errors import ExitCode
    from keepalive_bench.places.report import Places
    from keepalive_bench.plan.options import Asked

_MISSED = Example("--require 'total.connections<=1'", "4", "exit code")
_ANNOTATED = Example(f"{_MISSED.words} --github", "::error title=Missed", "said")
_UNDECIDED = Example("--require 'p99<=10s' --strict", "4", "exit code")


@click.command(
    "places",
    cls=Command,
    options=(
        *exports.OF_PLACES,
        replace(GITHUB, example=_ANNOTATED),
        replace(
            REQUIRE,
            help="End with 4 unless it holds at each place: 'pooled.p95<=50ms'; at one: "
            "'eu-west: reopened==0'; or of all: 'total.lost==0'. See kab explain requirements.",
            example=_MISSED,
        ),
        replace(STRICT, example=_UNDECIDED),
        *judging("as in the run", "speed-up", "places[0].verdict.code"),
        NO_COLOR,
    ),
    short_help="What is reuse worth at each of several places?",
    epilog="A place is called as NAME=FILE says, or as --place said when it was measured, or as "
    "its file. One whose file can't be read is lost. Exit codes, the first that applies: "
    "2, it was called wrongly; 1, nothing was measured anywhere; 4, a --require was missed; 3, a "
    "place is lost, or requests failed or weren't sent; else 0.",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
def command(asked: Asked, files: tuple[str, ...]) -> ExitCode:
    """Compare runs that were made at several places: files, folders, or - for JSON Lines.

    \b
    kab places eu.json us=results/us-east-1.json.gz artifacts/
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli.gathering import Gathering, exit_code  # noqa: PLC0415  # --help does without
    from keepalive_bench.cli.place_files import found_in, sources  # noqa: PLC0415  # the same
    from keepalive_bench.cli.screen import Screen  # noqa: PLC0415  # the same

    wanted = exports.wanted(asked)
    shown = Screen(wanted.values(), asked)
    gathering = Gathering(asked, asked.each(REQUIRE))
    for source in sources(files):
        for found in found_in(source, shown.remark):
            gathering.add(found)
    result = gathering.side_by_side(strict=asked[STRICT] is True)
    try:
        with exports.opened(wanted) as opened:
            opened.write(result)
    finally:
        show(result, shown)
    return shown.code(exit_code(result))


def show(result: Places, shown: Screen) -> None:
    """Print places side by side; only how requirements stand, where results go to stdout."""
    from keepalive_bench.places.report.terminal import terminal_parts  # noqa: PLC0415  # --help does without

    if shown.is_for_remarks:
        shown.show_requirements(result.requirements, strict=result.strict)
    else:
        shown.show(terminal_parts(result, shown.out.width, plain_ascii=shown.plain_ascii))
    if shown.annotating:
        from keepalive_bench.places.report.dialects import annotation_lines  # noqa: PLC0415  # the same

        shown.annotate(annotation_lines(result))
