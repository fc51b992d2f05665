"""A file as the body of a request, streamed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.net.tracer import Tracer


def upload_size(path: Path) -> int:
    """The bytes of a file, which is sent with its length known.

    Raises:
        UsageError: it can't be read.
    """
    shown = filename(path)
    try:
        if not path.is_file():  # a device or a pipe has no length, and opening it may wait
            raise UsageError(f"{shown} is no regular file (--upload-file).")
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise UsageError(f"{shown} can't be read (--upload-file): {error.strerror}.") from None


class TimedUpload(io.FileIO):
    """A file that urllib3 reads block by block, and that ends when the exchange's time is up.

    The socket's own timeout starts anew with each block.
    """

    def __init__(self, path: Path, tracer: Tracer) -> None:
        super().__init__(path)
        self._tracer, self._trace = tracer, tracer.trace

    def read(self, size: int | None = -1, /) -> bytes | Any:  # noqa: ANN401  # typeshed's own type
        """The next block.

        Raises:
            TimeoutError: the exchange's time is up.
        """
        self._trace.remaining_s(self._tracer.clock())
        return super().read(size)
