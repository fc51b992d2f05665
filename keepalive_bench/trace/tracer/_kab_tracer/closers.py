"""Who closes a connection of `http.client`'s or a response, and so why: the frames tell.

And what there is on a socket that a pool finds it can read from, though nobody has asked anything.
"""

from __future__ import annotations

import sys

from .system import is_programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

FOUND, POOL_FULL, POOL, RESPONSE, REQUEST = "found", "pool-full", "pool", "response", "request"
PROGRAM, EXIT = "program", "exit"
_CLOSERS = {
    "_get_conn": (("connectionpool.py", FOUND),),
    "_put_conn": (("connectionpool.py", POOL_FULL),),
    "_close_pool_connections": (("connectionpool.py", POOL),),
    "close": (("connectionpool.py", POOL), ("response.py", RESPONSE)),
    "_error_catcher": (("response.py", RESPONSE),),
    "urlopen": (("connectionpool.py", REQUEST),),
}
"""Functions of urllib3's that close connections, by name and file, wherever it is installed."""
_INCOMPLETE = "http.client.IncompleteRead"
_BREAKING = ("_update_chunk_length", "_read_next_chunk_size")
"""They close a response because what they have read makes no sense."""
_CATCHER = "_error_catcher"
_CHUNKS_READER = "read_chunked"
"""urllib3 reads chunks by itself, and then closes the response."""
_TCP, _TCP_INFO, _CLOSE_WAIT, _PEEK = 6, 11, 8, 0x02 | 0x40
"""Linux's: the peer has sent its end, and MSG_PEEK | MSG_DONTWAIT."""
_ALERT, _ENCRYPTED, _HEAD, _LONGEST_ALERT = 0x15, 0x17, 5, 24
_RECORDS = tuple(bytes((kind, 3)) for kind in (_ALERT, _ENCRYPTED))
"""How records of TLS begin that come after a handshake: an alert, and what is encrypted."""
_LOOK = 4096


def closer_of(frame: FrameType | None) -> str:
    """Who closes a connection: one of the above."""
    while frame is not None:
        code = frame.f_code
        roles = _CLOSERS.get(code.co_name)
        if roles is None:
            break
        for tail, role in roles:
            if code.co_filename.endswith(tail):
                return EXIT if _is_exit(frame) else role
        if code.co_name != "close":
            break
        frame = frame.f_back
    return PROGRAM


def _is_exit(frame: FrameType) -> bool:
    """Whether a pool's connections are closed by `weakref`, as the process ends."""
    caller = frame.f_back and frame.f_back.f_back
    return caller is not None and caller.f_code.co_name == "_exitfunc"


def broken_by(response: Any, frame: FrameType) -> str | None:  # noqa: ANN401  # http.client's
    """Why a response is let go: an error's name; empty: nobody reads on; `None`: it was all read.

    Args:
        response: of `http.client`'s.
        frame: who calls its `_close_conn`.
    """
    name = frame.f_code.co_name
    if name == "close":
        is_whole = response.length == 0 and not response.chunked
        # urllib3 keeps the connection until a response is read, even if there is nothing to read.
        is_dropped = closer_of(frame.f_back) == RESPONSE
        return None if is_whole and not is_dropped else _closed_for(frame.f_back)
    is_short = not response.chunked and response.length
    return _INCOMPLETE if is_short or name in _BREAKING else None


def _closed_for(frame: FrameType | None) -> str | None:
    for _ in range(2):
        if frame is None:
            break
        name = frame.f_code.co_name
        if name == _CHUNKS_READER:
            return None
        if name in _BREAKING:
            return _INCOMPLETE
        if name == _CATCHER:
            error = sys.exc_info()[1]
            # A generator that is dropped reads no further.
            is_none = error is None or isinstance(error, GeneratorExit)
            return "" if is_none or error is None else name_of(cause_of(error))
        frame = frame.f_back
    return ""


def cause_of(error: BaseException) -> BaseException:
    """What a library's own error stands for, if it was made of another one."""
    found: BaseException | None = error
    while found is not None and type(found).__module__.rpartition(".")[2] == "exceptions":
        cause = found.__cause__ or found.__context__
        if cause is None:
            break
        found = cause
    return found or error


def name_of(error: BaseException) -> str:
    """The name of an error's class, with its module's, unless it is built in."""
    of = type(error)
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"


def found_on(sock: Any) -> str:  # noqa: ANN401  # whatever the library has for one
    """What is there on a connection that was to be used again, and can be read from: an ending."""
    sock = getattr(sock, "_sock", sock)  # gevent's
    module = sys.modules.get("_socket")
    if module is None or not isinstance(sock, module.socket):
        return "found-closed"
    raw = module.socket  # its own methods see what is on the wire, also under TLS
    try:
        data = raw.recv(sock, _LOOK, _PEEK)
        state = raw.getsockopt(sock, _TCP, _TCP_INFO, 1)[0] if sys.platform == "linux" else 0
    except ConnectionResetError:
        return "found-rst"
    except BrokenPipeError:  # it was reset after its end
        return "found-fin"
    except OSError as error:
        if is_programs(error):
            raise
        return "found-closed"
    # asyncio's have TLS elsewhere: then the first record tells.
    is_tls = hasattr(sock, "getpeercert") or data[:2] in _RECORDS
    if not data or (is_tls and (state == _CLOSE_WAIT or _says_goodbye(data))):
        return "found-fin"
    return "found-data"


def _says_goodbye(data: bytes) -> bool:
    """Whether there is an alert among records of TLS: encrypted, it is known by its length."""
    while len(data) >= _HEAD:
        length = data[3] << 8 | data[4]
        if data[0] == _ALERT or (data[0] == _ENCRYPTED and length <= _LONGEST_ALERT):
            return True
        data = data[_HEAD + length :]
    return False
