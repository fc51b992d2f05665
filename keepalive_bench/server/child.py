"""A server in a process of its own, so that it doesn't share the client's interpreter lock."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from keepalive_bench.errors import KabError, UsageError
from keepalive_bench.server.counts import Stats
from keepalive_bench.server.settings import ServerSettings

if TYPE_CHECKING:
    from typing import IO

    from typing_extensions import Self

_TIMEOUT_S = 10.0


class ServerProcess:
    """A running server as a child process; as a context manager it is stopped at the end.

    The child is in a session of its own, where no Ctrl-C of this terminal reaches it, and ends
    by itself when this process ends, even by SIGKILL: it reads from a pipe that we hold.

    Attributes:
        url: Its address, such as ``http://127.0.0.1:41233``.
        host: The address's host, an IPv6 one without brackets.
        port: The address's port.
        pid: The child's process ID.

    Raises:
        UsageError: The address can't be served, the record can't be written, or the certificate
            can't be used.
        KabError: The child failed; its standard error, which is ours, says more.
    """

    def __init__(self, settings: ServerSettings | None = None) -> None:
        self._settings = settings = settings or ServerSettings()
        self._final: Stats | None = None
        self._process = subprocess.Popen(  # noqa: S603 - our own program, and no user's words
            [sys.executable, "-m", f"{__package__}.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # From there the child imports this very package, and no file of the user's.
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        try:
            self.url = self._first_words(settings)
        except BaseException:
            self._end_child()
            raise
        self.pid = self._process.pid
        parts = urlsplit(self.url)
        self.host, self.port = parts.hostname or "", parts.port or 0

    @property
    def certificate(self) -> Path:
        """The certificate it serves, to be trusted as with ``--cacert``."""
        return self._settings.certificate

    def stats(self) -> Stats:
        """Ask the server for its counts.

        That is a connection and a request of its own: each call adds one accept and one
        request (and on HTTPS one handshake) to the counts, this one's included. A fault that
        strikes on any new connection strikes here, too: `stop` tells the counts nevertheless.
        """
        with closing(self._client()) as client:
            client.request("GET", "/stats")
            return Stats(**json.loads(client.getresponse().read()))

    def stop(self) -> Stats:
        """End the server and return its final counts; calling it again just returns them.

        Raises:
            KabError: The server had ended before, or couldn't be ended properly.
        """
        if self._final is None:
            last_line = self._end_child(b"stop\n")
            if not last_line:
                raise self._failure()
            self._final = Stats(**json.loads(last_line))
        return self._final

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            self.stop()
        else:
            with suppress(KabError):  # It would hide the error that ended the block.
                self.stop()

    def _first_words(self, settings: ServerSettings) -> str:
        """Tell the child what to do, and wait for the address it serves."""
        stdin = cast("IO[bytes]", self._process.stdin)
        stdout = cast("IO[bytes]", self._process.stdout)
        with suppress(BrokenPipeError):  # It has died already, and will not answer either.
            stdin.write(f"{settings.to_json()}\n".encode())
            stdin.flush()
        line = stdout.readline()
        if not line:
            raise self._failure()
        words: dict[str, str] = json.loads(line)
        if "refused" in words:
            raise UsageError(words["refused"])
        return words["url"]

    def _end_child(self, last_words: bytes = b"") -> bytes:
        """Let the child end, by force if it must be, and return what it has said since."""
        try:
            return self._process.communicate(last_words, _TIMEOUT_S)[0]
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.communicate()[0]

    def _failure(self) -> KabError:
        code = self._process.wait(_TIMEOUT_S)
        return KabError(f"The embedded server ended by itself (exit code {code}).")

    def _client(self) -> HTTPConnection:
        if not self.url.startswith("https:"):
            return HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S)
        # It is our own child, under whatever address and certificate it has.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return HTTPSConnection(self.host, self.port, timeout=_TIMEOUT_S, context=context)
