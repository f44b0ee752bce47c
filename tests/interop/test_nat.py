"""A phone behind a NAT, registered at a Kamailio outside: it calls, it is called, and both are heard.

The NAT is the kernel's: of the kind that keeps the port, and of the one that gives another port for
each far end (symmetric). Nobody outside can send to an address inside, and nobody relays sound: the
phone outside has a public address, and sends its RTP to where the other's comes from.
"""

import time

import pytest

import tones
from domain import Domain
from netns import Net
from phone import answerer, caller, environment
from sniffer import Sniffer

ALICE, BOB = "10.91.1.2", "203.0.113.2"  # inside, outside
SERVER, NAT = "203.0.113.3", "203.0.113.1"
SECRET = environment(SIPCALL_PASSWORD="secret")
UDP_S = 30  # how long the NAT remembers a way of UDP that nobody takes
IDLE_S = 90

RULES = """
table ip nat {{
	chain out {{
		type nat hook postrouting priority srcnat;
		oifname "outside" masquerade {kind};
	}}
}}
table ip filter {{
	chain through {{
		type filter hook forward priority filter; policy drop;
		iifname "inside" accept;
		ct state established,related accept;
	}}
}}
"""
KINDS = {"keeps the port": "", "symmetric": "random,fully-random"}


class World:
    """alice > NAT > outside, where Bob and the server of sip.test are."""

    def __init__(self, kind):
        self.inside, self.nat, self.outside = Net(), Net(), Net()
        self.inside.join("wire", self.nat, "inside")
        self.outside.join("wire", self.nat, "outside")
        self.inside.ip(f"address add {ALICE}/24 dev wire")
        self.nat.ip("address add 10.91.1.1/24 dev inside")
        self.nat.ip(f"address add {NAT}/24 dev outside")
        for address in (BOB, SERVER):
            self.outside.ip(f"address add {address}/24 dev wire")
        self.inside.ip("route add default via 10.91.1.1")
        self.outside.ip(f"route add default via {NAT}")
        self.nat.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.nat.run("nft", "-f", "-", text=RULES.format(kind=KINDS[kind]))
        for state in ("", "_stream"):
            self.nat.run("sysctl", "-qw", f"net.netfilter.nf_conntrack_udp_timeout{state}={UDP_S}")
        self.server = Domain("sip.test", SERVER, self.outside)

    def alice(self, transport, heard):
        """What her phone is started with."""
        return {
            "args": ["-a", "alice@sip.test", "--registrar", f"sip:{SERVER};transport={transport}",
                     "--codecs", "pcmu"],
            "listen": f"{transport}:{ALICE}:0", "mic": "tone:440", "speaker": heard,
            "within": self.inside, "env": SECRET,
        }  # fmt: skip

    def bob(self, heard):
        return {
            "args": ["-a", "bob@sip.test", "--registrar", f"sip:{SERVER}", "--codecs", "pcmu"],
            "listen": f"udp:{BOB}:0", "mic": "tone:1000", "speaker": heard,
            "within": self.outside, "env": SECRET,
        }  # fmt: skip


def waits(how, *args):
    """A phone that is registered, for one call."""
    how = dict(how)
    phone = answerer("-n", "1", *how.pop("args"), *args, **how)
    phone.event("registration.ok")
    return phone


def calls(how, whom, duration_s=1):
    how = dict(how)
    return caller(
        f"{whom}@sip.test", "-d", str(duration_s), "-l", how.pop("listen"), *how.pop("args"), **how
    )


def check_heard(path, hz):
    heard = tones.bursts(path, [440, 1000])
    assert {burst.hz for burst in heard} == {hz}, heard
    assert sum(burst.length for burst in heard) > 0.5, heard


def check_call(calling, called, near, far):
    """It was answered, ended by who called, and heard by both."""
    assert (calling.exit(), called.exit()) == (0, 0)
    assert called.ended()["cause"] == "remote"
    check_heard(near.removeprefix("file:"), 1000)
    check_heard(far.removeprefix("file:"), 440)


@pytest.fixture
def heard(tmp_path):
    return f"file:{tmp_path}/alice.wav", f"file:{tmp_path}/bob.wav"


CASES = [("udp", "keeps the port"), ("udp", "symmetric"), ("tcp", "symmetric")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_nat_is_what_it_is_called(kind):
    world = World(kind)
    wire = Sniffer(world.outside, "wire")
    with world.server:
        alice = waits(world.alice("udp", "null"))
        seen, message = next(it for it in wire.sip if it[1].kind == "REGISTER")
    assert seen.source.split(":")[0] == NAT and ALICE in message.get("via")
    assert (seen.source.split(":")[1] == str(alice.port())) == (kind == "keeps the port")


@pytest.mark.parametrize("transport, kind", CASES)
def test_the_server_is_told_where_she_is_seen(transport, kind):
    """Her own address is taken back: it leads nowhere from there."""
    world = World(kind)
    wire = Sniffer(world.outside, "wire")
    with world.server:
        alice = waits(world.alice(transport, "null"))
        contact = alice.event("registration.ok")["contact"]
        asked = [it for it in wire.sip if it[1].kind == "REGISTER"]
    assert contact.startswith(f"sip:alice@{NAT}:")
    if transport == "tcp":  # which the wire is not read for
        return
    seen, message = asked[-1]
    assert seen.source in contact
    assert [("expires=0" in value, ALICE in value) for value in message.all("contact")] == [
        (False, False), (True, True),
    ]  # fmt: skip


@pytest.mark.parametrize("transport, kind", CASES)
def test_who_is_inside_is_called(transport, kind, heard):
    world = World(kind)
    with world.server:
        alice = waits(world.alice(transport, heard[0]))
        bob = calls(world.bob(heard[1]), "alice")
        check_call(bob, alice, *heard)


@pytest.mark.parametrize("transport, kind", CASES)
def test_who_is_inside_calls(transport, kind, heard):
    world = World(kind)
    with world.server:
        bob = waits(world.bob(heard[1]))
        alice = calls(world.alice(transport, heard[0]), "bob")
        check_call(alice, bob, *heard)


@pytest.mark.long
@pytest.mark.limit(IDLE_S + 60)
def test_who_was_idle_for_longer_than_the_nat_remembers_is_called(tmp_path):
    """Each phone keeps its way through the NAT open by itself (RFC 5626, section 3.5)."""
    worlds = [World(kind) for _, kind in CASES]
    with worlds[0].server, worlds[1].server, worlds[2].server:
        alices = []
        for i, (world, (transport, _)) in enumerate(zip(worlds, CASES)):
            alices.append(waits(world.alice(transport, f"file:{tmp_path}/alice{i}.wav")))
        time.sleep(IDLE_S)
        for alice in alices:
            assert not alice.having("registration.lost") and not alice.having("registration.failed")
        for i, (world, alice) in enumerate(zip(worlds, alices)):
            bob = calls(world.bob(f"file:{tmp_path}/bob{i}.wav"), "alice")
            check_call(bob, alice, f"file:{tmp_path}/alice{i}.wav", f"file:{tmp_path}/bob{i}.wav")


@pytest.mark.long
@pytest.mark.limit(UDP_S + 60)
def test_a_call_without_a_registration_is_ended_by_the_far_end():
    """Later than the NAT remembers how the call went out: the call keeps its way open by itself."""
    world = World("symmetric")
    with world.server:
        bob = waits(world.bob("null"), "-d", str(UDP_S + 10))
        alice = calls(world.alice("udp", "null"), "bob", UDP_S + 20)
        assert alice.ended(UDP_S + 30)["cause"] == "remote"
        assert bob.exit() == 0
