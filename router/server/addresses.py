"""Whose request it is, when proxies stand in front of the router."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from router.config import ConfigError


@dataclass(frozen=True, slots=True)
class AddressReader:
    """Finds the client's address. Only *proxies* are believed when they name another one."""

    proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    def client_address(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Return the address of the client; the last one in `X-Forwarded-For` that is not a proxy of ours.

        What stands further left was written by somebody who is not trusted.
        """
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if not self.proxies or not self._is_proxy(address):
            return address
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
            forwarded = hop.strip()
            if not forwarded:
                continue
            address = forwarded
            if not self._is_proxy(forwarded):
                break
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxies)


def build_address_reader(trusted_proxies: Sequence[str]) -> AddressReader:
    """Return a reader that believes *trusted_proxies*; raise ConfigError for what is no address or network."""
    try:
        return AddressReader(tuple(ip_network(proxy, strict=False) for proxy in trusted_proxies))
    except ValueError as wrong:
        raise ConfigError(f"trusted_proxies: {wrong}") from None
