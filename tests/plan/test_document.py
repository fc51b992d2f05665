"""Plan ⇄ document: every option that is no secret comes back, and is in the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.plans import plan

from keepalive_bench import Load, Resolution, Route, Target, Variation
from keepalive_bench.plan.document import plan_document, plan_from
from keepalive_bench.report.schema import results_schema

WAYS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a proxy": {"proxy": Target("https://proxy.test:3128"), "tcp_nodelay": True},
    "routes": {
        "connect_to": (Route("a.test", 80, "::1", 8080), Route("", 0, "", 81)),
        "resolve": (Resolution("*", 443, ("127.0.0.1", "fe80::1%lo")),),
        "source_addresses": ("127.0.0.2", "::1"),
        "tcp_nodelay": False,
        "tcp_keepalive": True,
        "ip_version": 6,
        "connect_timeout_s": 0.5,
    },
    "a socket": {"unix_socket": Path("/run/app.sock")},
    "TLS": {
        "ca_file": Path("/ca.pem"),
        "cert_file": Path("/me.pem"),
        "key_file": Path("/me.key"),
        "ciphers": "HIGH",
        "minimum": "1.2",
        "maximum": "1.3",
        "verify": False,
    },
    "an upload": {"method": "PUT", "upload": Path("/a/file"), "max_body": 0},
    "answers": {"expect_status": ("2xx", "404"), "max_body": 10, "user_agent": "me"},
    "a rate": {"load": Load(rate=200.5, traffic="bursts"), "concurrency": 4},
    "pauses": {"load": Load(think_s=(1.0, 2.5))},
    "JSON": {"method": "POST", "content_type": "application/json"},
    "parameters": {
        "variation": Variation(fields=(("a", ("1", "2")),), unique=("u",), counter=False)
    },
}


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_a_plan_without_secrets_comes_back_as_it_was(options: dict[str, Any]) -> None:
    wanted = plan("https://there.test:8443/a?b=c", maxsize=1, **options)
    assert plan_from(json.loads(json.dumps(plan_document(wanted)))) == wanted


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_its_document_is_in_the_schema(options: dict[str, Any]) -> None:
    validator = Draft202012Validator(results_schema()["properties"]["plan"])
    document = plan_document(plan("http://there.test/", **options))
    validator.validate(json.loads(json.dumps(document)))
