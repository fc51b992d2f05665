"""Where the results of places are: files, folders of them, standard input; each with its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.cli.gathering import Found
from keepalive_bench.cli.reading import STDIN, load_run, runs_in_lines
from keepalive_bench.errors import OtherDocumentError, UsageError
from keepalive_bench.places.place import LostPlace
from keepalive_bench.plan.plan import check_place
from keepalive_bench.units import clipped, filename, plural, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_ENDINGS = (".json", ".json.gz")


class Source(NamedTuple):
    """Where the result of one place is, or those of several."""

    path: str
    name: str
    """As the user calls the place; empty: as its run says, or else its file."""
    folder: str | None = None
    """The folder that it was found in; `None`: the user named the file itself."""

    @property
    def called(self) -> str:
        """What a place is called that nobody named: as its file, from the folder on."""
        path = Path(self.path)
        name = str(path.relative_to(self.folder)) if self.folder is not None else path.name
        ending = next((it for it in reversed(_ENDINGS) if name.endswith(it)), "")
        return clipped(name.removesuffix(ending)) or filename(self.path)


def sources(words: Iterable[str]) -> Iterator[Source]:
    """The files that words of the command line name: `FILE`, `NAME=FILE`, a folder, or `-`.

    Raises:
        UsageError: a folder holds no results, or can't be read, or a place can't be called so.
    """
    for word in words:
        name, path = _parted(word)
        if path != STDIN and _is_folder(path):
            if name:
                raise UsageError(
                    f"{filename(path)} is a folder, whose places have names of their own: leave "
                    f"{quoted(name)} out, or name a file."
                )
            yield from (Source(it, "", path) for it in _within(path))
        elif "://" in path and not os.path.lexists(path):
            raise UsageError(
                f"{quoted(path)} is a URL, and kab places reads results: measure with kab run."
            )
        else:
            if name:
                check_place(name, "NAME=FILE")
            yield Source(path, name)


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:  # whoever reads it is told why that can't be
        return False


def _parted(word: str) -> tuple[str, str]:
    """The name and the path in `NAME=FILE`; a file that is called so is one."""
    name, sign, path = word.partition("=")
    if not sign or not name or not path or os.path.lexists(word) or os.sep in name:
        return "", word
    return name, path


def _within(folder: str) -> Iterator[str]:
    """The results files in a folder and those below, in order; hidden ones are none."""
    found = []
    for where, below, names in os.walk(folder, onerror=_refuse):
        below[:] = [it for it in below if not it.startswith(".")]
        results = (it for it in names if it.endswith(_ENDINGS) and not it.startswith("."))
        found += [str(it) for it in (Path(where, name) for name in results) if _is_regular(it)]
    if not found:
        raise UsageError(f"The folder {filename(folder)} has no *.json or *.json.gz files.")
    yield from sorted(found)


def _is_regular(path: Path) -> bool:
    """Whether it is a file, or a link that leads nowhere: that place is lost."""
    return path.is_file() or not path.exists()


def _refuse(error: OSError) -> None:
    raise UsageError(f"{filename(error.filename)} can't be read: {error.strerror}.")


def found_in(source: Source, remark: Callable[[str], None]) -> Iterator[Found | LostPlace]:
    """The results at a source, one after the other; one that can't be read is lost.

    `remark` is told of what was never to hold any, and is skipped: other JSON in a folder, and
    lines of standard input that aren't JSON, as a log has them.

    Raises:
        UsageError: standard input holds nothing, or can't be read.
    """
    if source.path == STDIN:
        yield from _of_lines(source.name, remark)
        return
    shown = filename(source.path)
    try:
        run = load_run(source.path)
    except UsageError as error:
        if isinstance(error, OtherDocumentError) and source.folder is not None:
            remark(f"Skipped: {error}")
        else:
            yield LostPlace(source.name or source.called, shown, str(error))
    else:
        yield Found(source.name or run.plan.known.place or source.called, shown, run)


def _of_lines(name: str, remark: Callable[[str], None]) -> Iterator[Found | LostPlace]:
    """The runs on standard input, a line each."""
    number, skipped = 0, []
    for number, run in runs_in_lines():
        called, shown = name or f"line {number}", f"line {number:,} of standard input"
        if run is None or isinstance(run, OtherDocumentError):
            skipped.append(number)
        elif isinstance(run, UsageError):
            yield LostPlace(called, shown, str(run))
        else:
            yield Found(name or run.plan.known.place or called, shown, run)
    if skipped:
        lines = plural(len(skipped), "line")
        remark(f"Skipped {lines} of standard input that hold no run, the first one {skipped[0]:,}.")
    if number == len(skipped) == 0:
        raise UsageError("Standard input holds no results: it is empty.")
