"""Signalling over TCP, and where the phone listens when nobody said where."""

import re
import socket
import time

import pytest

from phone import (
    HERE, SIPCALL, Media, Message, Peer, Phone, Process, answerer, caller, sdp, text_caller,
)  # fmt: skip

TCP = "tcp:127.0.0.1:0"


class TcpPeer(Peer):
    """The same far end at the other end of a TCP connection."""

    def __init__(self, to=None):
        super().__init__()
        self.rest = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.stream = socket.create_connection(to) if to else None

    def uri(self, user="x"):
        return f"sip:{user}@{self.host};transport=tcp"

    def contact(self):
        return f"Contact: <{self.uri('peer')}>"

    def send(self, data, to=None):
        data = data.encode() if isinstance(data, str) else data
        self.stream.sendall(data.replace(b"SIP/2.0/UDP 127.0.0.1", b"SIP/2.0/TCP 127.0.0.1", 1))

    def receive(self, limit=5):
        if not self.stream:
            self.listener.settimeout(limit)
            self.stream, _ = self.listener.accept()
        self.stream.settimeout(max(0.01, limit))
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, _ = self.rest.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)^content-length:\s*(\d+)", head, re.M)[1])
        while len(self.rest) < len(head) + 4 + length:
            self._more()
        whole = len(head) + 4 + length
        message = Message(self.rest[:whole], self.stream.getpeername())
        self.rest = self.rest[whole:].lstrip(b"\r\n")
        self.log.append(message)
        return message

    def _more(self):
        data = self.stream.recv(65536)
        assert data, f"the connection is closed\n{self.report()}"
        self.rest += data

    def close(self):
        super().close()
        self.listener.close()
        if self.stream:
            self.stream.close()


def test_a_call_goes_over_tcp_where_the_address_says_so():
    peer, media = TcpPeer(), Media()
    near = caller(peer.uri("bob"), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    assert invite.get("via").startswith("SIP/2.0/TCP ")
    assert "transport=tcp" in invite.contact_uri
    outgoing = near.event("call.outgoing", transport="tcp")
    assert (outgoing["address"], outgoing["port"]) == ("127.0.0.1", peer.port)
    ack = peer.answer(invite, media.port)
    media.wait(5)
    peer.hang_up(invite, ack.source)
    assert peer.expect(200).cseq == (1, "BYE")
    assert near.exit() == 0


def test_two_phones_talk_over_tcp():
    far = answerer("-n", "1", listen=TCP)
    assert far.event("listening")["transport"] == "tcp"
    near = caller(far.uri() + ";transport=tcp", "-d", "0.5")
    assert (near.exit(), far.exit()) == (0, 0)
    assert far.event("call.incoming")["transport"] == "tcp"
    assert near.ended()["received"] > 5


def test_a_phone_that_waits_answers_by_the_connection_on_which_it_is_called():
    far = answerer("-n", "1", "--codecs", "pcmu", listen=TCP)
    to = ("127.0.0.1", far.port())
    peer, media = TcpPeer(to), Media()
    invite, ok = peer.call(to, media.port)
    media.wait(3)
    peer.bye(invite, ok, to)
    peer.expect(200)
    assert far.exit() == 0


def test_nothing_listens_is_noticed_at_once_over_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    near = text_caller(f"sip:x@127.0.0.1:{port};transport=tcp")
    assert near.exit() == 3
    assert near.out.lines[-1] == (
        f"failed    nothing listens on 127.0.0.1:{port} (connection refused)"
    )


def test_a_transport_that_was_not_given_gets_a_port_by_itself():
    peer = TcpPeer()
    near = caller(peer.uri(), "-l", HERE)
    invite = peer.expect("INVITE")
    peer.respond(invite, 486)
    peer.expect("ACK")
    assert near.exit() == 5
    told = [(event["transport"], event["address"]) for event in near.having("listening")]
    assert told == [("udp", "127.0.0.1"), ("tcp", "127.0.0.1")]
    other = Peer()
    near = caller(other.uri(), "-l", TCP)
    invite = other.expect("INVITE")
    other.respond(invite, 486)
    other.expect("ACK")
    assert near.exit() == 5
    told = [(event["transport"], event["address"]) for event in near.having("listening")]
    assert told == [("tcp", "127.0.0.1"), ("udp", "127.0.0.1")]


def test_a_redirection_may_lead_from_udp_to_tcp():
    peer, other = Peer(), TcpPeer()
    near = caller(peer.uri("bob"), "-l", HERE)
    invite = peer.expect("INVITE")
    peer.respond(invite, 302, f"Contact: <{other.uri('carol')}>")
    second = other.expect("INVITE")
    assert second.get("via").startswith("SIP/2.0/TCP ")
    other.respond(second, 603)
    other.expect("ACK")
    assert near.exit() == 5


def test_a_caller_listens_by_both_on_one_port():
    peer = Peer()
    near = caller(peer.uri())
    peer.respond(peer.expect("INVITE"), 486)
    assert near.exit() == 5
    listening = [event for event in near.having("listening") if event["address"] == "0.0.0.0"]
    assert [event["transport"] for event in listening] == ["udp", "tcp"]
    assert listening[0]["port"] == listening[1]["port"]


def test_the_usual_port_is_had_by_both_or_left_by_both():
    """Whether it is free depends on the machine: either all of it is told, or a line says so."""
    first = Process([SIPCALL, "--answer", "-i", "silence", "-o", "null"])
    first.line("^listening ")
    second = Process([SIPCALL, "--answer", "-i", "silence", "-o", "null"])
    second.line("^listening ")
    found = re.fullmatch(
        r"listening udp 0\.0\.0\.0:(\d+), tcp 0\.0\.0\.0:(\d+)"
        r"   as the usual port \(5060\) is taken",
        second.out.lines[0],
    )
    assert found and found[1] == found[2] != "5060"


def test_a_tcp_port_that_is_taken_was_asked_for_and_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        far = Phone("--answer", "-l", f"tcp:127.0.0.1:{port}", "-i", "silence", "-o", "null")
        assert far.exit() == 9
        assert f"cannot listen on tcp 127.0.0.1:{port}: " in far.err.text


def test_a_long_invite_goes_by_tcp_and_by_udp_where_nobody_takes_that():
    """RFC 3261, section 18.1.1."""
    peer = Peer()  # which listens by UDP only
    near = caller(peer.uri(), "-H", "X-Long: " + "x" * 1400)
    invite = peer.expect("INVITE")
    assert invite.get("via").startswith("SIP/2.0/UDP ")
    peer.respond(invite, 486)
    peer.expect("ACK")
    assert near.exit() == 5


def test_a_call_on_a_connection_that_breaks_goes_on_until_its_end():
    peer, media = TcpPeer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu", "-d", "1")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    media.wait(3)
    peer.stream.close()
    peer.stream = None
    media.wait(len(media.packets) + 10)
    bye = peer.expect("BYE")  # by a connection of its own
    peer.respond(bye, 200)
    assert near.exit() == 0


def test_a_long_invite_that_was_heard_of_by_tcp_does_not_go_by_udp():
    """RFC 3261, section 18.1.1: UDP is for where TCP is refused. Who has said 100 has read it; and
    what is under way may be given up at any time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(server.getsockname())
        port = server.getsockname()[1]
        near = caller(f"sip:x@127.0.0.1:{port}", "-H", "X-Long: " + "x" * 1400)
        stream, source = server.accept()
        server.close()
        data = b""
        while b"\r\n\r\n" not in data:
            data += stream.recv(65536)
        invite = Message(data, source)
        lines = ["SIP/2.0 100 Trying"]
        lines += [f"{name}: {invite.get(name)}" for name in ("via", "from", "to", "call-id", "cseq")]
        stream.sendall("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
        time.sleep(0.2)
        stream.close()
        assert near.exit() == 3
        assert near.ended()["cause"] == "unreachable"
        udp.setblocking(False)
        with pytest.raises(BlockingIOError):
            udp.recv(65536)
        udp.close()


def test_a_host_that_does_not_exist_is_not_said_to_be_called_by_another_transport():
    near = text_caller("x@no-such-host.invalid;transport=tcp")
    assert near.exit(15) == 3
    assert near.out.lines[0] == "calling   x@no-such-host.invalid;transport=tcp  tcp"
