"""A results file's text → its document, with packed strings set aside; memory is bounded.

Whatever is read may be hostile: endless, or a small compressed file that becomes a large one.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from keepalive_bench.results.column_codec import MARK, decoded
from keepalive_bench.typed_json import FaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_CHARACTERS = 256 * 2**20
"""Of a file, packed columns left out. A run's exchanges take 3 million at most."""
MOST_PACKED_BYTES, MOST_CHUNKS = 2**30, 2**20
"""Some ten million exchanges; no file of kab's has that many chunks."""
_MOST_PARTS = 10_000_000
"""Numbers, texts, lists and members; a parsed one takes up to 80 bytes."""
_MOST_DIGITS = 40
_PACKED_LINE = re.compile(rf'"({MARK}[A-Za-z0-9+/]*={{0,2}})"(,?)')


def parsed(lines: Iterable[str], chunks: list[bytes]) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A document from its lines, which may come in pieces.

    A packed string that has a line of its own goes to `chunks`, decoded, and only its number
    stays: see `chunk_of`.

    Raises:
        FaultError: it is no JSON, or more than memory should be spent on.
    """
    text = "".join(_within_limits(_without_chunks(lines, chunks), chunks))
    if sum(map(text.count, ",[{:")) > _MOST_PARTS:
        raise FaultError("it has more parts than a results file that kab reads")
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated"):
            raise FaultError("it ends too early") from None
        raise FaultError(f"it is no JSON in line {error.lineno}, column {error.colno}") from None


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise FaultError(f"it has a number of {len(text):,} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise FaultError(f"{text} is no number that JSON has")


def _without_chunks(lines: Iterable[str], chunks: list[bytes]) -> Iterator[str]:
    """A file's lines, with each packed string that has a line of its own decoded and set aside."""
    inside = False
    for line in lines:
        text = line.strip()
        inside = text.endswith('"chunks": [') or (inside and not text.startswith("]"))
        packed = _PACKED_LINE.fullmatch(text) if inside else None  # a parameter can begin so, too
        if packed is None:
            yield line
            continue
        chunks.append(decoded(packed[1]))
        yield f"{len(chunks) - 1}{packed[2]}\n"


def _within_limits(lines: Iterable[str], chunks: list[bytes]) -> Iterator[str]:
    """The lines, as long as they and what was set aside of them are no more than is read."""
    characters = packed = seen = 0
    for line in lines:
        characters += len(line)
        packed += sum(len(chunk) for chunk in chunks[seen:])
        seen = len(chunks)
        if characters > MOST_CHARACTERS or packed > MOST_PACKED_BYTES or seen > MOST_CHUNKS:
            raise FaultError("it is larger than a results file that kab reads")
        yield line


def chunk_of(part: int | str, chunks: list[bytes]) -> bytes | str:
    """A packed string: set aside already, or still in place where lines were joined since."""
    if isinstance(part, str):
        return part
    chunk, chunks[part] = chunks[part], b""
    return chunk
