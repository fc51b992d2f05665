"""`--curl` sends what curl sends, and says what it leaves out."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server.wire import serving
from support.command import called
from support.exports import DIALECTS

from keepalive_bench.cli import kab, run
from keepalive_bench.cli.curl import taken_over
from keepalive_bench.cli.curl.options import BY_FLAG, CURL_OPTIONS
from keepalive_bench.cli.planning import run_plan
from keepalive_bench.errors import UsageError
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.server import Server

ONE = ("-n", "1", "--warmup", "0", "--arm", "pooled", "--no-vary")
needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None and "CI" not in os.environ, reason="needs curl"
)
_SECRET = "s3kr1t"  # noqa: S105  # nobody's


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("curl")
    (made / "lines").write_bytes(b"a=1\r\nb=\xc3\xa9 &\n")
    (made / "fields").write_text("X-From: file\nX-Empty;\n\nX-None:\nno field\n")
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(record=folder / "record") as serving_here:
        yield serving_here


@pytest.fixture(autouse=True)
def _in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for name in [it for it in os.environ if it.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def sent(folder: Path) -> dict[str, Any]:
    """The last request, but for what curl or urllib3 add by themselves."""
    record = json.loads((folder / "record").read_text().splitlines()[-1])
    fields = {name.lower(): value for name, value in record["headers"]}
    own = {"accept": "*/*", "accept-encoding": "identity", "expect": "100-continue"}
    own |= {"proxy-connection": "Keep-Alive", "content-length": "0"}
    own["user-agent"] = re.sub(r"(curl|kab)/.*", r"\g<0>", fields.get("user-agent", ""))
    if not re.match("(curl|kab)/", own["user-agent"]):
        del own["user-agent"]
    return {
        "request": unquote(record["request"]),  # urllib3 encodes more of it
        "body": record["body"],
        **{name: value for name, value in fields.items() if own.get(name) != value},
    }


COMMANDS = [
    "curl {url}/a/b?c=d%20e",
    "curl {host}/no/scheme",
    """curl '{url}/chrome?x=1' \\
  -H 'accept: application/json' \\
  -H 'accept-language: de,en;q=0.9' \\
  -b 'session=abc; theme=dark' \\
  -H 'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"' \\
  -H 'user-agent: Mozilla/5.0 (X11)' \\
  --data-raw $'{{"a":"it\\'s \\u0021","b":"\\\\n é"}}' \\
  --insecure""",
    "curl -sS -X PUT -H 'X-Empty;' -H 'Accept:' -H 'Expect:' -H 'X-A:  b ' -d '' {url}/",
    "curl -d a=1 -d 'b=2 3' --data '' --data-raw @c --data-ascii d {url}",
    "curl -d @lines --data-binary @lines {url}/",
    "curl --data-urlencode 'a b&=ü~*' --data-urlencode '=x=y z' --data-urlencode 'n=ä+' {url}/",
    "curl --data-urlencode @lines --data-urlencode n@lines --data-urlencode 'a@b=c' {url}/",
    "curl -G -d q=1 --data-urlencode 'p=a b' {url}/search",
    "curl -G -d q=1 '{url}/search?x=1#top'",
    "curl -IG -d q=1 {url}/?",
    "curl -X POST -G -d q=1 {url}/",
    "curl -I {url}/",
    """curl --json '{{"a":' --json '1}}' {url}/""",
    "curl --json '[1]' -H 'Content-Type: application/vnd.api+json' {url}/",
    "curl -T lines {url}/dir/ -H 'Content-Type: text/csv'",
    "curl -T lines {url}?x=1",
    "curl -T lines -X POST {url}/dir/name",
    "curl -u 'me:p:w ü' {url}/",
    "curl -u me:pw -H 'Authorization: other' {url}/",
    "curl --oauth2-bearer tok {url}/",
    "curl -e 'http://from/;auto' -A me/1 {url}/",
    "curl -e http://from/ -H 'Referer: http://other/' -A me/1 -H 'User-Agent: you' {url}/",
    "curl -b a=1 -H 'Cookie: b=2' {url}/",
    "curl -H @fields {url}/",
    "curl {url}/a/../b/./c/..",
    "curl --path-as-is {url}/a/../b",
    "curl -g '{url}/?a={{b}}'",
    r"curl '{url}/?a=\{{b\}}'",
    "curl -sSLkXPOST -dfoo {url}/ -Hx:y",
    "curl -s -- {url}/",
    "curl --url {url}/ --no-compressed --compressed --no-compressed -L --no-location -m5",
    "curl --resolve +there.test:{port}:127.0.0.1 http://there.test:{port}/",
    "curl --connect-to there.test:80:127.0.0.1:{port} http://there.test/",
    "curl -x {host} -U 'me:p@w' http://there.test/a",
    "curl --proxy http://me:pw@{host}/ http://there.test/a",
    "curl --proto-default http {host}/ -4 --connect-timeout 2.5 --max-time 0 --tcp-nodelay",
    "curl --interface 127.0.0.1 --keepalive-time 30 {url}/ --http1.1 -q --noproxy '*'",
    'curl "{url}/?q=\\"" -H "X-A: \\$b" -H X-B:\\ c"d"\'e\'',
]


@needs_curl
@pytest.mark.parametrize("command", COMMANDS)
def test_the_server_gets_what_curl_sends_it(command: str, server: Server, folder: Path) -> None:
    host = server.url.partition("://")[2].strip("/")
    text = command.format(url=f"http://{host}", host=host, port=host.partition(":")[2])
    done = subprocess.run(["bash", "-c", text], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    by_curl = sent(folder)
    ran = called("run", "--curl", text, *ONE)
    assert ran.code == 0, ran.err
    assert sent(folder) == by_curl


def plan_of(*words: str) -> Plan:
    """What kab would measure."""
    with kab.make_context("kab", ["run", *words]) as group:
        context = run.command.make_context("run", [*words], parent=group)
        asked, arguments = run.command.called_with(context)
    return run_plan(arguments["url"], asked)


SAME = [
    ("curl -X PATCH http://h/a?b=c", "http://h/a?b=c -X PATCH"),
    ("curl -H 'A: b' -H 'C: d' -b e=f -A g h", "http://h -H 'A: b' -H 'C: d' -b e=f -A g"),
    ("curl -d a -d b -u u:p h", "http://h -d a -d b -u u:p"),
    (
        "curl -kx h:1 -m 5 --connect-timeout .5 https://h",
        "https://h -kx http://h:1 -t 5 --connect-timeout .5",
    ),
    (
        "curl -x https://h --tlsv1.3 --tls-max 1.3 https://h",
        "https://h -x https://h:443 --tls-min 1.3 --tls-max 1.3",
    ),
    (
        "curl -6 --unix-socket /s --ciphers AES http://h",
        "http://h -6 --unix-socket /s --ciphers AES",
    ),
    (
        "curl --cacert lines -E lines --key lines https://h",
        "https://h --cacert lines --cert lines --key lines",
    ),
    ("curl -T lines --interface 127.0.0.1 h/x", "http://h/x -T lines --source-address 127.0.0.1"),
    (
        "curl --oauth2-bearer t --compressed h",
        "http://h --bearer t -H 'Accept-Encoding: deflate, gzip, br, zstd'",
    ),
    ("curl --keepalive-time 9 h", "http://h --tcp-keepalive-time 9,9"),
    (r"curl -H ':authority: h' $'http://h/\u0021'", "http://h/!"),
    (
        'curl ^"http://h/?a=1^&b=^%^20c^" ^\r\n  -H ^"A: ^\\^"b^\\^"^"',
        r"""http://h/?a=1\&b=%20c -H 'A: "b"'""",
    ),
]


@pytest.mark.parametrize(("command", "words"), SAME)
def test_the_plan_is_the_one_that_options_ask_for(command: str, words: str) -> None:
    seeded = ["--seed", "1"]
    assert plan_of("--curl", command, *seeded) == plan_of(*shlex.split(words), *seeded)


@pytest.mark.parametrize(
    ("command", "beside", "words"),
    [
        ("curl -X PUT -d a h", "-X PATCH -d b", "http://h -X PATCH -d b"),
        ("curl h -H 'A: 1' -H 'B: 1'", "-H b:2 -H 'C: 2'", "http://h -H 'A: 1' -H b:2 -H 'C: 2'"),
        ("curl -d a h -H 'Content-Type: x'", "--json-body 1", "http://h --json-body 1"),
        (
            "curl -k h -b a=1 -H 'User-Agent: x'",
            "--cacert lines -b b=2 -A y",
            "http://h --cacert lines -b b=2 -A y",
        ),
        (
            "curl h -H 'Authorization: x' -H 'Cookie: a=1'",
            "-u a:b -b b=2",
            "http://h -u a:b -b b=2",
        ),
        ("curl http://prod/a -H 'A: 1'", "http://test/", "http://test/ -H 'A: 1'"),
        ("curl -H 'A: 1'", "http://test/", "http://test/ -H 'A: 1'"),
    ],
)
def test_what_is_said_beside_it_goes_before_it(command: str, beside: str, words: str) -> None:
    seeded = ["--seed", "1"]
    said = plan_of(*shlex.split(beside), "--curl", command, *seeded)
    assert said == plan_of(*shlex.split(words), *seeded)


def test_it_goes_before_what_a_file_of_options_says_and_a_run_there_may_have_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kab.toml").write_text(
        "url = 'http://general/'\nheader = 'A: general'\nmethod = 'PUT'\n"
        "[runs.own]\ncurl = '''\ncurl http://own/ \\\n -H 'A: own''''\n"
    )
    plan = plan_of("--curl", "curl -X POST -H 'B: curl' http://curl/")
    assert (plan.target.url, plan.request.method) == ("http://curl/", "POST")
    assert plan.request.headers == (("B", "curl"),)
    assert plan_of("--run", "own").target.url == "http://own/"
    monkeypatch.setenv("KAB_RUN_CURL", "curl http://variable/")
    assert plan_of().target.url == "http://variable/"


def test_a_command_comes_from_a_file_or_standard_input(server: Server, folder: Path) -> None:
    command = f"curl '{server.url}/from' \\\r\n  -H 'X-A: b'\r\n"
    (folder / "command").write_bytes(b"\xef\xbb\xbf" + command.encode())
    for said, stdin in (("@command", b""), ("@-", command.encode())):
        assert called("run", "--curl", said, *ONE, stdin=stdin).code == 0
        assert sent(folder)["request"] == "GET /from HTTP/1.1"
    assert called("run", "--curl", f"curl {server.url} -d @-", *ONE, stdin=b"a\nb").code == 0
    assert sent(folder)["body"] == "ab"


def test_a_sweep_takes_it_too(server: Server, folder: Path) -> None:
    command = f"curl {server.url} -H 'X-A: b' -d a"
    done = called("sweep", "--curl", command, "--data-size", "2,3", "-c", "1", "-n", "2")
    assert done.code == 0, done.err
    assert sent(folder)["x-a"] == "b"
    assert sent(folder)["body"] in {"xx", "xxx"}


def test_what_is_not_taken_over_is_said_once_with_the_reason(server: Server) -> None:
    command = (
        f"curl -sSL --http2 -o /dev/null --location -A '' -H 'Host:' -H ':path: /' {server.url}"
    )
    done = called("run", "--curl", command, *ONE)
    said = (
        "Not taken over from curl: -s, -S, -o (kab has a report of its own); -L, --location (kab "
        "follows no redirect); --http2 (kab speaks HTTP/1.1); -A User-Agent:, -H Host:, -H :path: "
        "(kab sends one all the same).\n"
    )
    assert (done.code, done.err) == (0, said)


def test_secrets_of_the_command_are_sent_and_shown_nowhere(server: Server, folder: Path) -> None:
    command = (
        f"curl {server.url}?token={_SECRET} -b session={_SECRET} -H 'X-Key: {_SECRET}' "
        f"-u u:{_SECRET} -d pw={_SECRET} -L"
    )
    files = [word for it in DIALECTS for word in (f"--{it}", str(folder / it))]
    done = called("run", "--curl", command, *ONE, "--verbose", *files)
    assert done.code == 0, done.err
    assert {_SECRET} <= set(re.findall(_SECRET, json.dumps(sent(folder))))
    assert _SECRET not in done.text
    assert not [it for it in DIALECTS if _SECRET in (folder / it).read_text("utf-8")]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "from the word curl on"),
        ("wget http://h", "from the word curl on"),
        ("curl", "quote it"),
        ("curl -L", "There is no URL"),
        ("curl http://h http://i", "several URLs"),
        ("curl http://h --next http://i", "measure one request"),
        ("curl 'http://h/[1-3]'", "pattern"),
        ("curl 'http://h/{a,b}'", "pattern"),
        ("curl ftp://h/", "http and https"),
        ("curl --locaton http://h", "did you mean --location?"),
        ("curl -_ http://h", "no option '-_'"),
        (f"curl --header=Cookie:{_SECRET} http://h", "without a ="),
        (f"curl --{_SECRET[:0]}zzz={_SECRET} http://h", "no option '--zzz'"),
        ("curl http://h -H", "needs a value"),
        ("curl -F a=b http://h", "multipart"),
        ("curl --digest -u a:b http://h", "Basic or a bearer token"),
        ("curl -x socks5h://h http://h", "proxies only"),
        ("curl -x h:1 --noproxy '*' http://h", "leave one out"),
        ("curl -E lines:pass https://h", "--key-password-file"),
        ("curl --interface eth0 http://h", "IP address"),
        ("curl --tls-max 1.0 http://h", "--tls-max can't be '1.0'"),
        ("curl --cert-type P12 http://h", "PEM"),
        ("curl -T - http://h", "--data-binary @-"),
        ("curl -T missing http://h", "missing is no file"),
        ("curl -d @missing http://h", "missing can't be read (-d)"),
        ("curl -I -d a http://h", "contradict each other"),
        ("curl -T lines -d a http://h", "one body"),
        (f"curl -b {_SECRET} http://h", "NAME=VALUE"),
        (f"curl -H 'A: {_SECRET}\x1b[31m' http://h", "control character"),
        (f"curl -H 'A b: {_SECRET}' http://h", "can't be called"),
        (f"curl http://u:{_SECRET}@h:99999/", "port"),
        (f"curl -X '{_SECRET} ' 'http://u:{_SECRET}", "isn't closed"),
        ("curl -m abc http://h", "isn't a duration"),
        ("curl -m 1e9 http://h", "timeout must be"),
        ("curl --resolve h:x:y http://h", "--resolve"),
    ],
)
def test_a_bad_command_gets_one_sentence_without_its_secrets(command: str, said: str) -> None:
    done = called("run", "--curl", command)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
    assert done.err.startswith("Error: ")
    assert said in done.err
    assert _SECRET not in done.err
    assert "\x1b" not in done.err


def test_quotes_within_quotes_lead_to_a_file() -> None:
    words = shlex.split("--curl 'curl 'http://h/' -H 'a: b' -H 'c: d' --compressed'")  # as typed
    done = called("run", *words)
    assert (done.code, "--curl @FILE" in done.err) == (2, True)


def test_standard_input_is_not_read_twice() -> None:
    done = called("run", "--curl", "@-", stdin=b"curl -d @- http://h")
    assert (done.code, "has the command already" in done.err) == (2, True)


WORDS = st.sampled_from([
    *("http://h/", "h", "-", "--", "@-", "@lines", "a=b", "A: b", "'a b'", '"', "'", "^", "\\\n"),
    *("$'\\x41'", "\x1b[31m", "::error::", "1", "socks4://h", "\udcff", "é", "a:b:c", "[", "{"),
    *(flag for it in CURL_OPTIONS for flag in it.flags),
])  # fmt: skip


@settings(max_examples=60)
@given(st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=30))
def test_whatever_is_said_there_is_a_plan_or_one_sentence(said: str) -> None:
    with patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x"))):
        try:
            taken = taken_over(f"curl {said}")
            plan_of("http://h/", "--curl", f"curl {said}")
        except UsageError as error:
            assert "\n" not in f"{error}"  # noqa: PT017  # either will do
        else:
            assert printable(taken.remark) == taken.remark


@needs_curl
def test_the_table_has_every_option_of_curl_and_knows_which_take_a_value() -> None:
    told = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True)
    found = re.findall(r"(?m)^ *(?:(-.), )?(--[\w.-]+)( [<\[])?", told.stdout)
    assert len(found) > 200
    for short, long, value in found:
        option = BY_FLAG[long]
        assert BY_FLAG.get(short, option) is option
        assert option.has_value is bool(value) or long == "--help"


def test_nothing_is_in_the_table_twice() -> None:
    assert len(BY_FLAG) == sum(len(it.flags) for it in CURL_OPTIONS)


def test_a_run_without_it_loads_nothing_of_it() -> None:
    code = (
        "import sys, keepalive_bench.cli.run; print([it for it in sys.modules if 'cli.curl' in it])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
