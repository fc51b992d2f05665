"""What the server has seen: the outside truth that a client's own counts are held against."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename, json_in_log

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

    from keepalive_bench.server.received import ReceivedRequest


@dataclass(frozen=True, kw_only=True)
class Stats:
    """How often what happened since the server was started.

    Attributes:
        accepts: TCP connections accepted, health checks and `/stats` included.
        handshakes: TLS handshakes completed.
        requests: Complete requests read, those for `/stats` included.
        stats_requests: The requests for `/stats` among them.
        faults: Times that the server did what a `Fault` asks for, or began to.
    """

    accepts: int = 0
    handshakes: int = 0
    requests: int = 0
    stats_requests: int = 0
    faults: int = 0

    def __str__(self) -> str:
        plain = f"accepts {self.accepts}, handshakes {self.handshakes}, requests {self.requests}"
        return f"{plain}, faults {self.faults}" if self.faults else plain


class Counter:
    """Counts for many threads at once: none is lost, and a snapshot is consistent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = asdict(Stats())

    def add(self, *happened: str) -> None:
        """Count what these fields of `Stats` name, at one moment."""
        with self._lock:
            for name in happened:
                self._counts[name] += 1

    def snapshot(self) -> Stats:
        """Read all counts at one moment."""
        with self._lock:
            return Stats(**self._counts)


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

    def write(self, connection: int, request: ReceivedRequest, body: bytes) -> None:
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
