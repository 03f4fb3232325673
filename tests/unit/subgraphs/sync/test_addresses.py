from ipaddress import ip_address

import pytest

from core.errors import BadUserInput
from subgraphs.sync.addresses import check_webhook_url, may_call

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
]
NEVER = [
    "0.0.0.0",  # what must not be called
    "169.254.169.254",
    "169.254.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::169.254.169.254",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert may_call(ip_address(address), allow_private=False)
    assert may_call(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_called_in_development_only(address: str) -> None:
    assert not may_call(ip_address(address), allow_private=False)
    assert may_call(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_special_addresses_are_never_called(address: str) -> None:
    assert not may_call(ip_address(address), allow_private=False)
    assert not may_call(ip_address(address), allow_private=True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://erp.example/orders", "https://erp.example/orders"),
        (" https://erp.example/orders?key=1 ", "https://erp.example/orders?key=1"),
        ("HTTPS://ERP.Example", "https://erp.example"),
        ("http://erp.example:8080/x", "http://erp.example:8080/x"),
        ("https://b\u00fccher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://erp.example/caf\u00e9", "https://erp.example/caf%C3%A9"),
        ("https://93.184.216.34/x", "https://93.184.216.34/x"),
        ("https://[2606:4700:4700::1111]/x", "https://[2606:4700:4700::1111]/x"),
    ],
)
def test_a_public_url_is_kept(given: str, kept: str) -> None:
    assert check_webhook_url(given, allow_private=False) == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp.example/orders",
        "//erp.example/orders",
        "/orders",
        "https://",
        "https:///orders",
        "ftp://erp.example",
        "file:///etc/passwd",
        "gopher://erp.example",
        "javascript:alert(1)",
        "unix:///run/docker.sock",
        "https://user@erp.example/",
        "https://user:pass@erp.example/",
        "https://erp.example\\@127.0.0.1/",
        "https://erp.example@127.0.0.1/",
        "https://erp.example/#fragment",
        "https://erp.example:0/",
        "https://erp.example:99999/",
        "https://erp.example:x/",
        "https://[::1",
        "https://erp .example/",
        "https://erp.example/" + "x" * 2048,
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "http://0x7f.0.0.0x1/",
        "http://erp.example%00.internal/",
    ],
)
def test_what_is_no_webhook_url_is_refused_everywhere(url: str) -> None:
    for allow_private in (False, True):
        with pytest.raises(BadUserInput) as refusal:
            check_webhook_url(url, allow_private=allow_private)
        assert refusal.value.field == "webhookUrl"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://127.0.0.1:27017/",
        "http://localhost/x",
        "http://LOCALHOST./x",
        "http://api.localhost/x",
        "http://metadata.google.internal/x",
        "http://printer.local/x",
        "http://10.1.2.3/x",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
    ],
)
def test_this_machine_and_private_networks_are_for_development(url: str) -> None:
    assert check_webhook_url(url, allow_private=True).startswith("http://")
    with pytest.raises(BadUserInput) as refusal:
        check_webhook_url(url, allow_private=False)
    assert refusal.value.field == "webhookUrl"
