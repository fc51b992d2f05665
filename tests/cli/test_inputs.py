"""What the user wrote, as values."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from support.command import COMMAND, called, kab

from keepalive_bench.cli import inputs
from keepalive_bench.errors import UsageError
from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

_ONE = ("-n", "1", "--warmup", "0", "--arm", "pooled")


def _rows(tmp_path: Path, text: str | bytes, name: str = "fields.csv") -> object:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return inputs.read_rows(path)


def _recorded(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    """The requests that a run sends, as the server saw them."""
    record = tmp_path / "record"
    with ServerProcess(ServerSettings(record=record)) as server:
        done = kab("run", server.url, *arguments, stdin=stdin, cwd=tmp_path)
    assert done.code == 0, done.err
    return [json.loads(line) for line in record.read_text().splitlines()]


def _sent_body(tmp_path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    (request,) = _recorded(tmp_path, *_ONE, *arguments, stdin=stdin)
    body = request["body"]
    assert isinstance(body, str)
    return body.encode("latin-1")


class TestFieldsFile:
    def test_csv_has_names_in_its_first_row(self, tmp_path: Path) -> None:
        assert _rows(tmp_path, "q,v\npython,1\nphp,2\n") == (
            (("q", "python"), ("v", "1")),
            (("q", "php"), ("v", "2")),
        )

    def test_csv_quotes_commas_quotes_and_line_ends(self, tmp_path: Path) -> None:
        text = 'q\n"a,b"\n"say ""hi"""\n"two\r\nlines"\n'
        assert _rows(tmp_path, text) == (
            (("q", "a,b"),),
            (("q", 'say "hi"'),),
            (("q", "two\r\nlines"),),
        )

    def test_csv_may_have_windows_line_ends_empty_lines_and_a_byte_order_mark(
        self, tmp_path: Path
    ) -> None:
        assert _rows(tmp_path, b"\xef\xbb\xbfq,v\r\n\r\na,\r\n") == ((("q", "a"), ("v", "")),)

    def test_csv_may_name_a_parameter_twice(self, tmp_path: Path) -> None:
        assert _rows(tmp_path, "q,q\na,b\n") == ((("q", "a"), ("q", "b")),)

    def test_json_lines_have_an_object_a_line(self, tmp_path: Path) -> None:
        text = '{"q": "python", "v": 1}\n\n{"q": "ä", "v": 1.5}\n'
        assert _rows(tmp_path, text, "fields.jsonl") == (
            (("q", "python"), ("v", "1")),
            (("q", "ä"), ("v", "1.5")),
        )

    def test_json_is_told_by_its_look_where_the_name_says_nothing(self, tmp_path: Path) -> None:
        assert _rows(tmp_path, '{"q": "a"}\n', "fields") == ((("q", "a"),),)
        assert _rows(tmp_path, b'\xef\xbb\xbf{"q": "a"}\n', "fields") == ((("q", "a"),),)

    def test_a_list_repeats_the_name_null_leaves_it_out_and_true_is_jsons(
        self, tmp_path: Path
    ) -> None:
        text = '{"q": ["a", 2, null], "v": null, "w": true, "x": []}\n'
        assert _rows(tmp_path, text, "f.ndjson") == ((("q", "a"), ("q", "2"), ("w", "true")),)

    @pytest.mark.parametrize(
        ("name", "text", "said"),
        [
            ("f.csv", "q,v\na,b\nc\n", "line 3: 1 values? for 2 names"),
            ("f.csv", "q,v\na,b,c\n", "line 2: 3 values for 2 names"),
            ("f.csv", 'q\n"a\n', "line 2: "),
            ("f.csv", "", "holds no rows"),
            ("f.csv", "q,v\n", "holds no rows"),
            ("f.csv", "\n\n", "holds no rows"),
            ("f.csv", b"q\n\xff\n", "not UTF-8 at byte 3"),
            ("f.jsonl", '{"q": "a"}\n{"q": \n', "line 2: "),
            ("f.jsonl", '{"q": "a"}\n["q"]\n', "line 2: a row is an object"),
            ("f.jsonl", "3\n", "line 1: a row is an object"),
            ("f.jsonl", '{"q": {"a": 1}}\n', "line 1: .*object"),
            ("f.jsonl", '{"q": [{"a": 1}]}\n', "line 1: .*object"),
            ("f.jsonl", "", "holds no rows"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_line(
        self, tmp_path: Path, name: str, text: str | bytes, said: str
    ) -> None:
        with pytest.raises(UsageError, match=said) as caught:
            _rows(tmp_path, text, name)
        assert name in str(caught.value)
        assert "--fields-file" in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_only_a_line_feed_ends_a_line_of_json(self, tmp_path: Path) -> None:
        text = '{"q": "a\u2028b\x85c"}\r\n'  # legal in a JSON string, RFC 8259, section 7
        assert _rows(tmp_path, text, "f.jsonl") == ((("q", "a\u2028b\x85c"),),)

    def test_json_too_deep_to_read_is_an_error_too(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="line 1"):
            _rows(tmp_path, '{"q": ' + "[" * 100_000, "f.jsonl")

    def test_none_gives_no_rows(self) -> None:
        assert inputs.read_rows(None) == ()

    def test_rows_are_sent_in_turns_the_same_by_every_arm(self, tmp_path: Path) -> None:
        (tmp_path / "f.csv").write_text("q\na b\nü&=\n")
        sent = _recorded(tmp_path, "--fields-file", "f.csv", "-n", "3", "--warmup", "0")
        paths = [request["request"].split(" ")[1] for request in sent]
        assert sorted(paths) == sorted(["/?q=a%20b", "/?q=%C3%BC%26%3D", "/?q=a%20b"] * 2)


class TestFields:
    def test_values_of_one_name_are_gathered_in_order(self) -> None:
        assert inputs.parse_fields(("q=a", "v=1", "q=b=c", "e=")) == (
            ("q", ("a", "b=c")),
            ("v", ("1",)),
            ("e", ("",)),
        )

    def test_values_are_cycled_through_request_by_request(self, tmp_path: Path) -> None:
        fields = ("-f", "q=a", "-f", "q=b", "-f", "v=1")
        sent = _recorded(tmp_path, *fields, "-n", "3", "--warmup", "0", "--arm", "pooled")
        paths = [request["request"].split(" ")[1] for request in sent]
        assert paths == ["/?q=a&v=1", "/?q=b&v=1", "/?q=a&v=1"]


class TestBody:
    def test_text_is_sent_as_a_form_by_post(self, tmp_path: Path) -> None:
        (request,) = _recorded(tmp_path, *_ONE, "-d", "q=ü")
        assert request["request"].startswith("POST ")
        assert request["body"].encode("latin-1") == "q=ü".encode()
        assert ["Content-Type", "application/x-www-form-urlencoded"] in request["headers"]

    def test_a_file_is_sent_byte_for_byte(self, tmp_path: Path) -> None:
        content = bytes(range(256)) + b"\r\n\x00\n\r"
        (tmp_path / "body").write_bytes(content)
        assert _sent_body(tmp_path, "-d", "@body") == content

    @pytest.mark.parametrize("spelling", ["-", "@-"])
    def test_standard_input_is_sent_byte_for_byte(self, tmp_path: Path, spelling: str) -> None:
        content = b"\x00\r\n\xff"
        assert _sent_body(tmp_path, "-d", spelling, stdin=content) == content

    def test_several_are_joined_as_curl_does(self, tmp_path: Path) -> None:
        assert _sent_body(tmp_path, "-d", "a=1", "-d", "b=2") == b"a=1&b=2"

    def test_an_empty_body_is_one(self, tmp_path: Path) -> None:
        (request,) = _recorded(tmp_path, *_ONE, "-d", "")
        assert request["request"].startswith("POST ")
        assert ["Content-Length", "0"] in request["headers"]

    def test_the_method_can_be_another(self, tmp_path: Path) -> None:
        (request,) = _recorded(tmp_path, *_ONE, "-d", "x", "-X", "PUT")
        assert request["request"].startswith("PUT ")

    def test_without_data_there_is_none(self) -> None:
        assert inputs.read_body(()) is None


class TestHeaders:
    @pytest.mark.parametrize(
        ("text", "header"),
        [
            ("X-Test: a", ("X-Test", "a")),
            ("X-Test:a", ("X-Test", "a")),
            ("X-Test:", ("X-Test", "")),
            ("X-Test: a:b", ("X-Test", "a:b")),
            ("X-Test:  a b  ", ("X-Test", "a b")),
        ],
    )
    def test_name_and_value_stand_around_the_first_colon(
        self, text: str, header: tuple[str, str]
    ) -> None:
        assert inputs.parse_header(text) == header

    def test_all_are_sent_the_same_name_twice_too(self, tmp_path: Path) -> None:
        fields = ("-H", "X-Test: a", "-H", "X-Test: ü", "-A", "me/1", "-u", "a:b:c")
        (request,) = _recorded(tmp_path, *_ONE, *fields)
        sent = [(name, value.encode("latin-1")) for name, value in request["headers"]]
        values = [value for name, value in sent if name == "X-Test"]
        assert b", ".join(values) == "a, ü".encode()
        assert ("User-Agent", b"me/1") in sent
        assert ("Authorization", b"Basic YTpiOmM=") in sent  # base64 of a:b:c


def test_a_password_is_not_asked_for_where_there_is_no_terminal(server: ServerProcess) -> None:
    done = called("run", server.url, "-u", "someone")
    assert done.code == 2
    assert "password" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-d", "-"], "Standard input can't be read (-d): it is closed."),
        (["--json-body", "-"], "Standard input can't be read (--json-body): it is closed."),
        (["-u", "me"], "-u has no password, and there is no terminal to ask for it"),
        (["--cert", "locked.pem"], "locked.pem has a passphrase: give it in a file"),
    ],
)
def test_where_standard_input_is_closed_that_is_said(
    options: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "locked.pem").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    command = ["sh", "-c", 'exec "$0" "$@" <&-', *COMMAND, "run", "http://127.0.0.1:9/", *options]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"Error: {said}")


def test_json_without_end_is_none() -> None:
    done = called("run", "http://127.0.0.1:9/", "--json-body", "[" * 100_000)
    said = "Error: The body is no JSON (--json-body): it is nested too deep.\n"
    assert (done.code, done.out, done.err) == (2, "", said)


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("pooled", "pooled", "pooled"),
        ("a=pooled", "pooled", "a"),
        ("b_1=unpooled", "unpooled", "b_1"),
    ],
)
def test_an_arm_is_a_kind_with_or_without_a_label(text: str, kind: str, label: str) -> None:
    arm = inputs.parse_arm(text)
    assert (arm.kind, arm.label) == (kind, label)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("30", 30), ("1.5m", 90), ("2 min", 120), ("500ms", 0.5), ("1h", 3600)],
)
def test_a_duration_has_a_unit_or_is_of_seconds(text: str, seconds: float) -> None:
    assert inputs.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5s", 5), ("500ms", 0.5), ("2m", 120), ("5", 5), (".5", 0.5), ("1e2", 100), (" 7 ", 7)],
)
@pytest.mark.parametrize(("command", "option"), [("run", "-t"), ("sweep", "--connect-timeout")])
def test_a_timeout_has_a_unit_or_is_of_seconds(
    command: str, option: str, text: str, seconds: float, server: ServerProcess
) -> None:
    done = called(command, server.url, "-n", "8", option, text, "--json", "-")
    plan = json.loads(done.out)["plan"]
    assert (done.code, plan["timeout_s" if option == "-t" else "connect_timeout_s"]) == (0, seconds)


@pytest.mark.parametrize("text", ["1e10", "1e308", "nan", "inf", "-inf", "0", "300h", "1000001"])
@pytest.mark.parametrize("option", ["--timeout", "--connect-timeout"])
def test_a_timeout_without_bounds_is_refused(option: str, text: str) -> None:
    done = called("run", "http://127.0.0.1:9/", option, text)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "timeout must be above 0 s and at most 1,000,000 s, not " in done.err


@pytest.mark.parametrize("text", ["soon", "5 parsecs", "", "s", "1s2", "5h\n"])
def test_what_is_no_time_is_refused_with_its_option(text: str) -> None:
    done = called("run", "http://127.0.0.1:9/", "--timeout", text)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "--timeout" in done.err
    assert "isn't a duration: write 30s, 2m or 500ms." in done.err


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 day", "1e3", "nan", "inf", "1s2", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--duration"):
        inputs.parse_duration(text)


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.02", 0.02), ("0.5 %", 0.005)])
def test_a_precision_is_a_share(text: str, share: float) -> None:
    assert inputs.parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "-2%", "2x", "nan%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--precision"):
        inputs.parse_share(text)
