"""Notes the processes that this one starts: in some, no tracer gets in."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from .lives import Tracer
    from .patching import Patches


def patch_subprocess(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what `Popen` starts."""


def patch_multiprocessing(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what spawn and the fork server start."""
