"""Where a webhook may go. A customer names its URL, so it must not reach what only we can reach (SSRF).

The URL is checked when it is given, for a clear answer; the address is checked again with every connection, because a
name may mean another address by then.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from yarl import URL

from core.errors import BadUserInput

MAX_URL_LENGTH = 2048

# Labels of which the last is no number: systems read 127.1, 2130706433 and 0x7f000001 as addresses, too
_HOST_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*(?!0x[0-9a-f]*\.?$)(?![0-9]+\.?$)[a-z0-9_-]{1,63}\.?")

# An IPv6 address that stands for an IPv4 one behind a translator (RFC 6052)
_NAT64 = IPv6Network("64:ff9b::/96")


def check_webhook_url(url: str, *, allow_private: bool) -> str:
    """Return *url* as it will be called; raise BadUserInput when it is none or leads to where it must not.

    Read by the same parser as the HTTP client's: two parsers that disagree about a host are how such checks are passed.
    """
    if len(url) > MAX_URL_LENGTH:
        raise _refusal(f"a webhook URL has at most {MAX_URL_LENGTH} characters")
    try:
        parsed = URL(url.strip())
        port = parsed.explicit_port
    except (ValueError, TypeError):
        raise _refusal("this is not a URL such as https://erp.example/orders") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or not str(parsed).isascii():
        raise _refusal("a webhook URL begins with https:// or http:// and names a host")
    if parsed.user is not None or parsed.password is not None:
        raise _refusal("a webhook URL has no user name: the signature proves who calls")
    if parsed.fragment or port == 0:
        raise _refusal("a webhook URL has no fragment and no port 0")
    try:
        address = ip_address(parsed.host)
    except ValueError:
        if not _HOST_NAME.fullmatch(parsed.raw_host or ""):
            raise _refusal(f"{parsed.host} is not the name of a host") from None
        # A name: what it stands for is seen when it is called
        if not allow_private and (parsed.host.rstrip(".") + ".").endswith(("localhost.", ".internal.", ".local.")):
            raise _refusal(f"{parsed.host} is not a public host") from None
    else:
        if not may_call(address, allow_private=allow_private):
            raise _refusal(f"{parsed.host} is not a public address")
    return str(parsed)


def may_call(address: IPv4Address | IPv6Address, *, allow_private: bool) -> bool:
    """Tell whether a webhook may connect to *address*.

    Cases, in order: an IPv6 address that carries an IPv4 one is judged by that; this machine and private networks need
    *allow_private*; link-local addresses (where clouds keep their credentials), multicast and reserved ones never.
    """
    inner = _inner_address(address)
    if inner is not None:
        return may_call(inner, allow_private=allow_private)
    if address.is_loopback:
        return allow_private
    if address.is_link_local or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    # Neither private nor global is the space that providers share among customers, 100.64.0.0/10
    return address.is_global or allow_private


def _inner_address(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def _refusal(message: str) -> BadUserInput:
    return BadUserInput(message, field="webhookUrl")
