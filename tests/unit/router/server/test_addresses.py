import pytest

from router.config import ConfigError
from router.server.addresses import build_address_reader


def address(proxies: list[str], client: str | None, forwarded: str | None = None) -> str:
    scope = {"client": (client, 5000) if client is not None else None}
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return build_address_reader(proxies).client_address(scope, headers)


@pytest.mark.parametrize(
    ("proxies", "client", "forwarded", "expected"),
    [
        ([], "10.0.0.9", "1.2.3.4", "10.0.0.9"),
        (["10.0.0.0/8"], "10.0.0.9", "1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.9", None, "10.0.0.9"),
        (["10.0.0.0/8"], "8.8.8.8", "1.2.3.4", "8.8.8.8"),
        # what the client itself wrote stands further left
        (["10.0.0.0/8"], "10.0.0.9", "6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.9", "10.0.0.7, 10.0.0.8", "10.0.0.7"),
        (["10.0.0.0/8"], "10.0.0.9", " , 1.2.3.4,", "1.2.3.4"),
        (["::1"], "::1", "2001:db8::1", "2001:db8::1"),
        (["10.0.0.9"], "unix", "1.2.3.4", "unix"),
        ([], None, None, ""),
    ],
)
def test_only_trusted_proxies_are_believed(
    proxies: list[str], client: str | None, forwarded: str | None, expected: str
) -> None:
    assert address(proxies, client, forwarded) == expected


def test_a_proxy_that_is_no_address_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="trusted_proxies"):
        build_address_reader(["proxy.example"])
