"""The table: real servers, and what each one's documentation says about keep-alive."""

from __future__ import annotations

from support.servers.rows.proxies import PROXIES
from support.servers.rows.python import PYTHON
from support.servers.rows.runtimes import RUNTIMES
from support.servers.rows.web_servers import WEB_SERVERS

CASES = (*PYTHON, *WEB_SERVERS, *PROXIES, *RUNTIMES)
