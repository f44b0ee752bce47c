"""SIP by a WebSocket (RFC 7118), which servers have that browsers call."""

import re
import ssl
import struct
import subprocess
from pathlib import Path

import pytest

from phone import SIPCALL, Media, Process, answerer, caller, run, text_caller
from names import Names, address, naptr, srv
from torn import Torn
from web import BINARY, CLOSE, PING, PONG, TEXT, WebServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of the certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", ROOT / "tests" / "certificates.sh", folder], check=True)
    return folder


def shows(files, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / f"{name}.pem", files / f"{name}.key")
    return context


def test_a_call_goes_both_ways_by_one_connection():
    server, media = WebServer(), Media()
    near = caller(server.uri("x"))
    asked = server.take()
    assert asked.start == "GET /ws HTTP/1.1"
    assert asked.get("host") == server.host
    assert asked.get("sec-websocket-version") == "13"
    assert asked.get("sec-websocket-protocol") == "sip"
    opcode, data = server.next_frame()
    assert opcode == TEXT and data.startswith(b"INVITE sip:x@127.0.0.1:")
    server.frame(PING, b"there?")
    assert server.next_frame() == (PONG, b"there?")

    invite = type(asked)(data)
    alias = re.fullmatch(r"SIP/2.0/WS ([0-9a-f]{16}\.invalid);branch=.*", invite.get("via"))[1]
    assert invite.contact_uri == f"sip:tester@{alias};transport=ws"
    assert server.answer(invite, media.port).get("via").startswith(f"SIP/2.0/WS {alias};")
    near.event("call.answered")
    server.hang_up(invite, None)
    assert server.expect(200).cseq == (1, "BYE")
    assert near.exit() == 0
    assert server.next_frame() == (CLOSE, struct.pack(">H", 1000))
    assert near.event("call.outgoing")["transport"] == "ws"


def test_messages_come_as_the_server_likes():
    """In pieces, as text or as binary, with signs of life between them; never two in one."""
    server = WebServer()
    near = caller(server.uri("x"))
    server.take()
    invite = server.receive()
    server.frame(TEXT, b"\r\n\r\n")
    assert server.next_frame() == (TEXT, b"\r\n")
    server.frame(TEXT, b"\r\n")
    server.frame(BINARY, b"\x00garbage\xff")
    said = []
    server.send = lambda data, _to: said.append(data)
    server.respond(invite, 180)
    server.respond(invite, 486)
    server.frame(BINARY, said[0])
    near.event("call.ringing")
    middle = len(said[1]) // 2
    server.frame(TEXT, said[1][:middle], fin=False)
    server.frame(PING)
    server.frame(0, said[1][middle:])
    assert server.next_frame() == (PONG, b"")
    assert server.next_frame()[1].startswith(b"ACK ")
    assert near.exit() == 5


def refuse(text):
    return lambda server, request: server.say(text)


def agree(protocol="sip", **changes):
    return lambda server, request: server.agree(request, protocol, **changes)


@pytest.mark.parametrize(
    "answer, words",
    [
        (refuse("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
         "no WebSocket at /ws of 127.0.0.1: it answers 404 Not Found; if it is at another path, "
         "write that behind the host: ws://HOST/PATH"),
        (refuse("HTTP/1.1 301 Moved\r\nLocation: https://pbx.example/\r\n\r\n"),
         "no WebSocket at /ws of 127.0.0.1: it is said to be at https://pbx.example/"),
        (refuse("SIP/2.0 400 Bad Request\r\n\r\n"),
         "no WebSocket with 127.0.0.1: it speaks no HTTP there"),
        (lambda server, request: server.connection.close(),
         "no WebSocket with 127.0.0.1: it closed the connection without an answer"),
        (agree(protocol=None),
         "127.0.0.1 has a WebSocket, but none for sip (Sec-WebSocket-Protocol)"),
        (agree(Sec_WebSocket_Accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
         "no WebSocket with 127.0.0.1: its answer is to another question than ours"),
    ],
)  # fmt: skip
def test_who_has_no_websocket_for_sip_is_told(answer, words):
    server = WebServer()
    near = text_caller(server.uri("x"))
    answer(server, server.accept())
    assert near.exit() == 3
    assert near.out.lines[-1].endswith(words)


def test_what_is_no_frame_ends_the_call_in_words():
    server = WebServer()
    near = text_caller(server.uri("x"))
    for _ in range(2):  # one that stood is made again
        server.take()
        server.receive()
        server.say(b"SIP/2.0 100 Trying\r\n\r\n")
        assert server.next_frame()[0] == CLOSE
    assert near.exit() == 3
    assert near.out.lines[-1].endswith("what it sends is not in WebSocket's frames")


@pytest.mark.parametrize(
    "name, host, authority, words",
    [
        ("good", "localhost", "ca", None),
        ("named", "127.0.0.1", "ca", "the certificate of 127.0.0.1 is for localhost: "),
        ("expired", "localhost", "ca", "the certificate of localhost has expired; "),
        ("self", "localhost", "ca", "the certificate of localhost is signed by an unknown "),
    ],
)
def test_a_secure_one_is_who_was_asked_for(files, name, host, authority, words):
    server = WebServer(shows(files, name))
    near = text_caller(server.uri("x", host), "--tls-ca-file", files / f"{authority}.pem", "-v")
    if words:
        with pytest.raises(ssl.SSLError):
            server.accept()
        assert near.exit() == 3
        assert words in near.out.text
        return
    assert server.take().get("host") == f"localhost:{server.port}"
    invite = server.receive()
    assert invite.get("via").startswith("SIP/2.0/WSS ")
    assert invite.contact_uri.endswith(".invalid;transport=ws")
    server.respond(invite, 486)
    assert near.exit() == 5


def test_a_sips_uri_goes_by_the_secure_one(files):
    server = WebServer(shows(files, "good"), path="/")
    near = caller(f"sips:x@localhost:{server.port};transport=ws",
                  "--tls-ca-file", files / "ca.pem")  # fmt: skip
    assert server.take().start == "GET / HTTP/1.1"
    invite = server.receive()
    assert re.fullmatch(r"sips:tester@[0-9a-f]+\.invalid;transport=ws", invite.contact_uri)
    server.respond(invite, 486)
    assert near.exit() == 5


def test_a_connection_that_calls_come_by_is_made_anew():
    """The server leaves; a call comes by what is there after that."""
    server = WebServer()
    near = answerer("-a", "alice@sip.test", "--registrar", server.uri(), "--answer-code", "486")
    for number in range(2):
        server.take()
        register = server.expect("REGISTER")
        server.respond(register, 200, f"Contact: {register.get('contact')};expires=600")
        near.event("registration.ok", nth=number + 1)
        if number == 0:
            server.frame(CLOSE, struct.pack(">H", 1001))
            assert server.next_frame() == (CLOSE, struct.pack(">H", 1001))
            server.connection.close()
    server.request("INVITE", None, register.contact_uri, via=f"SIP/2.0/WS {server.host};"
                   "branch=z9hG4bKx")  # fmt: skip
    assert server.expect(486).get("to").startswith("<sip:alice@")
    assert "the way to " in near.event("registration.lost")["words"]


@pytest.mark.parametrize("line", ["", "proxy = ws://{}/ws", "registrar = {};transport=ws"])
def test_the_configuration_says_by_what_an_account_is_reached(tmp_path, line):
    server = WebServer(path="/ws" if "/ws" in line else "/")
    config = tmp_path / "sipcall.conf"
    config.write_text(
        f"[account work]\naddress = alice@{server.host}\n{line.format(server.host)}\n"
        + ("transport = ws\n" if not line else "")
    )
    process = Process([SIPCALL, "-c", config, "-i", "silence", "-o", "null", "-e", "register"])
    assert server.take().start == f"GET {server.path} HTTP/1.1"
    for _ in range(2):  # and withdrawn
        register = server.expect("REGISTER")
        server.respond(register, 200, f"Contact: {register.get('contact')};expires=600")
    assert process.exit() == 0


def test_two_paths_are_two_connections():
    """Of one host they may be two servers."""
    server = WebServer()
    other = server.uri("x").replace("/ws", "/other")
    args = ["-i", "silence", "-o", "null", "-e", f"ping {server.uri('x')}", "-e", f"ping {other}"]
    process = Process([SIPCALL, *args])
    for path in ("/ws", "/other"):
        assert server.take().start == f"GET {path} HTTP/1.1"
        server.respond(server.receive(), 200)
    assert process.exit() == 0


@pytest.mark.parametrize("service, secure", [("SIP+D2W", False), ("SIPS+D2W", True)])
def test_a_domain_says_that_it_is_called_by_one(files, service, secure):
    """RFC 7118, section 5.3; the certificate is the domain's, and not the server's."""
    server = WebServer(shows(files, "wrong") if secure else None)
    names = Names()
    names.add("www.example.org", naptr(10, service, "_web.example.org"))
    names.add("_web.example.org", srv(1, 0, server.port, "server.example.org"))
    names.add("server.example.org", address("127.0.0.1"))
    near = caller("bob@www.example.org", "--dns-server", names.host,
                  "--tls-ca-file", files / "ca.pem")  # fmt: skip
    asked = server.take()
    assert (asked.start, asked.get("host")) == (
        "GET / HTTP/1.1", f"www.example.org:{server.port}",
    )  # fmt: skip
    server.respond(server.receive(), 486)
    assert near.exit() == 5
    assert near.event("call.outgoing")["transport"] == ("wss" if secure else "ws")


@pytest.mark.parametrize("secure", [False, True])
def test_a_bad_way_to_it(files, secure):
    """What comes in pieces is whole, and what breaks off is told."""
    server = WebServer(shows(files, "good") if secure else None)
    port = server.port
    for cut_at, words in ((None, None), (30, "during the handshake" if secure
                                         else "it closed the connection without an answer")):  # fmt: skip
        way = Torn(port, 5, cut_at)
        server.port = way.port
        near = text_caller(server.uri("x", "localhost"), "--tls-ca-file", files / "ca.pem")
        if words:
            with pytest.raises((AssertionError, OSError)):
                server.take()
            assert near.exit() == 3
            assert near.out.lines[-1].endswith(words)
        else:
            server.take()
            server.respond(server.receive(), 486)
            assert near.exit() == 5


def test_nobody_can_be_waited_for_by_it():
    code, process = run("--answer", "-l", "ws:127.0.0.1:0")
    assert code == 2
    assert "has a transport that is not there; udp, tcp and tls are" in process.err.text
