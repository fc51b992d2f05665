"""Writing down what was on the wire, one request a line."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename, json_in_log

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from keepalive_bench.server.messages import Request


class Recorder:
    """Appends requests to a file; a line is complete before its request is answered.

    Raises:
        UsageError: The file can't be written to.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._file = path.open("a", encoding="ascii")
        except OSError as error:
            raise UsageError(f"Can't record to {filename(path)}: {error.strerror}.") from error

    def write(self, connection: int, request: Request, body: bytes) -> None:
        """Append one request.

        Bytes become text as latin-1, which loses none; JSON then escapes all but ASCII.
        """
        document = {
            "connection": connection,
            "request": request.line.decode("latin-1"),
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")]
                for name, value in request.fields.lines
            ],
            "body": body.decode("latin-1"),
        }
        line = json_in_log(json.dumps(document))
        with self._lock:
            if not self._file.closed:
                self._file.write(f"{line}\n")
                self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; what arrives later is not recorded."""
        with self._lock:
            self._file.close()
