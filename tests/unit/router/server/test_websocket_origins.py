"""Whose cookies a WebSocket may bring: browsers ask nobody before they send them."""

import pytest

from router.config import CorsConfig
from router.server.origins import OriginRules

HOST = {"host": "shop.example"}


def rules(*origins: str) -> OriginRules:
    return OriginRules(CorsConfig(origins=list(origins)), "auto", "pasar_access")


@pytest.mark.parametrize(
    ("origins", "origin", "is_open", "is_believed"),
    [
        # No browser
        ((), None, True, True),
        # The store's own pages
        ((), "https://shop.example", True, True),
        (("*",), "https://shop.example", True, True),
        # Pages that configuration names
        (("https://app.example",), "https://app.example", True, True),
        # Pages of any other origin: kept out, or let in as nobody
        ((), "https://evil.example", False, False),
        (("https://app.example",), "https://evil.example", False, False),
        (("*",), "https://evil.example", True, False),
        (("*",), "null", True, False),
        # No URL at all
        ((), "http://[", False, False),
    ],
)
def test_a_page_of_any_origin_does_not_speak_for_its_visitor(
    origins: tuple[str, ...], origin: str | None, is_open: bool, is_believed: bool
) -> None:
    headers = HOST if origin is None else {**HOST, "origin": origin}
    assert rules(*origins).allows_websocket(headers) is is_open
    assert rules(*origins).believes_cookies(headers) is is_believed


def test_an_origin_that_is_no_url_is_not_the_host_that_was_not_named() -> None:
    assert not rules().allows_websocket({"origin": "http://["})
