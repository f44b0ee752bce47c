"""dnsmasq, as Debian has it, tells where a domain wants to be called (RFC 3263)."""

from dnsmasq import Dnsmasq
from phone import Peer, answerer, caller, closed_port, text_caller


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
