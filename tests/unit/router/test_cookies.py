from typing import Any

import pytest

from router.cookies import CLIENT_ADDRESS_HEADER, CookieTransport, RouterContext, SetCookie, collect_cookies
from router.transports.base import RequestContext, SubgraphRequest
from router.transports.fake import FakeTransport

REQUEST = SubgraphRequest("mutation { login }", {}, is_mutation=True)


def answer(*cookies: Any) -> dict[str, Any]:
    return {"data": {"login": True}, "extensions": {"pasar": {"setCookies": list(cookies)}, "other": 1}}


async def cookies_of(*cookies: Any) -> list[SetCookie]:
    context = RouterContext()
    await CookieTransport("user", FakeTransport([answer(*cookies)])).send(REQUEST, context)
    return context.set_cookies


async def test_cookies_move_from_the_response_to_the_request() -> None:
    context = RouterContext()
    given = {"name": "t", "value": "v", "max_age_s": 600, "same_site": "strict", "secure": False, "path": "/graphql"}
    response = await CookieTransport("user", FakeTransport([answer(given)])).send(REQUEST, context)
    assert response.extensions == {"other": 1}
    assert context.set_cookies == [
        SetCookie(name="t", value="v", max_age_s=600, same_site="strict", secure=False, path="/graphql")
    ]


async def test_only_trusted_subgraphs_may_set_cookies() -> None:
    transports = collect_cookies(
        {"user": FakeTransport([answer()]), "other": FakeTransport([answer({"name": "t", "value": "v"})])}, ["user"]
    )
    context = RouterContext()
    response = await transports["other"].send(REQUEST, context)
    assert context.set_cookies == []
    assert "pasar" in response.extensions


async def test_only_trusted_subgraphs_see_the_clients_cookies() -> None:
    user, other = FakeTransport([answer()]), FakeTransport([answer()])
    transports = collect_cookies({"user": user, "other": other}, ["user"])
    context = RouterContext(headers={"accept-language": "id"}, cookie_header="pasar_refresh=secret")
    for name in ("user", "other"):
        await transports[name].send(REQUEST, context)
    given = {"accept-language": "id"}
    assert [one.context.headers for one in user.requests] == [{**given, "cookie": "pasar_refresh=secret"}]
    assert [one.context.headers for one in other.requests] == [given]


def test_a_cookie_is_closed_to_scripts_and_plain_http_unless_it_says_otherwise() -> None:
    assert SetCookie(name="t", value="v").to_header() == "t=v; Path=/; SameSite=Lax; HttpOnly; Secure"
    relaxed = SetCookie(name="t", value="", max_age_s=0, http_only=False, secure=False, same_site="strict")
    assert relaxed.to_header() == "t=; Path=/; SameSite=Strict; Max-Age=0"


@pytest.mark.parametrize(
    "cookie",
    [
        {"name": "", "value": "v"},
        {"name": "a b", "value": "v"},
        {"name": "t", "value": "v; Domain=evil.example"},
        {"name": "t", "value": "v\r\nx-evil: 1"},
        {"name": "t", "value": "v", "path": "/; Domain=evil.example"},
        {"name": "t", "value": "ü"},
        {"name": "t", "value": "v", "same_site": "sometimes"},
        {"name": "t"},
        "t=v",
    ],
)
async def test_a_cookie_that_would_break_the_header_is_dropped(cookie: Any) -> None:
    assert await cookies_of(cookie) == []


async def test_a_context_that_collects_no_cookies_loses_them() -> None:
    response = await CookieTransport("user", FakeTransport([answer({"name": "t", "value": "v"})])).send(
        REQUEST, RequestContext()
    )
    assert response.extensions == {"other": 1}


async def test_closing_closes_the_transport_inside() -> None:
    inner = FakeTransport()
    await CookieTransport("user", inner).aclose()
    assert inner.is_closed


async def test_mutations_are_told_the_address_of_the_client_and_queries_are_not() -> None:
    inner = FakeTransport([answer(), answer(), answer()])
    transport = CookieTransport("user", inner)
    context = RouterContext(client_address="203.0.113.7", headers={"accept-language": "id"})
    await transport.send(REQUEST, context)
    await transport.send(SubgraphRequest("{ me { id } }", {}), context)
    await transport.send(REQUEST, RequestContext())
    assert [sent.context.headers for sent in inner.requests] == [
        {"accept-language": "id", CLIENT_ADDRESS_HEADER: "203.0.113.7"},
        {"accept-language": "id"},
        {},
    ]
