"""Where results and remarks are shown; standard streams may go away while there is more to lose."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from keepalive_bench.errors import ExitCode
from keepalive_bench.units import for_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import TextIO

    from rich.console import Console, RenderableType

    from keepalive_bench.analysis import Checked
    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.plan.options import Asked

STDOUT = "-"
"""What standard output is called where a file is to be named."""


class Screen:
    """The terminal as its options ask for it, beside the files that are wanted.

    Where standard output is one of them, all else goes to standard error. Where there are others,
    standard output may go away in the meantime, and `code` tells. Where there is none, printing
    raises an OSError: there is nothing to go on for. So does what is shown in a `file`.
    """

    def __init__(
        self, wanted: Collection[str], asked: Asked, *, file: TextIO | None = None
    ) -> None:
        from keepalive_bench.cli.options import (  # noqa: PLC0415  # `kab --version` does without
            GITHUB,
            NO_COLOR,
            QUIET,
            VERBOSE,
        )

        color = not asked[NO_COLOR]
        self.quiet = asked[QUIET] is True
        self.verbose = asked[VERBOSE] is True
        self.annotating = asked[GITHUB] is True
        self.err = _console(_Outlet(sys.stderr), color=color)
        self.out = self.err
        if file is not None:
            self.out = _console(file, color=color)
        elif STDOUT not in wanted:
            self.out = _console(_Outlet(sys.stdout) if wanted else sys.stdout, color=color)

    @property
    def is_for_remarks(self) -> bool:
        """Whether results go to standard output, so that nothing but remarks is shown."""
        return self.out is self.err

    @property
    def plain_ascii(self) -> bool:
        """Whether the terminal knows ASCII only."""
        return _knows_ascii_only(self.out)

    @property
    def can_draw(self) -> bool:
        """Whether standard error is a terminal whose cursor can be moved about."""
        return self.err.is_interactive

    def remark(self, sentence: str) -> None:
        """Say something beside the results."""
        words = for_terminal(sentence, plain_ascii=_knows_ascii_only(self.err))
        self.err.print(words, soft_wrap=True)

    def show(self, parts: Iterable[RenderableType]) -> None:
        """Print what is for Rich to set, in the characters that the terminal has."""
        from rich.console import Group  # noqa: PLC0415  # as `_console`

        with self.out.capture() as captured:
            self.out.print(Group(*parts), crop=False)  # code stays whole
        for line in captured.get().splitlines():  # Rich fills lines up with blanks
            shown = for_terminal(line, plain_ascii=self.plain_ascii).rstrip()
            self.out.file.write(f"{shown}\n")

    def show_lines(self, lines: Iterable[str], interrupts: Interrupts | None = None) -> None:
        """Print a list; Ctrl-C ends it."""
        left = iter(lines)
        while interrupts is None or not interrupts.drain():
            line = next(left, None)
            if line is None:
                return
            self.out.print(line, soft_wrap=True)

    def annotate(self, commands: Iterable[str]) -> None:
        """Say commands to a CI system, a line each, as they are; behind all that was shown."""
        self.out.file.flush()
        for command in commands:
            self.err.file.write(f"{command}\n")
        self.err.file.flush()

    def show_requirements(
        self, requirements: Sequence[Checked], *, strict: bool, missing: bool = False
    ) -> None:
        """Print how each requirement stands, the worst first, where the report isn't shown.

        `missing`: because there is none; that is no result.
        """
        from keepalive_bench.report.requirements import told  # noqa: PLC0415  # the same

        to = self.err if missing else self.out
        plain_ascii = _knows_ascii_only(to)
        for line in told(
            requirements, plain_ascii=plain_ascii, strict=strict, explaining=not missing
        ):
            to.print(for_terminal(line, plain_ascii=plain_ascii), soft_wrap=True)

    def code(self, code: ExitCode) -> ExitCode:
        """The exit code, given what a command came to: a report that got lost is a result, too."""
        error = self.out.file.error if isinstance(self.out.file, _Outlet) else None
        if error is None or self.is_for_remarks:
            return code
        if not isinstance(error, BrokenPipeError):  # otherwise, whoever read it has gone
            self.remark(f"Error: Standard output can't be written: {error.strerror}.")
        return ExitCode.first_of((code, ExitCode.NOTHING_MEASURED))


class _Outlet:
    """Writes to a stream until that fails; from then on, text is dropped and nothing is raised.

    It has what Rich and Click ask of a stream, and no more.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None
        """Why the stream failed; `None`: it hasn't."""

    @property
    def encoding(self) -> str:
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        self._do(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._do(self._stream.flush)

    def _do(self, what: Callable[[], object]) -> None:
        if self.error is None:
            try:
                what()
            except OSError as error:
                self.error = error
                give_up(self._stream)


def give_up(stream: TextIO) -> None:
    """Drop what is still written to a stream; Python itself flushes it once more at its end."""
    with suppress(OSError):  # a stream without a file needs none of it
        number = stream.fileno()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, number)
        os.close(nothing)


def _console(stream: TextIO | _Outlet, *, color: bool) -> Console:
    """Rich's, for a stream; no cursor is moved in a file or a pipe.

    FORCE_COLOR, TTY_COMPATIBLE and TTY_INTERACTIVE make Rich take anything for a terminal. Here
    they bring colours, and nothing else.
    """
    from rich.console import Console  # noqa: PLC0415  # `kab --version` does without

    is_terminal, environ = stream.isatty(), os.environ
    forced = environ.get("FORCE_COLOR") or environ.get("TTY_COMPATIBLE") == "1"
    plain = not color or environ.get("NO_COLOR") or not (is_terminal or forced)
    return Console(
        file=cast("TextIO", stream),  # as far as Rich looks
        color_system=None if plain else "auto" if is_terminal else "standard",
        force_terminal=None if is_terminal else False,
        force_interactive=None if is_terminal else False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _knows_ascii_only(console: Console) -> bool:
    return not console.encoding.lower().startswith("utf")
