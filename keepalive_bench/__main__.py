"""`kab`, and `python -m keepalive_bench`."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

from keepalive_bench.errors import ENDING_SIGNALS, ExitCode


def main() -> NoReturn:
    """Run `kab`; while nothing is measured, Ctrl-C ends it at once.

    A KeyboardInterrupt wouldn't do: where it falls into an import, it becomes a traceback.
    """
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _leave)
    gc.disable()  # imports leave nothing to collect; `quiet_collector` has it on while measuring
    from keepalive_bench import cli  # noqa: PLC0415  # see above

    cli.main()


def _leave(number: int, frame: object) -> NoReturn:
    del number, frame
    with suppress(OSError, RuntimeError):  # it may be being written to just now
        sys.stdout.flush()
    files = sys.modules.get("keepalive_bench.cli.output_file")
    discard_drafts = getattr(files, "discard_drafts", None)
    if discard_drafts is not None:  # where it is being imported, there are no drafts yet
        discard_drafts()
    with suppress(OSError):
        os.write(2, b"Interrupted.\n")
    os._exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
