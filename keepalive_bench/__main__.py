"""`kab`, and `python -m keepalive_bench`."""

from __future__ import annotations

import sys
from typing import NoReturn

from keepalive_bench.errors import ExitCode


def main() -> NoReturn:
    """Run `kab`, without a traceback if Ctrl-C comes while it is still being imported."""
    try:
        from keepalive_bench import cli  # noqa: PLC0415  # see above
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    cli.main()


if __name__ == "__main__":
    main()
