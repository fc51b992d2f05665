"""Python imports this at its start where its folder is on PYTHONPATH: it gets the tracer in.

Then it stands aside for the `sitecustomize` that it hides, if there is one.
"""

import os
import sys


def _start() -> None:
    """Start the tracer, and take its folder off `sys.path`: children find it by PYTHONPATH."""
    own = os.path.dirname(os.path.abspath(__file__))
    try:
        folder = os.environ.get("_KAB_TRACE")
        if folder:
            sys.path.insert(0, own)
            from _kab_tracer import start  # type: ignore[import-not-found]  # it is beside this file

            start(folder, int(os.environ.get("_KAB_TRACE_LIMIT") or 0))
    except Exception:  # noqa: BLE001, S110  # the program never sees it; no records tell of it
        pass
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != own]


_start()
del sys.modules[__name__]
__import__("sitecustomize")  # where there is none, this one is as if it weren't there, either
