"""How messages come and go: addresses, Via, UDP and TCP, IPv4 and IPv6."""

import socket

import pytest

from phone import answerer, caller
from sipp_end import Sipp, at, they_call, we_call


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


NO_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
WAYS = [
    ("udp", "127.0.0.1"),
    ("tcp", "127.0.0.1"),
    pytest.param("udp", "::1", marks=NO_IPV6),
    pytest.param("tcp", "::1", marks=NO_IPV6),
]


@pytest.mark.parametrize("transport, address", WAYS)
def test_it_calls_over(transport, address, tmp_path):
    near, far = they_call(tmp_path, "calls-and-hangs-up", transport=transport, address=address)
    assert far.event("call.incoming")["transport"] == transport
    assert far.event("call.incoming")["address"] == address
    ok = near.messages("received", 200)[0]
    assert f"received={address};" in f"{ok.get('via')};"
    if transport == "udp":  # over TCP it sends from a port of no name
        assert f"rport={near.port};" in f"{ok.get('via')};"
    assert (";transport=tcp" in ok.contact_uri) == (transport == "tcp")


@pytest.mark.parametrize("transport, address", WAYS)
def test_we_call_over(transport, address, tmp_path):
    far, near = we_call(
        tmp_path, "answers-and-is-hung-up-on", transport=transport, address=address
    )
    assert near.event("call.outgoing")["transport"] == transport
    for request in far.messages("received"):
        assert request.get("via").startswith(f"SIP/2.0/{transport.upper()} ")
    invite, bye = far.messages("received", "INVITE")[0], far.messages("received", "BYE")[0]
    ack = far.messages("received", "ACK")[0]
    assert (";transport=tcp" in invite.contact_uri) == (transport == "tcp")
    assert bye.cseq == (invite.cseq[0] + 1, "BYE") and ack.cseq == (invite.cseq[0], "ACK")
    assert len({invite.branch, ack.branch, bye.branch}) == 3
    assert invite.get("call-id") == bye.get("call-id") and invite.get("from") == bye.get("from")


LONG = "X-Long: " + "long " * 260  # with it an INVITE is over 1300 bytes


def test_an_invite_over_1300_bytes_goes_by_tcp(tmp_path):
    """RFC 3261, section 18.1.1, though the URI asks for no transport."""
    far = Sipp(tmp_path, "answers-and-is-hung-up-on", transport="tcp").ready()
    near = caller(f"sip:sipp@127.0.0.1:{far.port}", "-d", "0.1", "-H", LONG)
    assert near.exit(10) == 0
    assert far.exit() == 0
    assert far.messages("received", "INVITE")[0].get("via").startswith("SIP/2.0/TCP ")


def test_an_invite_over_1300_bytes_goes_by_udp_where_tcp_is_refused(tmp_path):
    far, near = we_call(tmp_path, "answers-and-is-hung-up-on", phone=("-d", "0.1", "-H", LONG))
    invite = far.messages("received", "INVITE")[0]
    assert invite.get("via").startswith("SIP/2.0/UDP ")
    assert len(invite.bytes) > 1300


def test_a_short_invite_goes_by_udp(tmp_path):
    far, _ = we_call(tmp_path, "answers-and-is-hung-up-on")
    assert far.messages("received", "INVITE")[0].get("via").startswith("SIP/2.0/UDP ")


def test_an_answer_finds_a_caller_whose_via_names_another_host(tmp_path):
    near, _ = they_call(tmp_path, "names-another-host-in-its-via", calls=0)
    assert "received=127.0.0.1" in near.messages("received", 200)[0].get("via")


def test_an_answer_takes_all_the_vias_back(tmp_path):
    they_call(tmp_path, "comes-through-two-proxies", calls=0)


def test_an_invite_that_comes_again_gets_the_same_answer(tmp_path):
    near, far = they_call(tmp_path, "calls-twice-with-one-invite", "-nr", answer="--answer=30")
    ringing = near.messages("received", 180)
    assert len(ringing) == 2 and ringing[0].bytes == ringing[1].bytes
    assert len(far.having("call.incoming")) == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_ack_and_a_bye_may_come_in_one_go(transport, tmp_path):
    _, far = they_call(tmp_path, "hangs-up-with-its-ack", transport=transport)
    assert far.ended()["cause"] == "remote"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ten_calls_at_once(transport, tmp_path):
    far = answerer("-n", "10", "--codecs", "pcmu", listen=f"{transport}:127.0.0.1:0")
    near = Sipp(
        tmp_path, "calls-and-hangs-up", at(far, transport), "-r", "50", calls=10,
        transport=transport,
    )  # fmt: skip
    assert near.exit(15) == 0
    assert far.exit() == 0
    assert {end["cause"] for end in far.having("call.ended")} == {"remote"}
