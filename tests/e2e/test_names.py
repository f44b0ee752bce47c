"""Whom a domain wants to be called at (RFC 3263), by a name server that says what it likes."""

import time

import pytest

from names import A, NAPTR, SRV, Names, address, naptr, srv
from phone import Peer, Phone, answerer, caller, closed_port, text_caller


def test_naptr_chooses_the_transport_and_srv_the_port():
    far = answerer("-n", "1", listen="tcp:127.0.0.1:0")
    names = Names()
    names.add(
        "example.test",
        naptr(10, "SIP+D2T", "_sip._tcp.example.test"),
        naptr(20, "SIPS+D2T", "_sips._tcp.example.test"),
        naptr(30, "SIP+D2U", "_sip._udp.example.test"),
    )
    names.add("_sip._tcp.example.test", srv(10, 0, far.port(), "host.example.test"))
    names.add("host.example.test", address("127.0.0.1"))
    near = caller("sip:bob@example.test", "-d", "0.1", "--dns-server", names.host)
    assert near.exit() == 0
    assert far.exit() == 0
    assert near.event("call.outgoing")["transport"] == "tcp"
    assert names.asked[:3] == [
        ("example.test", NAPTR),
        ("_sip._tcp.example.test", SRV),
        ("host.example.test", A),
    ]


def test_who_refuses_and_who_has_no_room_is_left_for_the_next(tmp_path):
    full, good = Peer(), Peer()
    names = Names()
    names.add(
        "_sip._udp.example.test",
        srv(1, 0, closed_port(), "host.example.test"),
        srv(2, 0, full.port, "host.example.test"),
        srv(3, 0, good.port, "host.example.test"),
    )
    names.add("host.example.test", address("127.0.0.1"))
    settings = tmp_path / "sipcall.conf"
    settings.write_text(f"[sipcall]\ndns_server = {names.host}\n")
    near = caller("bob@example.test", "-c", settings)
    first = full.expect("INVITE")
    full.respond(first, 503)
    full.expect("ACK")
    second = good.expect("INVITE")
    assert second.start == first.start
    good.respond(second, 486)
    good.expect("ACK")
    assert near.exit() == 5


def test_a_person_reads_which_name_is_not_there_and_who_says_so():
    names = Names()
    near = text_caller("bob@nowhere.test", "--dns-server", names.host)
    assert near.exit() == 3
    assert near.out.lines[-1].endswith(
        f"there is no host nowhere.test (name server: {names.host})"
    )
    names.add("_sip._udp.lost.test", srv(0, 0, 5060, "gone.lost.test"))
    near = text_caller("bob@lost.test", "--dns-server", names.host)
    assert near.exit() == 3
    assert "there is no host gone.lost.test (" in near.out.lines[-1]


def test_a_name_server_that_is_not_there_is_named():
    server = f"127.0.0.1:{closed_port()}"
    before = time.monotonic()
    near = text_caller("bob@example.test:5060", "--dns-server", server)
    assert near.exit(10) == 3
    assert time.monotonic() - before < 10
    assert f"no name server answers for example.test (asked: {server})" in near.out.lines[-1]


def test_the_second_name_server_is_asked_when_the_first_is_not_there():
    peer, names = Peer(), Names()
    names.add("example.test", address("127.0.0.1"))
    first = f"--dns-server=127.0.0.1:{closed_port()}"
    near = caller(f"bob@example.test:{peer.port}", first, f"--dns-server={names.host}")
    invite = peer.expect("INVITE")
    peer.respond(invite, 486)
    assert near.exit() == 5
    assert {kind for _, kind in names.asked} <= {A, 28}  # a port is given: no SRV


HOSTILE = {
    "a record that points at itself": b"\xc0\x1e\0\x21\0\1\0\0\0\x3c\0\7\0\1\0\2\x13\xc4\0",
    "a target that points at itself": b"\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x08\0\1\0\2\x13\xc4\xc0\x2a",
    "a record that is cut": b"\xc0\x0c\0\x21\0\1\0\0\0\x3c\0\x40\0\1",
    "an alias of itself": b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c",
    "nothing at all": b"",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_broken_answer_ends_the_call_and_nothing_else(what):
    names = Names()
    for name in ("x.test", "_sip._udp.x.test", "_sip._tcp.x.test"):
        names.zone[name] = HOSTILE[what]
    near = Phone("-i", "silence", "-o", "null", f"--dns-server={names.host}", "bob@x.test")
    assert near.exit() == 3
    assert near.ended()["cause"] == "unreachable"
