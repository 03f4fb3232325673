"""Binding before anything else is started."""

import socket

import pytest

from pasar.listening import AddressUnusable, PortTaken, bind, port_of


def test_port_0_takes_a_free_port() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert port_of(listener) > 0


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is taken by another program: choose another"):
            bind("127.0.0.1", port)
        assert PortTaken.code == "PORT_TAKEN"


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(AddressUnusable, match=f"cannot listen on {host}:0: "):
        bind(host, 0)
