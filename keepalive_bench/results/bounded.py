"""JSON from a file that may be hostile: bounded; what is wrong with it is a sentence."""

from __future__ import annotations

import io
import json
import reprlib
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import OtherDocumentError, ResultsFileError, UsageError
from keepalive_bench.typed_json import Document, FaultError
from keepalive_bench.units import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 256 * 2**20
"""Of a file, packed columns left out. A run's exchanges take 3 million at most."""
_MOST_PARTS = 10_000_000
"""Numbers, texts, lists and members; a parsed one takes up to 80 bytes."""
_MOST_DIGITS = 40
_LONGEST_REASON = 200
_IS_NONE = "isn't a kab results file"
_NONE = f"{_IS_NONE}, or is damaged"
TOO_LARGE = "it is larger than a results file that kab reads"


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Say what is wrong with a file that is called so.

    Raises:
        ResultsFileError: something is.
    """
    try:
        yield
    except ResultsFileError:
        raise
    except FaultError as error:
        raise ResultsFileError(f"{name} {_NONE}: {error}.") from error
    except UsageError as error:
        why = printable(textwrap.shorten(str(error), _LONGEST_REASON, placeholder=" …"))
        raise ResultsFileError(f"{name} {_NONE}. {why}") from error
    except KeyError as error:
        what = f"{quoted(str(error.args[0]))} is missing"
        raise ResultsFileError(f"{name} {_NONE}: {what}.") from error
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ResultsFileError(f"{name} {_NONE}.") from error
    except RecursionError:
        raise ResultsFileError(f"{name} {_NONE}: it is nested too deep.") from None


def parsed(lines: Iterable[str]) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A document from its lines, which may come in pieces, and are few enough.

    Raises:
        FaultError: it is no JSON, or more than memory should be spent on.
    """
    parts = io.StringIO()  # millions of lines would take more memory than what is in them
    parts.writelines(lines)
    text = parts.getvalue()
    if sum(map(text.count, ",[{:")) > _MOST_PARTS:
        raise FaultError("it has more parts than a results file that kab reads")
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
            raise FaultError("it ends too early") from None
        raise FaultError(f"it isn't JSON at line {error.lineno}, column {error.colno}") from None


def no_more_than(most: int, lines: Iterable[str]) -> Iterator[str]:
    """The same lines.

    Raises:
        FaultError: they have more characters than that.
    """
    characters = 0
    for line in lines:
        characters += len(line)
        if characters > most:
            raise FaultError(TOO_LARGE)
        yield line


def check_version(
    document: Any,  # noqa: ANN401  # whatever JSON can hold
    name: str,
    version: int,
    kind: str | None = None,
    command: str = "kab run",
) -> Document:
    """A document of a version, and of a kind where it has one; `command` writes those.

    Raises:
        ResultsFileError: it is another.
    """
    if not isinstance(document, dict):
        raise OtherDocumentError(f"{name} {_IS_NONE}: it isn't a JSON object.")
    is_kind = document.get("kind")
    if is_kind != kind and isinstance(is_kind, str):
        raise OtherDocumentError(
            f"{name} {_IS_NONE}: it is of the kind {quoted(is_kind)}, and {command} "
            "writes another.",
            is_kind,
        )
    if kind is not None and is_kind != kind:
        raise OtherDocumentError(f"{name} {_IS_NONE} of {command}: it is of no kind.")
    if "schema_version" not in document:
        raise OtherDocumentError(f"{name} {_IS_NONE}: it has no schema_version.")
    found = document["schema_version"]
    if found != version or isinstance(found, bool | float):
        shown = printable(reprlib.repr(found))
        is_newer = isinstance(found, int) and found > version
        advice = " A newer kab wrote it: update kab." if is_newer else ""
        raise ResultsFileError(
            f"{name} has schema version {shown}; this kab reads version {version}.{advice}"
        )
    return document


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise FaultError(f"it has a number of {len(text):,} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise FaultError(f"{text} isn't a JSON number")
