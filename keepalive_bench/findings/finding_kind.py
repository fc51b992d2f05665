"""What a kind of finding is: what anybody needs to know of it, and how a finding is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis import Finding
from keepalive_bench.units import duration, percent, plural, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from keepalive_bench.analysis import Severity
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.failure_kinds import Actor, Provoked


class _Count(int):
    """A count, as a sentence has it: `{count:request}` is `1,000 requests`."""

    def __format__(self, noun: str) -> str:
        if not noun:
            return f"{int(self):,}"
        return plural(int(self), noun) if noun[0].isalpha() else int.__format__(self, noun)


class _Share(float):
    """A number that may be a share, as a sentence has it: `{share:.0%}` is `93 %`."""

    def __format__(self, form: str) -> str:
        return percent(self, f"{form[:-1]}f") if form.endswith("%") else super().__format__(form)


class Case(NamedTuple):
    """What is otherwise in one case; what is empty is as usual."""

    text: str = ""
    advice: str = ""
    severity: Severity | None = None


class FindingKind(NamedTuple):
    """One thing that kab can notice."""

    code: str
    title: str
    who: Actor
    provoked: Provoked
    evidence: tuple[str, ...]
    """The names of what a finding tells as data; some may be missing."""
    text: str
    """What it says, with its evidence, clauses and other words in it, by their names.

    `{arm}` is what a sentence calls the arm, `{count:request}` a count with its noun, and what ends
    in `_s` a duration.
    """
    proof: str = ""
    """What has to be seen for it."""
    severity: Severity = "warning"
    """A warning is something to act on, or that endangers the result; anything else is `info`."""
    is_detail: bool = False
    """Whether a reader misses nothing without it: where it is no warning, `--verbose` tells it."""
    advice: str = ""
    advice_in_sweeps: str = ""
    """What to do in a sweep, where the usual advice doesn't fit one."""
    cases: Mapping[str, Case] = {}
    """What it is in which case, where that isn't the usual one."""
    clauses: Mapping[str, str] = {}
    """Parts of its text or advice that it has only at times, by name."""
    is_in_sweeps: bool = True
    """Whether a sweep tells of it; if not, its table shows it, or has no place for it."""

    def found(
        self,
        arm: ArmSummary | None = None,
        /,
        *,
        case: str | None = None,
        clauses: Collection[str] = (),
        words: Mapping[str, float | str] | None = None,
        who: Actor | None = None,
        **evidence: float | str | None,
    ) -> Finding:
        """A finding of this kind, in one of its cases, with some of its clauses.

        Evidence that is `None` is unknown, and left out. `words` are in its text and advice only,
        those that are text as they are. `who`: whoever did it, where that isn't who usually does.

        Raises:
            KeyError: The kind doesn't declare such evidence, or has no such case or clause.
        """
        told: dict[str, int | float | str] = {} if arm is None else {"arm": arm.label}
        told |= {name: value for name, value in evidence.items() if value is not None}
        unknown = (told.keys() - {*self.evidence}) | ({*clauses} - self.clauses.keys())
        if unknown:
            msg = f"{self.code} declares no {', '.join(sorted(unknown))}"
            raise KeyError(msg)
        said = {name: _in_words(name, value) for name, value in told.items()}
        for name, value in (words or {}).items():
            said[name] = value if isinstance(value, str) else _in_words(name, value)
        if arm is not None:
            said["arm"] = arm.name
        said |= {
            name: clause.format_map(said) if name in clauses else ""
            for name, clause in self.clauses.items()
        }
        is_swept = arm is not None and arm.option is not None
        usual = self.advice_in_sweeps if is_swept and self.advice_in_sweeps else self.advice
        its = Case() if case is None else self.cases[case]
        severity = its.severity or self.severity
        return Finding(
            code=self.code,
            severity=severity,
            evidence=told,
            text=(its.text or self.text).format_map(said),
            advice=(its.advice or usual).format_map(said),
            who=who or self.who,
            is_detail=self.is_detail and severity != "warning",
        )


def _in_words(name: str, value: float | str) -> object:
    if isinstance(value, str):
        return printable(value)
    if name.endswith("_s"):
        return duration(value)
    return _Count(value) if isinstance(value, int) else _Share(value)
