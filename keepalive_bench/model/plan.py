"""A plan: everything that is decided before the first request is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepalive_bench.errors import UsageError
from keepalive_bench.model.experiment import Arm, Experiment, Judgement
from keepalive_bench.model.load import Load
from keepalive_bench.model.network import Network, Resolution, Route, Tls
from keepalive_bench.model.request import Request
from keepalive_bench.model.target import Target
from keepalive_bench.model.variation import Variation

__all__ = [
    "Arm",
    "Experiment",
    "Judgement",
    "Load",
    "Network",
    "Plan",
    "Request",
    "Resolution",
    "Route",
    "Target",
    "Tls",
    "Variation",
]


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first request is sent.

    Raises:
        UsageError: an arm resumes TLS sessions where there is no TLS.
    """

    target: Target
    request: Request = field(default_factory=Request)
    tls: Tls = field(default_factory=Tls)
    network: Network = field(default_factory=Network)
    experiment: Experiment = field(default_factory=Experiment)
    judgement: Judgement = field(default_factory=Judgement)

    def __post_init__(self) -> None:
        """Check what the parts need of each other."""
        resumes = any(arm.kind == "resumed" for arm in self.experiment.arms)
        if resumes and self.target.scheme != "https":
            raise UsageError(
                "An arm of kind resumed takes up TLS sessions, and an http:// URL has none: "
                "give an https:// URL, or leave that arm out."
            )

    def path(self, index: int) -> str:
        """The path and query of the request with an index."""
        path, variation = self.target.path, self.request.variation
        query = variation.query(index, self.experiment.token)
        if not query:
            return path
        mark = "" if path.endswith(("?", "&")) else "&" if "?" in path else "?"
        return f"{path}{mark}{query}"
