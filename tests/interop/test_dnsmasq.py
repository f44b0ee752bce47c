"""dnsmasq, as Debian has it, tells where a domain wants to be called (RFC 3263)."""

import subprocess

import pytest

from dnsmasq import Dnsmasq
from phone import ROOT, Peer, answerer, caller, closed_port, text_caller


def test_naptr_srv_and_addresses_lead_to_the_right_port():
    far = answerer("-n", "2", listen="tcp:127.0.0.1:0")
    other = Peer()
    server = Dnsmasq(
        "--naptr-record=sip.test,10,50,s,SIP+D2T,,_sip._tcp.sip.test",
        "--naptr-record=sip.test,20,50,s,SIPS+D2T,,_sips._tcp.sip.test",
        "--naptr-record=sip.test,30,50,s,SIP+D2U,,_sip._udp.sip.test",
        "--address=/proxy.sip.test/127.0.0.1",
        f"--srv-host=_sip._tcp.sip.test,proxy.sip.test,{far.port()},10,60",
        f"--srv-host=_sip._udp.sip.test,proxy.sip.test,{other.port},10,60",
    )
    near = caller("bob@sip.test", "-d", "0.1", "--dns-server", server.host)
    assert near.exit() == 0
    assert near.event("call.outgoing")["transport"] == "tcp"
    near = caller(f"bob@proxy.sip.test:{far.port()};transport=tcp", "-d", "0.1",
                  "--dns-server", server.host)  # fmt: skip
    assert near.exit() == 0
    assert far.exit() == 0
    near = caller("sip:bob@sip.test;transport=udp", "--dns-server", server.host)
    other.respond(other.expect("INVITE"), 603)
    assert near.exit() == 5


def test_the_second_server_is_called_when_the_first_refuses():
    peer = Peer()
    server = Dnsmasq(
        "--address=/one.sip.test/127.0.0.2",
        "--address=/two.sip.test/127.0.0.1",
        f"--srv-host=_sip._udp.sip.test,one.sip.test,{closed_port()},10,0",
        f"--srv-host=_sip._udp.sip.test,two.sip.test,{peer.port},20,0",
    )
    near = caller("bob@sip.test", "--dns-server", server.host)
    peer.respond(peer.expect("INVITE"), 486)
    assert near.exit() == 5
    near = text_caller("bob@three.sip.test", "--dns-server", server.host)
    assert near.exit() == 3
    assert f"there is no host three.sip.test (name server: {server.host})" in near.out.lines[-1]


@pytest.mark.parametrize("transport, refuses", [("tcp", closed_port), ("udp", None)])
def test_the_second_server_takes_the_call_when_the_first_has_none_or_is_busy(transport, refuses):
    """By TCP nobody listens at the first; by UDP it says 503 (RFC 3263, section 4.3)."""
    first = None if refuses else Peer()
    far = answerer("-n", "1", listen=f"{transport}:127.0.0.1:0")
    server = Dnsmasq(
        "--host-record=proxy.sip.test,127.0.0.1",
        f"--srv-host=_sip._{transport}.sip.test,proxy.sip.test,"
        f"{refuses() if refuses else first.port},10,0",
        f"--srv-host=_sip._{transport}.sip.test,proxy.sip.test,{far.port()},20,0",
    )
    near = caller("bob@sip.test", "-d", "0.1", "--dns-server", server.host)
    if first:
        first.respond(first.expect("INVITE"), 503)
        first.expect("ACK")
    assert (near.exit(), far.exit()) == (0, 0)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", ROOT / "tests" / "certificates.sh", folder], check=True)
    return folder


@pytest.mark.parametrize("name, code", [("domain", 0), ("server", 3)])
def test_naptr_leads_to_tls(certificates, name, code):
    """The certificate has to name the domain that was called: what DNS says of its servers proves
    nothing (RFC 5922, section 4). Without it there is no call, by TCP neither."""
    far = answerer(
        "--tls-certificate", certificates / f"{name}.pem",
        "--tls-key", certificates / f"{name}.key", listen="tls:127.0.0.1:0",
    )  # fmt: skip
    other = answerer(listen="tcp:127.0.0.1:0")
    server = Dnsmasq(
        "--naptr-record=sip.test,10,50,s,SIPS+D2T,,_sips._tcp.sip.test",
        "--naptr-record=sip.test,20,50,s,SIP+D2T,,_sip._tcp.sip.test",
        "--host-record=proxy.sip.test,127.0.0.1",
        f"--srv-host=_sips._tcp.sip.test,proxy.sip.test,{far.port()},10,60",
        f"--srv-host=_sip._tcp.sip.test,proxy.sip.test,{other.port()},10,60",
    )
    near = caller("bob@sip.test", "-d", "0.1", "--dns-server", server.host,
                  "--tls-ca-file", certificates / "ca.pem")  # fmt: skip
    assert near.exit() == code
    assert near.event("call.outgoing")["transport"] == "tls"
    assert len(far.having("call.incoming")) == (code == 0) and not other.having("call.incoming")
