"""A phone behind a NAT that keeps ports, without any server of SIP: its description tells where the
NAT shows its sound, as coturn outside has told it.
"""

import pytest

import tones
from coturn import Coturn
from netns import Net
from phone import answerer, caller
from sniffer import Sniffer

ALICE, BOB = "10.91.1.2", "203.0.113.2"  # inside, outside
SERVER, NAT = "203.0.113.3", "203.0.113.1"
NEIGHBOUR = "10.91.1.1"

RULES = """
table ip nat {
	chain out {
		type nat hook postrouting priority srcnat;
		oifname "outside" masquerade;
	}
}
"""


FORWARD = """
table ip nat {
	chain in {
		type nat hook prerouting priority dstnat;
		iifname "outside" udp dport 5060 dnat to 10.91.1.2;
	}
}
"""


@pytest.fixture
def nets():
    """alice > NAT > outside, where Bob and the server are."""
    inside, nat, outside = Net(), Net(), Net()
    inside.join("wire", nat, "inside")
    outside.join("wire", nat, "outside")
    inside.ip(f"address add {ALICE}/24 dev wire")
    nat.ip(f"address add {NEIGHBOUR}/24 dev inside")
    nat.ip(f"address add {NAT}/24 dev outside")
    for address in (BOB, SERVER):
        outside.ip(f"address add {address}/24 dev wire")
    inside.ip(f"route add default via {NEIGHBOUR}")
    nat.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    nat.run("nft", "-f", "-", text=RULES)
    return inside, nat, outside


def described(message):
    """Where a description wants RTP and RTCP: (host, port, port)."""
    lines = message.body.decode().split("\r\n")
    host = next(line.split()[-1] for line in lines if line.startswith("c="))
    port = int(next(line.split()[1] for line in lines if line.startswith("m=audio")))
    rtcp = next((int(line[7:].split()[0]) for line in lines if line.startswith("a=rtcp:")), port + 1)
    return host, port, rtcp


def test_the_description_has_what_the_nat_shows(nets, tmp_path):
    inside, _nat, outside = nets
    Coturn(outside, SERVER)
    wire = Sniffer(outside, "wire")
    bob = answerer(
        "-n", "1", listen=f"udp:{BOB}:5060", mic="tone:1000", speaker=f"file:{tmp_path}/bob.wav",
        within=outside,
    )  # fmt: skip
    bob.event("listening")
    alice = caller(
        f"sip:bob@{BOB}", "--stun", SERVER, "-d", "1.5", "--codecs", "pcmu",
        mic="tone:440", speaker=f"file:{tmp_path}/alice.wav", within=inside,
    )  # fmt: skip
    answered = bob.event("call.answered")
    assert (bob.exit(), alice.exit()) == (0, 0)
    invite = next(message for _, message in wire.sip if message.kind == "INVITE")
    host, port, rtcp = described(invite)
    assert host == NAT
    assert answered["address"] == f"{NAT}:{port}"
    assert rtcp == port + 1  # this NAT keeps ports
    assert not alice.having("notice")
    for name, hz in (("alice", 1000), ("bob", 440)):
        heard = tones.bursts(tmp_path / f"{name}.wav", [440, 1000])
        assert {burst.hz for burst in heard} == {hz}, heard


def test_who_is_called_asks_too(nets):
    """Bob, outside, calls a port that the NAT was told of."""
    inside, nat, outside = nets
    Coturn(outside, SERVER)
    nat.run("nft", "-f", "-", text=FORWARD)
    alice = answerer("-n", "1", "--stun", SERVER, listen=f"udp:{ALICE}:5060", within=inside)
    alice.event("listening")
    bob = caller(f"sip:alice@{NAT}", "-d", "0.5", within=outside)
    assert bob.event("call.answered")["address"].startswith(f"{NAT}:")
    assert (alice.exit(), bob.exit()) == (0, 0)


def test_a_server_that_is_silent(nets):
    inside, _nat, outside = nets
    bob = answerer("-n", "1", listen=f"udp:{BOB}:5060", within=outside)
    bob.event("listening")
    alice = caller(f"sip:bob@{BOB}", "--stun", SERVER, "-d", "0.3", within=inside)
    assert SERVER in alice.event("notice")["words"]
    assert bob.event("call.answered")["address"].startswith(f"{ALICE}:")
    assert (bob.exit(), alice.exit()) == (0, 0)


def test_a_neighbour_is_called_by_our_own_address(nets):
    inside, nat, outside = nets
    Coturn(outside, SERVER)
    neighbour = answerer("-n", "1", listen=f"udp:{NEIGHBOUR}:5060", within=nat)
    neighbour.event("listening")
    wire = Sniffer(nat, "inside")
    alice = caller(f"sip:n@{NEIGHBOUR}", "--stun", SERVER, "-d", "0.3", within=inside)
    assert neighbour.event("call.answered")["address"].startswith(f"{ALICE}:")
    assert (neighbour.exit(), alice.exit()) == (0, 0)
    assert described(next(m for _, m in wire.sip if m.kind == "INVITE"))[0] == ALICE


def test_a_nat_that_changes_in_a_call(nets, tmp_path):
    """It gets another address outside, and forgets what it knew: each hears the other again."""
    inside, nat, outside = nets
    bob = answerer(
        "-n", "1", listen=f"udp:{BOB}:5060", mic="tone:1000", speaker=f"file:{tmp_path}/bob.wav",
        within=outside,
    )  # fmt: skip
    bob.event("listening")
    wire = Sniffer(outside, "wire")
    alice = caller(
        f"sip:bob@{BOB}", "-d", "5", "--codecs", "pcmu", mic="tone:440",
        speaker=f"file:{tmp_path}/alice.wav", within=inside,
    )  # fmt: skip
    alice.event("call.answered")
    wire.until(lambda seen: sum(d.source.startswith(NAT) for d in seen) > 20)
    nat.ip(f"address del {NAT}/24 dev outside")
    nat.ip(f"address add {NAT[:-1]}9/24 dev outside")
    assert (bob.exit(8), alice.exit()) == (0, 0)
    for name, hz in (("alice", 1000), ("bob", 440)):
        heard = tones.bursts(tmp_path / f"{name}.wav", [440, 1000])
        assert {burst.hz for burst in heard} == {hz}, heard
        assert heard[-1].start + heard[-1].length > 4.5, heard
