"""The way to a Dask cluster: a client of its scheduler; and nobody waits for it too long."""

from __future__ import annotations

import json
import logging
import socket
import threading
import warnings
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import dask
from distributed import Client
from distributed.comm.addressing import get_address_host_port

from keepalive_bench.errors import KabError, UsageError
from keepalive_bench.units import clipped, filename, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
_CONNECT_S, _HELLO_S = 7.0, 2.0
"""How long Dask tries to connect, and how much later it's known that nobody speaks its language."""
_QUICK_S = 0.7
"""Where it takes longer, somebody looks whether the port is open: Dask tries again and again."""
_CLOSE_S = 2.0
"""How long the scheduler may take to say goodbye."""
_LARGEST_FILE = 2**20
_LARGE_GRAPH = "distributed.admin.large-graph-warning-threshold"


class Answer(Generic[T]):
    """What a call will have returned, made aside: nobody waits for longer than they want to."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._came: SimpleQueue[tuple[T] | Exception] = SimpleQueue()
        threading.Thread(target=self._ask, args=(call,), daemon=True).start()

    def _ask(self, call: Callable[[], T]) -> None:
        try:
            self._came.put((call(),))
        except Exception as error:  # noqa: BLE001  # it is raised where somebody waits
            self._came.put(error)

    def within(self, seconds: float) -> T:
        """What was returned, or what was raised.

        Raises:
            TimeoutError: it takes longer.
        """
        try:
            came = self._came.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None
        if isinstance(came, Exception):
            raise came
        return came[0]


class _Client(Client):
    """One that is closed, or goes with the process: else Python waits for it as it ends."""

    def __del__(self) -> None:
        """Wait for nothing."""


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of the scheduler with an address, or of that in a file, by Dask's configuration.

    Raises:
        UsageError: the file isn't a scheduler's, or the address is none.
        KabError: nobody answers there, or not in Dask's language.
    """
    address = _address(scheduler)
    logging.disable(logging.CRITICAL)  # what goes wrong is told by kab, which logs nothing itself
    warnings.filterwarnings("ignore", module="distributed")  # the same, and for all threads
    with dask.config.set({_LARGE_GRAPH: "1 TiB"}):  # how much may be sent is decided elsewhere
        new: Callable[[], Client] = partial(
            _Client, address, timeout=_CONNECT_S, set_as_default=False
        )
        client = _answering(Answer(new), address)
        try:
            yield client
        finally:
            with suppress(Exception):  # it may have gone first; what came is safe
                Answer(lambda: client.close(timeout=_CLOSE_S)).within(_CLOSE_S)


def _answering(client: Answer[Client], address: str) -> Client:
    shown = quoted(address)
    try:
        try:
            return client.within(_QUICK_S)
        except TimeoutError:
            _check_port(address)
            return client.within(_CONNECT_S + _HELLO_S)
    except ValueError:
        raise UsageError(
            f"{shown} isn't a scheduler's address (--dask): write it as in tcp://scheduler:8786."
        ) from None
    except TypeError:  # what Dask raises without certificates
        raise UsageError(
            f"{shown} needs certificates (--dask): set distributed.comm.tls in Dask's "
            "configuration, or DASK_DISTRIBUTED__COMM__TLS__CA_FILE and its kin."
        ) from None
    except (MemoryError, TimeoutError):  # a length of what is no message, or none
        why = "something else is listening there"
    except Exception as error:  # noqa: BLE001  # whatever comes of what another program answers
        told = f"{getattr(error, 'strerror', None) or error}".strip() or type(error).__name__
        why = clipped(told.splitlines()[0]).rstrip(".")
        if why.startswith("in <"):  # how Dask shows its end of a connection
            why = "it closed the connection"
    raise KabError(f"No Dask scheduler answers at {shown} (--dask): {why}.")


def _check_port(address: str) -> None:
    """Let what refuses a connection do so at once.

    Raises:
        OSError: it does.
    """
    try:
        end = get_address_host_port(address)
    except ValueError:  # Dask knows ways without a port
        return
    with suppress(TimeoutError):  # as Dask will say
        socket.create_connection(end, _CONNECT_S / 2).close()


def _address(scheduler: str) -> str:
    """The address itself, or that in a scheduler's file."""
    path = Path(scheduler)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{filename(scheduler) or quoted(scheduler)} is no file (--dask).")
    if not path.exists() and ":" in scheduler:
        return scheduler
    shown = filename(scheduler)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError as error:
        raise UsageError(
            f"{shown} can't be read (--dask): {error.strerror}. Name a scheduler's file, or its "
            "address, such as tcp://scheduler:8786."
        ) from None
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    address = said.get("address") if isinstance(said, dict) else None
    if not isinstance(address, str) or ":" not in address:
        raise UsageError(
            f"{shown} isn't a scheduler's file (--dask): that is JSON with an address, as dask "
            "scheduler --scheduler-file writes it."
        )
    return address


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """What the scheduler knows of each worker, by its address.

    It is asked by itself: what `Client.scheduler_info` returns is what a heartbeat wrote last,
    which may have no worker.
    """
    scheduler: Any = client.scheduler
    return dict(client.sync(scheduler.identity, n_workers=-1)["workers"])


def shown_address(client: Client) -> str:
    """The scheduler's, such as `tls://10.0.0.7:8786`, as it was connected to."""
    return shortened(f"{getattr(client.scheduler, 'address', '')}")
