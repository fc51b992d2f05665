"""`kab trace PROGRAM`: does a program reuse its connections, and which line of it doesn't?"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepalive_bench.cli import exports
from keepalive_bench.cli.options import (
    GITHUB,
    NO_COLOR,
    QUIET,
    REQUIRE,
    STRICT,
    VERBOSE,
    Command,
    Declared,
)
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import Example, Option
from keepalive_bench.units import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from click.shell_completion import CompletionItem

    from keepalive_bench.plan.options import Asked

_UNITS: dict[str, int] = {
    unit: base**power
    for base, units in (
        (1000, ("b", "kb", "mb", "gb", "tb")),
        (1024, ("", "kib", "mib", "gib", "tib")),
    )
    for power, unit in enumerate(units)
}
_LEAST_RECORDS = 10**3


def _parse_size(text: str) -> int:
    """Bytes: `1GB`, `500 MB`, `64MiB`; a number alone is of bytes."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?) ?([a-zA-Z]*)", text)
    if not found or found[2].lower() not in _UNITS:
        raise UsageError(f"{quoted(text)} is no size (--max-records): 1GB, 500MB and 64MiB are.")
    size = round(float(found[1]) * _UNITS[found[2].lower()])
    if size < _LEAST_RECORDS:
        raise UsageError(f"--max-records is 1kB at least, and not {quoted(text)}.")
    return size


_MODULE = Option(
    parse=str,
    group="Program",
    spelling="-m, --module NAME",
    help="Run a Python module, as python -m does; what follows is its.",
    more="The Python is $VIRTUAL_ENV's, or else PATH's: kab itself may live elsewhere.",
    example=Example("-m this", "Beautiful is better than ugly.", "said"),
)
_RECORDS = Option(
    parse=str,
    source="path",
    group="Program",
    spelling="--records DIR",
    help="Keep the records in this folder, for --read.",
    more="It is made, or must be empty; records of an earlier program are replaced.",
    example=Example("--records {csv}", "csv can't be a folder for records", "said"),
)
_READ = Option(
    parse=str,
    source="path",
    group="Program",
    spelling="--read DIR",
    help="Report a folder of records; run nothing.",
    more="Also while the program still runs, or after kab was killed.",
    example=Example("--read {records}", "processes[0].requests == 0"),
)
_DEFAULT_SIZE = "1GB"
_MAX_RECORDS = Option(
    parse=_parse_size,
    group="Program",
    spelling="--max-records SIZE",
    help=f"Stop recording at this size; the program goes on.  [default: {_DEFAULT_SIZE}]",
    example=Example("--max-records 10kB", "processes == []"),
)
_REPORT = Option(
    parse=str,
    source="path",
    group="Output",
    spelling="--report FILE",
    help="Write the report here, not to standard error.",
    example=Example("--report {written}", "Traced: 1 process", "written"),
)
_MISSED = Example("--require 'reuse>=99%'", "4", "exit code")
_ANNOTATED = Example(f"{_MISSED.words} --github", "::error title=Missed", "said")
_UNDECIDED = Example("--require 'latency_reused.p50<=1s' --strict", "4", "exit code")
_DETAILED = Example("-v", "first-use,", "said")
_UNTOLD = Example("--quiet -m this", "kab trace runs", "unremarked")


class _Program(click.Argument):
    """A program's words: the first is a command, or a file; kab doesn't know the others."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer files, and in front commands on PATH."""
        from keepalive_bench.cli.shells import commands, files  # noqa: PLC0415  # only a shell asks

        found = [] if _has_begun(ctx) else commands(incomplete)
        return found or files(incomplete)


def _has_begun(context: click.Context) -> bool:
    """Whether a program is named in front of what a shell completes."""
    return bool(context.params.get("program") or context.params.get(_MODULE.name))


class _Command(Command):
    """A command whose options end where its program begins, whose words are left alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part kab's own words from the program's."""
        count = _own_words(args, [it.declared for it in self.params if isinstance(it, Declared)])
        own, given = args[:count], args[count:]
        if given[:1] == ["--"]:
            del given[0]
        return super().parse_args(ctx, [*own, "--", *given] if given else own)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer kab's options, or files where they are the program's."""
        from keepalive_bench.cli.shells import files  # noqa: PLC0415  # only a shell asks

        return files(incomplete) if _has_begun(ctx) else super().shell_complete(ctx, incomplete)


def _own_words(words: Sequence[str], options: Sequence[Option[Any]]) -> int:
    """How many words in front are kab's: up to `--`, to what is no option, or to what `-m` names.

    An option that kab doesn't have counts as its own, for it to complain.
    """
    takes_value = {flag: it.form != "switch" for it in options for flag in it.flags}
    count = 0
    while count < len(words) and words[count].startswith("-") and words[count] not in {"-", "--"}:
        flag, is_joined = _last_option(words[count], takes_value)
        count += 1 if is_joined or not takes_value.get(flag) else 2
        if flag in _MODULE.flags:
            break
    return min(count, len(words))


def _last_option(word: str, takes_value: Mapping[str, bool]) -> tuple[str, bool]:
    """The option in a word that may take a value, and whether that is in the word, too."""
    if word.startswith("--"):
        flag, joined, _ = word.partition("=")
        return flag, bool(joined)
    for end, letter in enumerate(word[1:], 2):
        if takes_value.get(f"-{letter}"):
            return f"-{letter}", end < len(word)
    return word, False


@click.command(
    "trace",
    cls=_Command,
    options=(
        _MODULE,
        _RECORDS,
        _READ,
        _MAX_RECORDS,
        *exports.OF_TRACE,
        replace(GITHUB, example=_ANNOTATED),
        _REPORT,
        replace(
            REQUIRE,
            group="Output",
            help="End with 4 unless it holds: 'reuse>=90%', or of one origin "
            "'api.example.com:443: reuse>=90%'.",
            example=_MISSED,
        ),
        replace(STRICT, group="Output", example=_UNDECIDED),
        replace(VERBOSE, help="Tell more, and show each connection.", example=_DETAILED),
        replace(QUIET, help="Don't say which Python -m runs.", example=_UNTOLD),
        NO_COLOR,
    ),
    short_help="Does a program reuse its connections, and which line of it doesn't?",
    epilog="kab reports when the program has ended, on standard error. The exit code is the "
    "program's; 4 where that is 0 and a --require was missed; 127 where there is no such program, "
    "126 where it can't be executed, 2 where an option is wrong. A report that can't be made or "
    "written never changes it.",
)
@click.argument("program", metavar="PROGRAM...", nargs=-1, type=click.UNPROCESSED, cls=_Program)
def command(asked: Asked, program: tuple[str, ...]) -> int:
    """Run a program, and say how it reused its HTTP connections, and why it opened each.

    The first word that is no option of kab's begins the program; what follows is the program's.

    \b
    kab trace python app.py --its-own-option
    kab trace -m package.module
    kab trace --require 'reuse>=90%' pytest -x
    """  # noqa: D301  # \b is Click's mark for text that is not to be rewrapped
    from keepalive_bench.cli import tracing  # noqa: PLC0415  # --help and completion do without
    from keepalive_bench.trace.program.folder import Folder  # noqa: PLC0415  # the same
    from keepalive_bench.trace.requirements import trace_requirements  # noqa: PLC0415  # the same

    required = trace_requirements(asked.each(REQUIRE))
    wanted = tracing.Wanted(asked, required, asked[STRICT] is True, asked[_REPORT])
    folder = asked[_READ]
    if folder is not None:
        if program or asked[_MODULE] is not None:
            raise UsageError("--read reports a folder and runs nothing: leave the program out.")
        return tracing.reported(folder, wanted)
    words = _words(asked, program)
    most_bytes = asked[_MAX_RECORDS] or _MAX_RECORDS.parse(_DEFAULT_SIZE)
    return tracing.traced(words, Folder(asked[_RECORDS]), most_bytes, wanted)


def _words(asked: Asked, program: tuple[str, ...]) -> tuple[str, ...]:
    """The program's words; of a module, those that have Python run it."""
    module = asked[_MODULE]
    if module is None and not program:
        raise UsageError(
            "There is no program to trace: kab trace python app.py, or --read DIR for the records "
            "of one."
        )
    if module is None:
        return program
    python = _python()
    if not asked[QUIET]:
        click.echo(printable(f"kab trace runs {python} -m {module}"), err=True)
    return (python, "-m", module, *program)


def _python() -> str:
    """The interpreter that whoever types `python` means."""
    place = os.environ.get("VIRTUAL_ENV")
    if place:
        return str(Path(place, "bin", "python"))
    found = shutil.which("python") or shutil.which("python3")
    if found is None:
        raise UsageError("There is no python on PATH to run a module with (-m): name one instead.")
    return found
