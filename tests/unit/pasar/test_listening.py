"""Binding before anything else is started."""

import socket
import sys

import pytest

from pasar import free_ports
from pasar.free_ports import PORTS, hold_free_ports, pick_free_port
from pasar.listening import AddressUnusable, PortTaken, bind, port_of


def test_port_0_takes_a_free_port() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert port_of(listener) in PORTS


def test_port_0_takes_what_the_system_gives_when_the_picked_one_has_just_been_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with bind("127.0.0.1", 0) as other:
        monkeypatch.setattr("pasar.listening.pick_free_port", lambda: port_of(other))
        with bind("127.0.0.1", 0) as listener:
            assert port_of(listener) not in (0, port_of(other))


def test_a_port_is_picked_that_nobody_listens_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", 0) as second:
        taken, free = port_of(first), port_of(second)
        second.close()
        monkeypatch.setattr(free_ports, "PORTS", [taken, free])
        monkeypatch.setattr(free_ports, "TRIES", 2)
        assert {pick_free_port() for _ in range(20)} == {free}
        monkeypatch.setattr(free_ports, "PORTS", [taken, taken])
        assert pick_free_port() not in (0, taken)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a program listen at a port that another one holds")
def test_ports_that_are_held_are_different_and_for_the_programs_that_are_told_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with hold_free_ports(3) as ports:
        assert len(set(ports)) == 3
        monkeypatch.setattr(free_ports, "PORTS", ports)
        monkeypatch.setattr(free_ports, "TRIES", 3)
        assert pick_free_port() not in ports
        # One that is started again finds its port free, also where connections linger
        for _ in range(2):
            with (
                bind("127.0.0.1", ports[0]) as listener,
                socket.create_connection(("127.0.0.1", ports[0])),
                listener.accept()[0],
            ):
                assert pick_free_port() not in ports
            assert pick_free_port() not in ports
    assert pick_free_port() in ports


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
