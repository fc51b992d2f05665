"""From what is asked for to a plan; what it takes besides is looked up, or typed."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepalive_bench.cli.reading import check_file, read_file
from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.plan.fields import plan_fields, planned
from keepalive_bench.plan.network import Tls
from keepalive_bench.plan.plan import DecisionRule, Known, Plan
from keepalive_bench.plan.request import NETRC, USER, reads_netrc
from keepalive_bench.plan.sweeping import swept_plans
from keepalive_bench.plan.target import Target
from keepalive_bench.units import filename, printable

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked
    from keepalive_bench.plan.probing import ProbePlan

P = TypeVar("P", DecisionRule, Known)
_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def run_plan(url: str, asked: Asked) -> Plan:
    """The plan of a run that compares arms.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    target = _target(url, asked)
    return _checked(planned(Plan, asked, target=target, tls=_tls(asked)))


def probe_plan(url: str, asked: Asked) -> ProbePlan:
    """The plan of a probe.

    Raises:
        UsageError: something in it makes no sense or can't be read.
    """
    from keepalive_bench.plan.probing import ProbePlan  # noqa: PLC0415  # only a probe needs it
    from keepalive_bench.probe.analysis.behind import balancer_idle_s  # noqa: PLC0415  # the same

    target = _target(url, asked)
    plan = planned(ProbePlan, asked, target=target, tls=_tls(asked))
    _check_server(plan.known)
    if plan.probing.behind is not None:
        balancer_idle_s(plan.probing.behind)
    return plan


def sweep_plans(url: str, asked: Asked) -> list[Plan]:
    """The plan of a sweep, or of one for each kind of traffic.

    Raises:
        UsageError: not exactly one option has several values, or something else makes no sense.
    """
    target = _target(url, asked)
    return [_checked(plan) for plan in swept_plans(target, asked, _tls(asked))]


def judged(plan: Plan, asked: Asked) -> Plan:
    """A stored run's plan, judged and advised as it was but for what is asked for.

    Requirements come on top of its own.

    Raises:
        UsageError: something makes no sense.
    """
    known = _changed(plan.known, asked)
    if known != plan.known:
        _check_server(known)
    return replace(plan, decision_rule=_changed(plan.decision_rule, asked), known=known)


def _changed(part: P, asked: Asked) -> P:
    changes: dict[str, Any] = {}
    kind: Any = type(part)
    for it in plan_fields(kind):
        given: Any = it.setting.rule(asked)
        before: Any = it.of(part)
        if given is not None:
            changes[it.name] = (*before, *given) if isinstance(before, tuple) else given
    return replace(part, **changes)


def _target(url: str, asked: Asked) -> Target:
    """What to send to; as its credentials, those that are typed, or in ~/.netrc."""
    target = Target(url)
    user = asked[USER]
    if user is not None and user[1] is None:
        missing = "-u has no password, and there is no terminal to ask for it: USER:PASSWORD."
        asked.put(USER, (user[0], _typed(f"Password of {printable(user[0])}", missing)))
    asked.put(NETRC, _netrc_credentials(target.host) if reads_netrc(asked, target) else None)
    return target


def _netrc_credentials(host: str) -> tuple[str, str] | None:
    """User and password for a host; `None` where the file has none."""
    import netrc  # noqa: PLC0415  # few runs need it

    path = Path.home() / ".netrc"
    check_file(path, "--netrc")
    try:
        entry = netrc.netrc(str(path)).authenticators(host)
    except OSError as error:
        raise UsageError(f"{path} can't be read (--netrc): {error.strerror}.") from None
    except netrc.NetrcParseError as error:
        raise UsageError(f"{path}, line {error.lineno}, can't be understood (--netrc).") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 (--netrc).") from None
    return None if entry is None else (entry[0] or "", entry[2] or "")


def _tls(asked: Asked) -> Tls:
    """What is asked for, with the passphrase of its key, which is typed where none is given."""
    tls = planned(Tls, asked)
    key = tls.key_file or tls.cert_file
    # What is in a pipe can be read once, by OpenSSL.
    if key is None or tls.key_password is not None or not key.is_file():
        return tls
    content = read_file(key, "--key").content
    if not any(mark in content for mark in _ENCRYPTED):
        return tls
    shown = filename(key)
    missing = f"{shown} has a passphrase: give it in a file (--key-password-file)."
    return replace(tls, key_password=_typed(f"Passphrase of {shown}", missing))


def _typed(what: str, missing: str) -> str:
    """A secret, typed at the terminal; `missing` is said where there is none.

    Signals raise meanwhile, rather than end kab at once, so that the terminal is left as it was.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(missing)
    heard = [it for it in ENDING_SIGNALS if signal.getsignal(it) is not signal.SIG_IGN]
    before = {it: signal.signal(it, signal.default_int_handler) for it in heard}
    try:
        return str(click.prompt(what, hide_input=True, err=True))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_server(known: Known) -> None:
    if known.server is not None:
        from keepalive_bench.connections.products import product_called  # noqa: PLC0415  # the same

        product_called(known.server)


def _checked(plan: Plan) -> Plan:
    if plan.decision_rule.requirements:
        from keepalive_bench.requirements import refuse_unmeetable  # noqa: PLC0415  # most do without

        refuse_unmeetable(plan)  # now, and not when all is measured
    _check_server(plan.known)
    return plan
