"""Who stands nearest to the client, by `Server` and `Via` as real products send them."""

from __future__ import annotations

from typing import get_args

import pytest

from keepalive_bench.connections.products import (
    COMMONEST,
    COMMONEST_PROXIES,
    PRODUCTS,
    Concern,
    Product,
    nearest,
    product_called,
)
from keepalive_bench.errors import UsageError
from keepalive_bench.results.exchange import Answer

NAMELESS = {
    *("HAProxy", "Traefik", "AWS NLB", "Node", "Go", "Puma", "Tomcat", "Sanic", "Java HttpServer")
}
ASKED: tuple[Concern, ...] = ("request_limit", "idle_timeout", "lifetime", "errors")


def who(server: str | None = None, via: str | None = None) -> tuple[str, str | None, str]:
    found = nearest(Answer("HTTP/1.1", server=server, via=via))
    return found.how, found.product and found.product.name, found.said


@pytest.mark.parametrize(
    ("server", "product"),
    [
        ("nginx", "nginx"),
        ("nginx/1.22.1", "nginx"),
        ("openresty/1.21.4.3", "nginx"),
        ("Apache/2.4.71 (Debian) mod_wsgi/4.9 Python/3.11", "Apache"),
        ("Apache", "Apache"),
        ("lighttpd/1.4.69", "lighttpd"),
        ("Caddy", "Caddy"),
        ("Microsoft-IIS/10.0", "IIS"),
        ("ATS/9.2.5", "Apache Traffic Server"),
        ("envoy", "Envoy"),
        ("istio-envoy", "Envoy"),
        ("gunicorn", "gunicorn"),
        ("gunicorn/19.9.0", "gunicorn"),
        ("uvicorn", "uvicorn"),
        ("hypercorn-h11", "hypercorn"),
        ("waitress", "waitress"),
        ("TornadoServer/6.5.2", "Tornado"),
        ("daphne", "Daphne"),
        ("granian", "Granian"),
        ("Python/3.11 aiohttp/3.14.5", "aiohttp"),
        ("Cheroot/11.1.2", "cheroot"),
        ("Werkzeug/3.1.9 Python/3.11.7", "Werkzeug"),
        ("TwistedWeb/25.5.0", "Twisted"),
        ("SimpleHTTP/0.6 Python/3.11.7", "http.server"),
        ("WSGIServer/0.2 CPython/3.11.7", "wsgiref"),
        ("nginx/1.25.3 (Ubuntu)", "nginx"),
        ("NGINX", "nginx"),
        ("nginx/1.18.0 + Phusion Passenger(R) 6.0.10", "nginx"),
        ("Apache-Coyote/1.1", "Tomcat"),
        ("Jetty(12.0.14)", "Jetty"),
        ("Kestrel", "Kestrel"),
    ],
)
def test_a_server_field_tells_who_answered(server: str, product: str) -> None:
    how, found, said = who(server)
    assert (how, found) == ("server", product)
    own = said.partition(" (")[2].removesuffix(")") or said  # in brackets, if called otherwise
    assert own.partition("/")[0].lower() in server.lower()


def test_a_gateway_that_writes_its_name_before_another_is_the_nearer_one() -> None:
    """Caddy's reverse_proxy does, as two fields."""
    assert who("Caddy, SimpleHTTP/0.6 Python/3.11.7")[1] == "Caddy"


@pytest.mark.parametrize(
    ("via", "product"),
    [
        ("1.1 varnish (Varnish/7.1)", "Varnish"),
        ("1.1 varnish", "Varnish"),
        ("1.1 web-1 (Varnish/7.1)", "Varnish"),
        ("1.1 proxy.test:3128 (squid/5.7)", "Squid"),
        ("1.1 host (tinyproxy/1.11.1)", "tinyproxy"),
        ("http/1.1 ats (ApacheTrafficServer/9.2.5 [cMsSf ])", "Apache Traffic Server"),
        ("1.1 Caddy", "Caddy"),
        ("1.0 first, 1.1 second.test (a, comment) , 1.1 varnish", "Varnish"),
        ("1.1 localhost (Apache/2.4.71)", "Apache"),
        ("1.1 nginx", "nginx"),
        ("1.1 haproxy", "HAProxy"),
    ],
)
def test_the_last_that_via_names_is_nearest_whoever_answered(via: str, product: str) -> None:
    assert who("gunicorn", via) == ("via", product, product)


@pytest.mark.parametrize(
    ("server", "via", "product"),
    [
        ("gunicorn", "1.1 varnish, 1.1 abc.cloudfront.net (CloudFront)", "CloudFront"),
        ("AmazonS3", "1.1 f655cacd0d6f7c5dc935ea687af6f3c0.cloudfront.net", "CloudFront"),
        ("CloudFront", None, "CloudFront"),
        ("cloudflare", None, "Cloudflare"),
        ("cloudflare", "1.1 varnish", "Cloudflare"),
        ("awselb/2.0", None, "AWS ALB"),
        ("nginx", "1.1 google", "Google Cloud LB"),
    ],
)
def test_a_service_that_is_an_edge_is_nearest(
    server: str | None, via: str | None, product: str
) -> None:
    assert who(server, via)[:2] == ("edge", product)


def test_whom_kab_does_not_know_is_told_as_it_calls_itself() -> None:
    assert who("acme-httpd/1.0 (Plan 9)") == ("server", None, "acme-httpd/1.0")
    assert who("nginx", "1.1 vegur") == ("via", None, "vegur")
    assert who("nginxlike/1.0") == ("server", None, "nginxlike/1.0")
    assert who("nginx", "1.1 client.test (Apache-HttpClient/4.5)")[1] is None


@pytest.mark.parametrize(
    ("server", "via"), [(None, None), ("", ""), ("…", "…"), (" ,;", ", ,"), ("(", "(")]
)
def test_no_name_is_nobody(server: str | None, via: str | None) -> None:
    assert who(server, via) == ("nobody", None, "")


@pytest.mark.parametrize(
    "text", ["\x1b[31m::error::/1", "\u202eng", "x" * 5000, "(" * 5000, "a " * 2500, ", " * 2500]
)
def test_hostile_names_are_short_and_printable(text: str) -> None:
    for found in (who(text), who(None, text), who(text, f"1.1 {text}")):
        assert found[2].isprintable()
        assert "::" not in found[2]
        assert len(found[2]) <= 80


def test_products_that_do_not_name_themselves_are_marked_so() -> None:
    assert {it.name for it in PRODUCTS if not it.names_itself} >= NAMELESS


def test_each_name_is_of_one_product() -> None:
    for names in ("server", "via"):
        all_of_them = [name for it in PRODUCTS for name in getattr(it, names)]
        assert len(set(all_of_them)) == len(all_of_them)
        assert all(name == name.lower() for name in all_of_them)
    assert len({it.word for it in PRODUCTS}) == len(PRODUCTS)


def test_what_a_product_does_is_told_or_that_it_does_not() -> None:
    """A table that is silent about one leaves its user with nothing."""
    silent = [
        (it.name, concern)
        for it in PRODUCTS
        if it.keep_alive is None or it.keep_alive.name
        for concern in (*ASKED, "upstream")
        if it.setting(concern) is None and not (concern == "upstream" and it.place == "origin")
    ]
    assert not silent


def test_a_setting_that_has_a_name_is_documented_on_a_page() -> None:
    for product in PRODUCTS:
        for concern in get_args(Concern):
            setting = product.setting(concern)
            if setting is not None and setting.name:
                assert setting.page.startswith(("https://", "cli.md#")), (product.name, concern)
                assert setting.happens


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda it: it.word)
def test_a_product_can_be_called_by_its_word_in_any_case(product: Product) -> None:
    assert product_called(product.word) is product
    assert product_called(product.word.upper()) is product


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("alb", "AWS ALB"),
        ("nlb", "AWS NLB"),
        ("openresty", "nginx"),
        ("nginx/1.22.1", "nginx"),
        ("httpd", "Apache"),
        ("nodejs", "Node"),
    ],
)
def test_a_product_can_be_called_otherwise(word: str, name: str) -> None:
    assert product_called(word).name == name


def test_an_unknown_name_is_refused_in_a_sentence_that_says_where_the_known_ones_are() -> None:
    with pytest.raises(
        UsageError, match=r"no server called 'foo' \(--server\); .*explain products"
    ):
        product_called("foo")


def test_the_commonest_are_some_of_them() -> None:
    assert {*COMMONEST, *COMMONEST_PROXIES} <= {*PRODUCTS}
