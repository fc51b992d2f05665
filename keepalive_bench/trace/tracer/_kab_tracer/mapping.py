"""Files that are mapped into memory: their bytes are really there, and no descriptor is kept."""

from __future__ import annotations

import os
import sys
from errno import EINVAL, EOPNOTSUPP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap


def deadly_size() -> int | None:
    """How large a file may become before a signal kills the process; `None`: none does."""
    signal = sys.modules.get("_signal")
    if signal is not None and signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN:
        return None  # as Python has it, unless the program changes that: it is an error then
    try:
        file = os.open("/proc/self/limits", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for line in os.read(file, 8192).splitlines():
            if line.startswith(b"Max file size"):
                soft = line.split()[3]
                return int(soft) if soft.isdigit() else None
    finally:
        os.close(file)
    return None


def allocate(file: int, size: int) -> None:
    """Give a file bytes that are really there."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # macOS
        pass
    except OSError as error:
        if error.errno not in (EINVAL, EOPNOTSUPP):
            raise
    else:
        return
    zeros = bytes(min(size, 1 << 20))
    while size > 0:
        size -= os.write(file, zeros[:size])


class _Holder(str):
    """A text with attributes."""

    __slots__ = ("held", "scan")


def _hold() -> list[object] | None:
    """A list that is never freed, not even when Python ends.

    What iterates over a folder keeps the folder's name, which the garbage collector can't see: so
    it never finds this circle.
    """
    holder = _Holder(os.sep)
    try:
        holder.scan = os.scandir(holder)  # type: ignore[attr-defined]
    except OSError:
        return None
    holder.scan.close()  # type: ignore[attr-defined]
    holder.held = held = []  # type: ignore[attr-defined, var-annotated]
    return held


_held = None if sys.version_info >= (3, 13) else _hold()
_kept: list[object] = []
_numbers: dict[int, int] = {}
"""By the identity of what is mapped: which file descriptor it takes for its own."""


def map_file(file: int, size: int) -> mmap:
    """Map a file into memory, and keep no file descriptor of it."""
    from mmap import mmap

    if sys.version_info >= (3, 13):
        return mmap(file, size, trackfd=False)
    copy = os.dup(file)  # mmap makes a copy of it, too, and that one is most likely to be next
    os.close(copy)
    made = mmap(file, size)
    if _held is None:  # at the end of Python, the copy is closed: it had better be the same file
        _kept.append(made)
        return made
    _held.append(made)  # it would close its copy by number, which may be anyone's by then
    number = _close_copy(file, copy)
    if number >= 0:
        _numbers[id(made)] = number
    return made


def unmap(memory: mmap) -> None:
    """Give memory back, unless that would close a file descriptor of somebody else's."""
    if sys.version_info >= (3, 13):
        memory.close()
    elif _held is not None and id(memory) in _numbers and _takes(_numbers[id(memory)]):
        memory.close()
        del _numbers[id(memory)]
        _held.remove(memory)


def _takes(number: int) -> bool:
    """Have a file descriptor of this number, if nobody has it."""
    from fcntl import F_DUPFD_CLOEXEC, fcntl

    try:
        first = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    if first == number:
        return True
    try:
        second = fcntl(first, F_DUPFD_CLOEXEC, number)
    except OSError:
        return False
    finally:
        os.close(first)
    if second != number:
        os.close(second)
    return bool(second == number)


def _close_copy(file: int, likely: int) -> int:
    """Close the other file descriptor of a file that nobody else knows; which one it was."""
    status = os.fstat(file)
    for other in [likely, *range(256)]:
        if other != file:
            try:
                found = os.fstat(other)
                is_same = (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino)
                if is_same and _is_copy(file, other):
                    os.close(other)
                    return int(other)
            except OSError:
                continue
    return -1


def _is_copy(file: int, other: int) -> bool:
    """Whether two file descriptors share their position: inodes aren't told apart everywhere."""
    for position in (12_347, 54_323):
        os.lseek(file, position, os.SEEK_SET)
        if os.lseek(other, 0, os.SEEK_CUR) != position:
            return False
    return True
