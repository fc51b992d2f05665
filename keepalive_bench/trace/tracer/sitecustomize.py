"""Python imports this at its start where its folder is on PYTHONPATH: it gets the tracer in.

Then it stands aside for the `sitecustomize` that it hides, if there is one. Where another one hides
it, and doesn't run it, as OpenTelemetry's, the metadata beside this file get the tracer in.
"""

import os
import sys


def _start() -> None:
    """Start the tracer, and take its folder off `sys.path`: children find it by PYTHONPATH."""
    own = os.path.dirname(os.path.abspath(__file__))
    writes_none = sys.dont_write_bytecode
    try:
        if os.environ.get("_KAB_TRACE"):
            sys.path.insert(0, own)
            sys.dont_write_bytecode = False  # kab's own: without it, each start takes 20 ms longer
            from _kab_tracer import (  # type: ignore[import-not-found]  # it is beside this file
                start_from_environment,
            )

            start_from_environment()
    except Exception:  # noqa: BLE001, S110  # the program never sees it; no records tell of it
        pass
    sys.dont_write_bytecode = writes_none
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != own]


_start()
del sys.modules[__name__]
__import__("sitecustomize")  # where there is none, this one is as if it weren't there, either
