"""A plan: everything that is decided before the first request is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.arms import Arm
from keepalive_bench.plan.experiment import Experiment
from keepalive_bench.plan.load import Load
from keepalive_bench.plan.network import Network, Tls
from keepalive_bench.plan.options import Example, option, options, part
from keepalive_bench.plan.request import DATA, JSON_BODY, Request
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import ProbeTimes, Resolution, Route, share_parser
from keepalive_bench.plan.variation import COUNTER, Variation
from keepalive_bench.typed_json import Count, below, least, most, pattern
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Arm",
    "DecisionRule",
    "Experiment",
    "Known",
    "Load",
    "Network",
    "Plan",
    "ProbeTimes",
    "Request",
    "Resolution",
    "Route",
    "Target",
    "Tls",
    "Variation",
]
_SERVER_NAME = r"[A-Za-z0-9._/-]{1,64}"
ServerName = Annotated[str, pattern(f"^{_SERVER_NAME}$")]
_NAME = r"[\[\]A-Za-z0-9._:/@+-]"
_PLACE = rf"{_NAME}(?:(?:{_NAME}| ){{0,62}}{_NAME})?"
PlaceName = Annotated[str, pattern(f"^{_PLACE}$")]
PLACE_RULE = (
    "a name has up to 64 of the characters A-Z, a-z, 0-9 and . _ : / @ + - [ ], and blanks within"
)
OptionName = Annotated[str, pattern("^[a-z0-9-]{1,64}$")]
_LEAST_CONFIDENCE, _MOST_CONFIDENCE = 0.5, 0.999
_MOST_REQUIREMENTS = 1_000


@dataclass(frozen=True, kw_only=True)
class DecisionRule:
    """What it takes for a difference to be called one.

    Raises:
        UsageError: a confidence that is no share between 0.5 and 1, a margin below 0, or more
            requirements than anybody has.
    """

    confidence: Annotated[float, least(_LEAST_CONFIDENCE), most(_MOST_CONFIDENCE)] = option(
        0.95,
        share_parser("--confidence"),
        spelling="--confidence LEVEL",
        help="Level of confidence intervals.",
        example=Example("--confidence 0.9", "90 % CI", "said"),
        shown=True,
        matters=False,
    )
    """Of every interval."""
    margin: Annotated[float, least(0), below(1)] = option(
        0.05,
        share_parser("--margin"),
        spelling="--margin N",
        help="Within 1 ± N is no difference.",
        more="That is so called whose whole interval lies there.",
        example=Example("-n 40 --margin 0.99", "verdict.code == no-difference"),
        shown=True,
        matters=False,
    )
    """A speed-up wholly between 1 ÷ (1 + margin) and 1 + margin is called no difference."""
    requirements: tuple[str, ...] = options(
        (),
        str,
        spelling="--require EXPR",
        help="End with 4 unless it holds: 'reopened==0', 'pooled.p95<=50ms'; see kab explain "
        "requirements.",
        group="Comparison",
        example=Example("--require 'pooled.connections>1'", "4", "exit code"),
        shown=True,
        matters=False,
    )
    """What is [demanded of the run](requirements.md), as it was written."""

    @property
    def ci(self) -> str:
        """What an interval at this confidence is called."""
        return f"{100 * self.confidence:g} % CI"

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not _LEAST_CONFIDENCE <= self.confidence <= _MOST_CONFIDENCE:
            raise UsageError(
                f"confidence must be from {_LEAST_CONFIDENCE} to {_MOST_CONFIDENCE}, "
                f"not {self.confidence}."
            )
        if not 0 <= self.margin < 1:
            raise UsageError(f"margin must be from 0 to below 1, not {self.margin}.")
        if len(self.requirements) > _MOST_REQUIREMENTS:
            raise UsageError(f"There may be {_MOST_REQUIREMENTS:,} requirements at most.")


def can_be_place(name: str) -> bool:
    """Whether a place may be called so."""
    return re.fullmatch(_PLACE, name) is not None


def check_place(name: str, said: str) -> None:
    """Check that a place can be called so, as is `said` in that way.

    Raises:
        UsageError: it can't.
    """
    if not can_be_place(name):
        raise UsageError(f"No place can be called {quoted(name)} ({said}): {PLACE_RULE}.")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the user knows, and no answer may tell."""

    server: ServerName | None = option(
        None,
        str,
        spelling="--server NAME",
        help="Whose settings to give advice on: nginx.",
        more="Where responses don't say: name who stands nearest to the client, and so ends "
        "connections; kab explain products lists them.",
        example=Example("--server haproxy", "plan.server == haproxy"),
        shown=True,
        matters=False,
    )
    """Who ends connections there, as the user says; `None`: what answers say is taken."""
    place: PlaceName | None = option(
        None,
        str,
        group="Places",
        spelling="--place NAME",
        help="Where this run is made, for kab places: eu-west.",
        more="Without it, a result doesn't say where it was made; kab records no host's name.",
        example=Example("--place eu-west", "plan.place == eu-west"),
        shown=True,
        matters=False,
    )
    """Where a run is made, as the user calls it; `None`: `--place` wasn't given."""

    def __post_init__(self) -> None:
        """Check that they can be names: whether kab knows one is checked where its names are."""
        if self.place is not None:
            check_place(self.place, "--place")
        if self.server is not None and not re.fullmatch(_SERVER_NAME, self.server):
            raise UsageError(
                f"No server is called {quoted(self.server)} (--server): it is one name, of who "
                "stands nearest to the client."
            )


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first request is sent.

    Raises:
        UsageError: an arm resumes TLS sessions where there is no TLS.
    """

    target: Target
    request: Request = part(Request, "Request")
    tls: Tls = part(Tls, "TLS")
    network: Network = part(Network, "Connection")
    experiment: Experiment = part(Experiment, "Load")
    decision_rule: DecisionRule = part(DecisionRule, "Comparison")
    known: Known = part(Known, "Connection")
    withheld: dict[OptionName, Count] | None = field(default=None, compare=False)
    """Each option whose value isn't written here, or not all of it: of a body (`data`), its bytes;
    of a repeatable option, how many values; of others, 1."""

    def __post_init__(self) -> None:
        """Check what the parts need of each other."""
        resumes = any(arm.traits.needs_tls for arm in self.experiment.arms)
        if resumes and self.target.scheme != "https":
            raise UsageError(
                "An arm of kind resumed takes up TLS sessions, and an http:// URL has none: "
                "give an https:// URL, or leave that arm out."
            )

    @property
    def sends_bodies(self) -> bool:
        """Whether its requests have bodies, be they written here or withheld."""
        request, withheld = self.request, self.withheld or {}
        return (
            request.body is not None
            or request.upload is not None
            or bool({DATA.name, JSON_BODY.name} & withheld.keys())
            or self.experiment.sweep == "data-size"
        )

    def of_arm(self, arm: Arm) -> Plan:
        """The plan of an arm alone: of a sweep, with the value that is the arm's own."""
        experiment = self.experiment
        if experiment.sweep is None or arm.value is None:
            return self
        alone = replace(
            experiment,
            concurrency=experiment.threads_of(arm),
            maxsize=experiment.pool_size_of(arm),
            arms=(replace(arm, value=None),),
            sweep=None,
        )
        request = self.request
        if experiment.sweep == "data-size":
            request = replace(request, body=b"x" * arm.value)
        return replace(self, experiment=alone, request=request)

    def path(self, index: int) -> str:
        """The path and query of the request with an index; warm-ups have indexes below 0."""
        return self.paths()(index)

    def paths(self) -> Callable[[int], str]:
        """The same for many requests: what they have in common is put together once."""
        path, variation = self.target.path, self.request.variation
        mark = "" if path.endswith(("?", "&")) else "&" if "?" in path else "?"
        base, token = f"{path}{mark}", self.experiment.token
        if variation.counter:
            base = f"{base}{COUNTER}="
            return lambda index: f"{base}{index}"

        def varied(index: int) -> str:
            query = variation.query(index, token)
            return f"{base}{query}" if query else path

        return varied
