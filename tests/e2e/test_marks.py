"""The marks by which routers tell what is in a hurry (DSCP, RFC 2474), as the far end sees them: CS5
for messages and EF for sound, where nothing else is said (RFC 4594)."""

import re
import signal
import socket
import struct
import time

import pytest

from phone import Message, Peer, answerer, caller, sdp

CS5, EF = 40, 46
LEVELS = {  # family: what to ask for marks with, and how they come
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
}


def look_at_marks(sock):
    level, asked, _ = LEVELS[sock.family]
    sock.setsockopt(level, asked, 1)
    sock.settimeout(5)


def receive(sock):
    """(bytes, DSCP) of the next datagram."""
    _, _, kind = LEVELS[sock.family]
    data, ancillary, _, _ = sock.recvmsg(65536, 64)
    fields = [value[0] for _, what, value in ancillary if what == kind]
    assert len(fields) == 1 and fields[0] & 3 == 0
    return data, fields[0] >> 2


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(
    "args, sip, rtp",
    [([], CS5, EF), (["--dscp-sip", "cs3", "--dscp-rtp", "34"], 24, 34),
     (["--dscp-sip=0", "--dscp-rtp=0"], 0, 0)],
)  # fmt: skip
def test_messages_and_sound_by_udp(address, args, sip, rtp):
    peer = Peer(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    media = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
    media[0].bind((address, 0))
    media[1].bind((address, media[0].getsockname()[1] ^ 1))  # where RTCP is sent or comes from
    media.sort(key=lambda sock: sock.getsockname()[1])
    for sock in (peer.socket, *media):
        look_at_marks(sock)
    near = caller(peer.uri(), *args)
    data, mark = receive(peer.socket)
    assert mark == sip
    invite = Message(data, (address, int(re.search(r"Via: .*:(\d+);", data.decode())[1])))
    peer.respond(invite, 200, peer.contact(), body=sdp(media[0].getsockname()[1], address=address))
    assert receive(peer.socket)[1] == sip  # ACK
    assert receive(media[0])[1] == rtp
    near.signal(signal.SIGINT)
    rtcp, mark = receive(media[1])  # goodbye, if nothing before
    assert rtcp[1] in (200, 201) and mark == rtp


def marks_of(capture, port, enough, limit=5):
    """The DSCPs of TCP segments (of IPv4) to or from that port, each as (source, destination):
    those that came until enough says so."""
    found = {}
    end = time.monotonic() + limit
    while not enough(found) and time.monotonic() < end:
        packet = capture.recv(65536)
        head = (packet[0] & 0xF) * 4
        source, target = struct.unpack(">HH", packet[head:head + 4])
        if port in (source, target):
            found.setdefault((source, target), []).append(packet[1] >> 2)
    return found


@pytest.fixture
def capture():
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    except PermissionError:
        pytest.skip("only root sees what others send")
    with sock:
        sock.settimeout(5)
        yield sock


def test_connections_that_we_make(capture):
    """From the first segment on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        caller(f"sip:x@127.0.0.1:{port};transport=tcp")
        server.settimeout(5)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(5)
            assert connection.recv(65536).startswith(b"INVITE ")
            ours = (connection.getpeername()[1], port)
            found = marks_of(capture, port, lambda found: len(found.get(ours, [])) >= 3)
    assert set(found[ours]) == {CS5}
    assert set(found[port, ours[0]]) == {0}  # the server's are its own


def test_connections_that_we_take(capture):
    far = answerer("--dscp-sip", "cs6", listen="tcp:127.0.0.1:0")
    port = far.port()
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"\r\n\r\n")
        assert connection.recv(2) == b"\r\n"
        theirs = (port, connection.getsockname()[1])
        found = marks_of(capture, port, lambda found: len(found.get(theirs, [])) >= 3)
    marks = found[theirs]
    assert set(marks) == {48}, marks


def test_the_configuration_has_them(tmp_path):
    config = tmp_path / "sipcall.conf"
    config.write_text("[sipcall]\ndscp_sip = 10\n")
    peer = Peer()
    look_at_marks(peer.socket)
    caller(peer.uri(), "-c", config)
    assert receive(peer.socket)[1] == 10
