"""From what the user says to a plan: the one place that sees Click's own values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.cli import reading
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.network import Tls
from keepalive_bench.plan.options import Asked, options_of, planned
from keepalive_bench.plan.plan import Plan
from keepalive_bench.plan.request import NETRC, USER, reads_netrc
from keepalive_bench.plan.sweeping import sweep_options, swept_plans
from keepalive_bench.plan.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keepalive_bench.plan.options import Option


def run_plan(url: str | None, given: Mapping[str, object]) -> Plan:
    """The plan of a run that compares arms.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    target = _target(url, "run")
    asked = _asked(target, given, options_of(Plan))
    return _checked(planned(Plan, asked, target=target, tls=_unlocked(planned(Tls, asked))))


def sweep_plans(url: str | None, given: Mapping[str, object]) -> list[Plan]:
    """The plan of a sweep, or of one for each kind of traffic.

    Raises:
        UsageError: not exactly one option has several values, or something else makes no sense.
    """
    target = _target(url, "sweep")
    asked = _asked(target, given, sweep_options())
    plans = swept_plans(target, asked, _unlocked(planned(Tls, asked)))
    return [_checked(plan) for plan in plans]


def _asked(target: Target, given: Mapping[str, object], known: Iterable[Option[Any]]) -> Asked:
    """What is asked for, parsed, with what is in files and what is typed."""
    values: dict[str, object] = {}
    for option in known:
        said = given.get(option.name.replace("-", "_"))
        if said is None or said == () or (said is False and not option.off):
            continue
        values[option.name] = _value(option, said)
    asked = Asked(values)
    user = asked[USER]
    if user is not None and user[1] is None:
        asked.put(USER, (user[0], reading.typed_password(user[0])))
    asked.put(NETRC, reading.netrc_credentials(target.host) if reads_netrc(asked, target) else None)
    return asked


def _value(option: Option[Any], said: object) -> object:
    several = said if isinstance(said, tuple) else (said,)
    if option.source == "body":
        several = tuple(reading.read_body(map(str, several), option.flags[0]))
    elif option.source == "content":
        several = tuple(reading.read_file(path, option.flags[0]) for path in several)
    elif option.source == "checked":
        for path in several:
            reading.check_file(path, option.flags[0])
    if option.form != "repeatable":
        return option.parse(*several)
    return tuple(map(option.parse, several))


def _unlocked(tls: Tls) -> Tls:
    """With the passphrase of its key, which is asked for where none is given."""
    key = tls.key_file or tls.cert_file
    if key is None or tls.key_password is not None:
        return tls
    return replace(tls, key_password=reading.typed_passphrase(key))


def _target(url: str | None, command: str) -> Target:
    if url is None:
        raise UsageError(
            f"There is no URL: kab {command} URL, or url in a file of options (--config)."
        )
    return Target(url)


def _checked(plan: Plan) -> Plan:
    if plan.decision_rule.requirements:
        from keepalive_bench.requirements import requirements_of  # noqa: PLC0415  # most do without

        requirements_of(plan)  # a bad one is refused now, and not when all is measured
    return plan
