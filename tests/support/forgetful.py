"""A client's and a server's network namespace, and a firewall between that forgets idle flows."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from support.command import COMMAND, environment
from support.namespace import Namespace, namespace
from support.namespace import obstacle as no_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER, _CLIENT = "10.78.0.2", "10.78.0.1"
_CONNTRACK = "net.netfilter.nf_conntrack_tcp"
DROP, RESET = "DROP", "REJECT --reject-with tcp-reset"
"""How the firewall meets packets of flows that it doesn't know."""


class Path:
    """The way from one namespace to the other."""

    def __init__(
        self, client: Namespace, server: Namespace, forgets_s: int, stack: ExitStack
    ) -> None:
        self.client, self._server = client, server
        self._forgets_s, self._stack = forgets_s, stack

    def serve(self, meets: str, *options: str) -> str:
        """Start a server of kab's behind the firewall; its URL."""
        command = (*COMMAND, "serve", "--host", SERVER, "--allow-remote", *options)
        process = subprocess.Popen(
            self._server.command(*command), stdout=subprocess.PIPE, text=True, env=environment()
        )
        self._stack.enter_context(process)
        self._stack.callback(process.terminate)
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Serving ").strip().strip("/.")
        port = url.rpartition(":")[2]
        for rule in ("-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT", f"-j {meets}"):
            _run(self._server, f"iptables -A INPUT -p tcp --dport {port} {rule}")
        _run(self._server, f"sysctl -q -w {_CONNTRACK}_loose=0")  # there is none before the rules
        _run(self._server, f"sysctl -q -w {_CONNTRACK}_timeout_established={self._forgets_s}")
        return f"{url}/"


def obstacle() -> str | None:
    """Why there can be no such path here; nothing if there can."""
    if (reason := no_namespace()) is not None:
        return reason
    return None if shutil.which("iptables") else "needs iptables"


@contextmanager
def path_that_forgets(forgets_s: int) -> Iterator[Path]:
    """Join two namespaces; in whole seconds, as Linux counts."""
    with namespace() as client, namespace() as server, ExitStack() as stack:
        _run(client, f"ip link add hop type veth peer name hop netns {server.name}")
        for inside, address in ((client, _CLIENT), (server, SERVER)):
            _run(inside, f"ip address add {address}/24 dev hop")
            _run(inside, "ip link set hop up")
        yield Path(client, server, forgets_s, stack)


def _run(inside: Namespace, command: str) -> None:
    subprocess.run(inside.command(*command.split()), check=True, capture_output=True)
