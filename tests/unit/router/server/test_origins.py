from typing import Literal

import pytest

from router.config import CorsConfig
from router.errors import CrossSiteRequest
from router.server.origins import OriginRules

SHOP = "https://shop.example"


def rules(*origins: str, csrf: Literal["auto", "strict", "off"] = "auto") -> OriginRules:
    return OriginRules(CorsConfig(origins=list(origins)), csrf, "pasar_access")


def is_refused(rules: OriginRules, headers: dict[str, str], cookies: dict[str, str] | None = None) -> bool:
    try:
        rules.check_get(headers, cookies or {})
    except CrossSiteRequest:
        return True
    return False


LOGIN = {"pasar_access": "token"}


@pytest.mark.parametrize(
    ("headers", "cookies", "refused"),
    [
        # no browser, or one without a login
        ({}, {}, False),
        ({}, {"other": "1"}, False),
        # an old browser that sends our cookie
        ({}, LOGIN, True),
        # browsers say where a request comes from
        ({"sec-fetch-site": "cross-site"}, {}, True),
        ({"sec-fetch-site": "same-site"}, {}, True),
        ({"sec-fetch-site": "same-origin"}, LOGIN, False),
        ({"sec-fetch-site": "none"}, LOGIN, False),
        # what no page can send without a preflight
        ({"sec-fetch-site": "cross-site", "apollo-require-preflight": "1"}, LOGIN, False),
        ({"sec-fetch-site": "cross-site", "x-apollo-operation-name": "A"}, LOGIN, False),
        ({"sec-fetch-site": "cross-site", "content-type": "application/json"}, LOGIN, False),
        ({"sec-fetch-site": "cross-site", "content-type": "text/plain"}, LOGIN, True),
        # an origin that configuration trusts
        ({"sec-fetch-site": "cross-site", "origin": SHOP}, LOGIN, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, LOGIN, True),
    ],
)
def test_a_get_request_that_any_page_could_send_is_refused(
    headers: dict[str, str], cookies: dict[str, str], refused: bool
) -> None:
    assert is_refused(rules(SHOP), headers, cookies) is refused


def test_strict_wants_a_preflight_header_from_everybody() -> None:
    assert is_refused(rules(csrf="strict"), {})
    assert is_refused(rules(csrf="strict"), {"sec-fetch-site": "same-origin"})
    assert not is_refused(rules(csrf="strict"), {"apollo-require-preflight": "1"})


def test_off_refuses_nothing() -> None:
    assert not is_refused(rules(csrf="off"), {"sec-fetch-site": "cross-site"}, LOGIN)


def test_any_origin_may_read_but_is_not_trusted_with_a_login() -> None:
    assert is_refused(rules("*"), {"sec-fetch-site": "cross-site", "origin": SHOP}, LOGIN)
    assert rules("*").cors_headers({"origin": SHOP}) == [(b"access-control-allow-origin", b"*")]


def test_an_allowed_origin_may_read_with_credentials() -> None:
    headers = dict(rules(SHOP).cors_headers({"origin": SHOP}))
    assert headers[b"access-control-allow-origin"] == SHOP.encode()
    assert headers[b"access-control-allow-credentials"] == b"true"
    assert headers[b"vary"] == b"Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "null", ""])
def test_another_origin_may_not(origin: str) -> None:
    assert rules(SHOP).cors_headers({"origin": origin}) == [(b"vary", b"Origin")]
    assert rules(SHOP).preflight_headers({"origin": origin}) is None


def test_without_cors_no_header_is_added() -> None:
    assert rules().cors_headers({"origin": SHOP}) == []


def test_a_preflight_is_answered_with_what_was_asked_for() -> None:
    asked = {"origin": SHOP, "access-control-request-headers": "authorization, content-type"}
    headers = dict(rules(SHOP).preflight_headers(asked) or [])
    assert headers[b"access-control-allow-headers"] == b"authorization, content-type"
    assert headers[b"access-control-allow-methods"] == b"GET, POST"
    assert headers[b"access-control-max-age"] == b"3600"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:4000", True),
        (SHOP, True),
        ("http://127.0.0.1:4001", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_a_websocket_is_opened_for_our_own_pages_and_trusted_origins(origin: str | None, allowed: bool) -> None:
    headers = {"host": "127.0.0.1:4000"} | ({"origin": origin} if origin is not None else {})
    assert rules(SHOP).allows_websocket(headers) is allowed


OWN = "https://pasar.example"
EVIL = "https://evil.example"
REFRESH = {"pasar_refresh": "token"}


@pytest.mark.parametrize(
    ("headers", "cookies", "refused"),
    [
        # no login, no danger
        ({"sec-fetch-site": "cross-site", "origin": EVIL}, {}, False),
        # no browser
        ({}, LOGIN, False),
        # browsers say where a request comes from
        ({"sec-fetch-site": "same-origin", "origin": OWN}, LOGIN, False),
        ({"sec-fetch-site": "none"}, LOGIN, False),
        ({"sec-fetch-site": "cross-site", "origin": EVIL}, LOGIN, True),
        ({"sec-fetch-site": "cross-site", "origin": EVIL}, REFRESH, True),
        ({"sec-fetch-site": "cross-site"}, LOGIN, True),
        ({"sec-fetch-site": "same-site", "origin": "https://blog.pasar.example"}, LOGIN, True),
        # a header that a page has added does not help it
        ({"sec-fetch-site": "cross-site", "origin": EVIL, "apollo-require-preflight": "1"}, LOGIN, True),
        # the host's name alone is no proof where the browser knows better
        ({"sec-fetch-site": "cross-site", "origin": OWN, "host": "pasar.example"}, LOGIN, True),
        # older ones name the page's origin
        ({"origin": OWN, "host": "pasar.example"}, LOGIN, False),
        ({"origin": EVIL, "host": "pasar.example"}, LOGIN, True),
        ({"origin": "null", "host": "pasar.example"}, LOGIN, True),
        ({"origin": "http://[", "host": "pasar.example"}, LOGIN, True),
        # an origin that configuration trusts
        ({"sec-fetch-site": "cross-site", "origin": SHOP}, LOGIN, False),
        ({"origin": SHOP}, LOGIN, False),
    ],
)
def test_a_post_request_with_a_logins_cookies_is_for_our_own_pages(
    headers: dict[str, str], cookies: dict[str, str], refused: bool
) -> None:
    checks = OriginRules(CorsConfig(origins=[SHOP]), "auto", "pasar_access", forwards_cookies=True)
    assert is_refused_post(checks, headers, cookies) is refused
    assert is_refused_post(
        OriginRules(checks.cors, "strict", "pasar_access", forwards_cookies=True), headers, cookies
    ) is (refused)
    assert not is_refused_post(OriginRules(checks.cors, "off", "pasar_access", forwards_cookies=True), headers, cookies)


def test_cookies_that_nobody_reads_are_no_login() -> None:
    assert not is_refused_post(rules(), {"sec-fetch-site": "cross-site", "origin": EVIL}, {"theme": "dark"})
    assert is_refused_post(rules(), {"sec-fetch-site": "cross-site", "origin": EVIL}, LOGIN)


@pytest.mark.parametrize(
    ("origin", "own"),
    [(OWN, True), ("http://pasar.example", False), ("https://pasar.example:8443", False), (EVIL, False)],
)
def test_where_our_origins_are_known_the_host_header_says_nothing(origin: str, own: bool) -> None:
    known = OriginRules(CorsConfig(), "auto", "pasar_access", own_origins=(OWN,))
    for host in ("pasar.example", "internal:4000", "evil.example"):
        headers = {"origin": origin, "host": host}
        assert is_refused_post(known, headers, LOGIN) is not own
        assert known.allows_websocket(headers) is own
        assert known.believes_cookies(headers) is own
    # Behind a proxy that changes the host, a browser may say cross-site
    assert is_refused_post(known, {"origin": origin, "sec-fetch-site": "cross-site"}, LOGIN) is not own


def is_refused_post(checks: OriginRules, headers: dict[str, str], cookies: dict[str, str]) -> bool:
    try:
        checks.check_post(headers, cookies)
    except CrossSiteRequest:
        return True
    return False
