"""How help is set: as wide as the terminal, 80 columns at most, in the characters that it has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from click.formatting import wrap_text

from keepalive_bench.units import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDEST, _NARROW = 80, 60
_UNBROKEN, _UNPARTED = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"
"""What lines aren't broken after, in the place of others: options and codes have hyphens."""
_TERMS, _GAP, _INDENT = 26, 2, 4


class Formatter(click.HelpFormatter):
    """Where Click takes 50 columns at least, and sets a column of 10 beside long terms."""

    def __init__(self, **_: Any) -> None:  # noqa: ANN401  # what Click would set it by
        """Take the terminal's width."""
        from shutil import get_terminal_size  # noqa: PLC0415  # it takes longer than all of kab -V

        # A terminal that ends lines by itself would leave an empty one after a full one.
        super().__init__(width=min(get_terminal_size().columns, _WIDEST) - 1)
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._plain_ascii = not encoding.lower().startswith("utf")

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        self.write_text(f"{heading}:")

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(self._said(text))

    def write_dl(
        self,
        rows: Iterable[tuple[str, str]],
        col_max: int = _TERMS,
        col_spacing: int = _GAP,
    ) -> None:
        """Write terms, each with its text beside it, or below it where it is long."""
        told = [(self._said(term), self._said(text)) for term, text in rows]
        widest = max((len(term) for term, _ in told if len(term) <= col_max), default=0)
        is_beside = self.width >= _NARROW
        beside = widest + col_spacing if is_beside else _INDENT
        indent = " " * (self.current_indent + beside)
        for term, text in told:
            first = wrap_text(term, self.width, *2 * (" " * self.current_indent,)).splitlines()
            lines = wrap_text(text, self.width - len(indent)).splitlines()
            if is_beside and lines and len(first[-1]) + col_spacing <= len(indent):
                first[-1] = f"{first[-1]:{len(indent)}}{lines.pop(0)}"
            self.write("".join(f"{it}\n" for it in (*first, *(f"{indent}{it}" for it in lines))))

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines as they are, to be copied."""
        self.write("".join(f"{'':{self.current_indent}}{self._said(it)}\n" for it in lines))

    def getvalue(self) -> str:
        """All that was written."""
        return super().getvalue().replace(_UNBROKEN, "-").replace(_UNPARTED, " ")

    def _said(self, text: str) -> str:
        said = for_terminal(text, plain_ascii=self._plain_ascii).replace("-", _UNBROKEN)
        return said.replace("[default: ", f"[default:{_UNPARTED}")


class Context(click.Context):
    """A context whose help is set so."""

    formatter_class = Formatter
