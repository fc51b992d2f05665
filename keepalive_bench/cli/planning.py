"""From what is asked for to a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keepalive_bench.cli import reading
from keepalive_bench.errors import UsageError
from keepalive_bench.plan.network import Tls
from keepalive_bench.plan.options import plan_fields, planned
from keepalive_bench.plan.plan import DecisionRule, Plan
from keepalive_bench.plan.request import NETRC, USER, reads_netrc
from keepalive_bench.plan.sweeping import swept_plans
from keepalive_bench.plan.target import Target

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked


def run_plan(url: str | None, asked: Asked) -> Plan:
    """The plan of a run that compares arms.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    target = _target(url, "run")
    _add_credentials(asked, target)
    return _checked(planned(Plan, asked, target=target, tls=_unlocked(planned(Tls, asked))))


def sweep_plans(url: str | None, asked: Asked) -> list[Plan]:
    """The plan of a sweep, or of one for each kind of traffic.

    Raises:
        UsageError: not exactly one option has several values, or something else makes no sense.
    """
    target = _target(url, "sweep")
    _add_credentials(asked, target)
    plans = swept_plans(target, asked, _unlocked(planned(Tls, asked)))
    return [_checked(plan) for plan in plans]


def judged(plan: Plan, asked: Asked) -> Plan:
    """A stored run's plan, judged as it was but for what is asked for.

    Requirements come on top of its own.

    Raises:
        UsageError: something makes no sense.
    """
    changes: dict[str, Any] = {}
    for it in plan_fields(DecisionRule):
        given, (_, before) = it.setting.rule(asked), it.of(plan.decision_rule)
        if given is not None:
            changes[it.name] = (*before, *given) if isinstance(before, tuple) else given
    return replace(plan, decision_rule=replace(plan.decision_rule, **changes))


def _add_credentials(asked: Asked, target: Target) -> None:
    """Ask for what isn't said: a password, or what is in ~/.netrc."""
    user = asked[USER]
    if user is not None and user[1] is None:
        asked.put(USER, (user[0], reading.typed_password(user[0])))
    asked.put(NETRC, reading.netrc_credentials(target.host) if reads_netrc(asked, target) else None)


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
