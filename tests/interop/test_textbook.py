"""The call of the textbooks, between three domains, each with a Kamailio of its own: Jim of
umass.test calls keith@poly.test, who has moved to eurecom.test.

His proxy asks DNS for that of poly.test, is redirected by it and calls at eurecom.test, whose proxy
knows where Keith's phone is; the answers come back by the same proxies, and the voices go straight
from phone to phone. Every hop is taken from the wire. `pytest -s` draws it, and shows the ladder of
Jim's phone, which sees its own side only.
"""

import re

import pytest

import tones
from columns import draw
from dnsmasq import Dnsmasq
from domain import Domain
from netns import Net
from phone import answerer, caller, environment
from sniffer import Sniffer

DNS = "192.0.2.53"
JIM, UMASS = "192.0.2.77", "192.0.2.1"
POLY = "198.51.100.1"
EURECOM, KEITH = "203.0.113.1", "203.0.113.21"
NAMES = {JIM: "jim", UMASS: "umass", POLY: "poly", EURECOM: "eurecom", KEITH: "keith"}
SECRET = environment(SIPCALL_PASSWORD="secret")

CALLED = """
jim     > umass    INVITE sip:keith@poly.test
umass   > jim      407
jim     > umass    ACK
jim     > umass    INVITE sip:keith@poly.test
umass   > poly     INVITE sip:keith@poly.test
poly    > umass    302
umass   > poly     ACK
""".strip().splitlines()
BY_PROXY = """
umass   > eurecom  INVITE sip:keith@eurecom.test
""".strip().splitlines()
BY_PHONE = """
umass   > jim      302
jim     > umass    ACK
jim     > umass    INVITE sip:keith@eurecom.test
umass   > eurecom  INVITE sip:keith@eurecom.test
""".strip().splitlines()
ANSWERED = """
eurecom > keith    INVITE sip:keith@203.0.113.21
keith   > eurecom  180
eurecom > umass    180
umass   > jim      180
keith   > eurecom  200
eurecom > umass    200
umass   > jim      200
jim     > umass    ACK
umass   > eurecom  ACK
eurecom > keith    ACK
jim     > umass    BYE
umass   > eurecom  BYE
eurecom > keith    BYE
keith   > eurecom  200
eurecom > umass    200
umass   > jim      200
""".strip().splitlines()


@pytest.fixture
def world(tmp_path):
    """One network with all their addresses, on which everybody finds the others by DNS."""
    net = Net()
    for address in (DNS, JIM, UMASS, POLY, EURECOM, KEITH):
        net.ip(f"address add {address}/32 dev lo")
    (tmp_path / "resolv.conf").write_text(f"nameserver {DNS}\n")
    net.file("/etc/resolv.conf", tmp_path / "resolv.conf")
    return net


def step(datagram, message):
    """ "umass > poly INVITE sip:keith@poly.test", without the port of a phone."""
    ends = [NAMES[end.split(":")[0]] for end in (datagram.source, datagram.destination)]
    what = str(message.kind)
    if what == "INVITE":
        what += " " + re.match(r"INVITE (sip:[^@]*@[^: ;]*)", message.start)[1]
    return f"{ends[0]:7} > {ends[1]:7}  {what}"


def of_call(wire):
    return [sip for sip in wire.sip if sip[1].cseq[1] != "REGISTER"]


def vias(message):
    """Who handed it on, the last first."""
    return [NAMES[re.search(r"UDP ([\d.]*)", via)[1]] for via in message.all("via")]


def check_steps(wire, expected):
    """Each hop in order; and each INVITE has a 100 before its answer, but for those to phones and
    to who answers at once."""
    steps = [step(*sip) for sip in wire]
    assert [line for line in steps if not line.endswith(" 100")] == expected
    tried = [line for line in steps if line.endswith(" 100")]
    assert set(tried) == {"umass   > jim      100", "eurecom > umass    100"}
    for line in tried:
        assert steps.index(line) < steps.index(line.replace("100", "180"))


def check_ways(wire):
    """By whom requests went, and answers came back (RFC 3261, sections 16.6, 16.7 and 18.1.2)."""
    found = {step(*sip): sip[1] for sip in wire}
    invite = found["eurecom > keith    INVITE sip:keith@203.0.113.21"]
    assert vias(invite) == ["eurecom", "umass", "jim"]
    assert [route.split(";")[0] for route in invite.all("record-route")] == [
        f"<sip:{EURECOM}", f"<sip:{UMASS}"]  # fmt: skip
    assert vias(found["eurecom > umass    180"]) == ["umass", "jim"]
    assert vias(found["umass   > jim      180"]) == ["jim"]
    moved = found["poly    > umass    302"]
    assert moved.contact_uri == "sip:keith@eurecom.test"
    assert len({message.get("call-id") for _, message in wire}) == 1
    assert not invite.all("proxy-authorization")  # that was between Jim and his proxy


def check_sound(wire, tmp_path):
    """Straight between the phones, and heard."""
    ends = {tuple(end.split(":")[0] for end in it[:2]) for it in wire.rtp}
    assert ends == {(JIM, KEITH), (KEITH, JIM)}
    for name, hz in (("jim", 1000), ("keith", 440)):
        heard = tones.bursts(tmp_path / f"{name}.wav", [440, 1000])
        assert {burst.hz for burst in heard} == {hz}, heard
        assert sum(burst.length for burst in heard) > 0.3


@pytest.mark.parametrize("who, ways", [("proxy", BY_PROXY), ("phone", BY_PHONE)])
def test_jim_calls_keith_who_has_moved(world, tmp_path, who, ways):
    """Who follows the redirection is Jim's proxy, or it leaves that to his phone."""
    umass = Domain("umass.test", UMASS, world, follows=who == "proxy")
    poly = Domain("poly.test", POLY, world, moved="sip:keith@eurecom.test")
    eurecom = Domain("eurecom.test", EURECOM, world)
    Dnsmasq(*umass.records, *poly.records, *eurecom.records, within=world, address=DNS)
    with umass, poly, eurecom:
        keith = answerer(
            "-a", "keith@eurecom.test", "-n", "1", "--codecs", "pcmu", answer="--answer=0.1",
            listen=f"udp:{KEITH}:0", mic="tone:1000", speaker=f"file:{tmp_path / 'keith.wav'}",
            within=world, env=SECRET,
        )  # fmt: skip
        keith.event("registration.ok")
        wire = Sniffer(world)
        jim = caller(
            "keith@poly.test", "-a", "jim@umass.test", "--proxy", "sip:umass.test", "--ladder",
            "-l", f"udp:{JIM}:0", "--codecs", "pcmu", "-d", "1.2", mic="tone:440",
            speaker=f"file:{tmp_path / 'jim.wav'}", within=world, env=SECRET,
        )  # fmt: skip
        assert (jim.exit(), keith.ended()["cause"]) == (0, "remote")
        expected = CALLED + ways + ANSWERED
        last = expected.count(expected[-1])
        wire.until(lambda _: [step(*sip) for sip in of_call(wire)].count(expected[-1]) == last)
    call = of_call(wire)
    print("\n".join(["", *draw(wire, NAMES), "", jim.err.text]))
    check_steps(call, expected)
    check_ways(call)
    check_sound(wire, tmp_path)
    assert keith.event("call.incoming")["peer"] == "sip:jim@umass.test"
