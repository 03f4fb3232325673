"""Tokens in cookies, and the three ways to sign them."""

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.e2e.conftest import MODES
from tests.e2e.test_shopping import codes_of, register
from tests.testkit.running import RunningStore, running_store, send

PASSWORD = "korrekte-pferde-batterie"


def test_a_browser_logs_in_refreshes_and_logs_out_with_cookies_that_scripts_cannot_read(store: RunningStore) -> None:
    _, account = register(store)
    email = account["email"]
    jar: SimpleCookie = SimpleCookie()

    def call(query: str, **headers: str) -> object:
        """Send a query as a browser does, with its cookies, and keep what comes back."""
        import json

        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
        request = Request(
            store.client.url,
            data=json.dumps({"query": query}).encode(),
            headers={"content-type": "application/json", **({"cookie": cookies} if cookies else {}), **headers},
        )
        with urlopen(request) as answer:
            for line in answer.headers.get_all("set-cookie") or ():
                jar.load(line)
            for name in [name for name, morsel in jar.items() if morsel["max-age"] == "0"]:
                del jar[name]
            return json.loads(answer.read())

    logged_in = call(
        f'mutation {{ login(input: {{email: "{email}", password: "{PASSWORD}", transport: COOKIE}})'
        " { ... on AuthSession { accessToken refreshToken user { email } } } }"
    )
    # The tokens are in the cookies alone
    assert logged_in == {"data": {"login": {"accessToken": None, "refreshToken": None, "user": {"email": email}}}}
    assert sorted(jar) == ["pasar_access", "pasar_refresh"]
    assert all(morsel["httponly"] for morsel in jar.values())
    assert {morsel["samesite"].lower() for morsel in jar.values()} == {"strict"}
    assert call("{ me { email } }") == {"data": {"me": {"email": email}}}

    old = {name: morsel.value for name, morsel in jar.items()}
    refreshed = call("mutation { refresh(transport: COOKIE) { __typename } }")
    assert refreshed == {"data": {"refresh": {"__typename": "AuthSession"}}}
    assert all(jar[name].value != value for name, value in old.items())
    assert call("{ me { email } }") == {"data": {"me": {"email": email}}}

    assert call("mutation { logout }") == {"data": {"logout": True}}
    assert sorted(jar) == []
    assert call("{ me { email } }") == {"data": {"me": None}}


@pytest.mark.parametrize(
    ("algorithm", "mode"), [("RS256", "up"), ("RS256", "split"), ("HS256", "up"), ("HS256", "split")]
)
def test_tokens_are_signed_as_configured(tmp_path: Path, algorithm: str, mode: str) -> None:
    import jwt

    with running_store(tmp_path, *MODES[mode], PASAR_TOKEN_ALGORITHM=algorithm) as store:
        customer, _ = register(store, "Rina")
        token = customer.token
        assert jwt.get_unverified_header(token)["alg"] == algorithm
        assert store.client.with_token(token).ask("{ me { name } }") == {"me": {"name": "Rina"}}
        # The same claims with another key, or with the public key as if it were a secret
        claims = jwt.decode(token, options={"verify_signature": False})
        forged = jwt.encode(
            claims, "f" * 64, algorithm="HS256", headers={"kid": jwt.get_unverified_header(token)["kid"]}
        )
        answer = store.client.with_token(forged).send("{ me { name } }")
        assert (answer.status, codes_of(answer.json)) == (401, ["UNAUTHENTICATED"])
        if mode == "up":
            keys = send(f"{store.url}/.well-known/jwks.json").json["keys"]
            # What signs HS256 is a secret, and secrets are not published
            assert [key["alg"] for key in keys] == ([] if algorithm == "HS256" else [algorithm])
