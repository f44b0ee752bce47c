"""Calls by TLS: who is asked for by name shows a certificate for it, or there is no call."""

import re
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from phone import SIPCALL, Message, Peer, Phone, Process, Terminal
from phone import answerer, caller, run, text_caller
from torn import Torn

ROOT = Path(__file__).resolve().parents[2]
SECURE = "tls:127.0.0.1:0"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of the certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", ROOT / "tests" / "certificates.sh", folder], check=True)
    return folder


def shown(files, name):
    return ["--tls-certificate", files / f"{name}.pem", "--tls-key", files / f"{name}.key"]


def believed(files, name="ca"):
    return ["--tls-ca-file", files / f"{name}.pem"]


def takes(files, *args, name="good"):
    return answerer(*shown(files, name), *args, listen=SECURE)


@pytest.mark.parametrize("uri", ["sip:x@localhost:{};transport=tls", "sips:x@127.0.0.1:{}"])
def test_a_call_goes_by_one_connection_both_ways(files, uri):
    """The far end hangs up: it has nothing but the connection that we made."""
    far = takes(files, "-d", "0.2", "-n", "1", "--trace")
    near = caller(uri.format(far.port()), *believed(files))
    assert near.exit() == 0 and far.exit() == 0
    assert near.event("call.outgoing")["transport"] == "tls"
    assert far.event("listening")["transport"] == "tls"
    incoming = far.event("call.incoming")
    assert incoming["transport"] == "tls"
    assert near.ended()["cause"] == "remote"
    messages = far.err.text
    scheme, behind = ("sips", ">") if uri.startswith("sips") else ("sip", ";transport=tls>")
    assert "Via: SIP/2.0/TLS 127.0.0.1:5061;" in messages
    assert f"Contact: <{scheme}:tester@127.0.0.1:5061{behind}" in messages
    assert f"Contact: <{scheme}:tester@127.0.0.1:{far.port()}{behind}" in messages
    # of where messages come from, one port
    assert len({line.split(" <- ")[1].split()[0] for line in far.err.lines if " <- " in line}) == 1


def test_we_hang_up_whom_the_certificate_names_and_not_its_address(files):
    """Its Contact is an address, which its certificate does not have."""
    far = takes(files, "-n", "1", name="named")
    near = caller(f"sip:x@localhost:{far.port()};transport=tls", "-d", "0.1", *believed(files))
    assert near.exit() == 0 and far.exit() == 0
    assert far.ended()["cause"] == "remote"


@pytest.mark.parametrize(
    "name, authority, words",
    [
        ("wrong", "ca", "the certificate of localhost is for www.example.org: "),
        ("expired", "ca", "the certificate of localhost has expired; "),
        ("self", "ca", "the certificate of localhost is signed by an unknown authority; "),
        ("good", None, "name its certificate: tls_ca_file = FILE, or --tls-ca-file FILE"),
    ],
)
def test_who_is_not_who_was_asked_for_is_not_called(files, name, authority, words):
    far = takes(files, name=name)
    near = text_caller(
        f"sip:x@localhost:{far.port()};transport=tls",
        *(believed(files, authority) if authority else []),
    )
    assert near.exit() == 3
    assert words in near.out.lines[-1]
    assert far.having("call.incoming") == []


def test_a_connection_is_for_the_name_that_it_was_made_for(files):
    """The same place by another name, which the certificate does not have (CVE-2020-15260)."""
    far = takes(files, name="named")
    call = f"call sip:x@%s:{far.port()};transport=tls"
    process = Process(
        [SIPCALL, "-i", "silence", "-o", "null", *believed(files)]
        + ["-e", call % "localhost", "-e", call % "127.0.0.1"]
    )
    assert process.exit() == 3
    assert "the certificate of 127.0.0.1 is for localhost: " in process.out.text
    assert len(far.having("call.incoming")) == 1


class Server:
    """What a certificate is shown to, by Python's own ssl."""

    def __init__(self, files, wants=False, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(files / "good.pem", files / "good.key")
        if wants:
            self.context.load_verify_locations(files / "ca.pem")
            self.context.verify_mode = ssl.CERT_REQUIRED
        if version:
            self.context.maximum_version = version
        self.name = None
        self.context.sni_callback = self.named
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.uri = f"sip:x@localhost:{self.socket.getsockname()[1]};transport=tls"

    def named(self, _connection, name, _context):
        self.name = name

    def accept(self):
        plain, _ = self.socket.accept()
        plain.settimeout(5)
        return self.context.wrap_socket(plain, server_side=True)


class Refusal(Peer):
    """Answers over a connection."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection

    def send(self, data, _to):
        self.connection.sendall(data)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("wants", [False, True])
def test_another_implementation_hears_our_name_and_sees_our_certificate(files, wants, version):
    server = Server(files, wants, version)
    more = shown(files, "named") if wants else []
    near = caller(server.uri, *believed(files), *more)
    connection = server.accept()
    assert server.name == "localhost"
    assert connection.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
    if wants:
        assert connection.getpeercert()["subjectAltName"] == (("DNS", "localhost"),)
    invite = Message(connection.recv(65536))
    assert invite.start == f"INVITE {server.uri} SIP/2.0"
    Refusal(connection).respond(invite, 486)
    assert near.exit() == 5
    assert connection.recv(65536).startswith(b"ACK ")
    assert connection.recv(65536) == b""  # close_notify: else ssl says that it was cut off


def test_the_next_connection_takes_up_the_session(files):
    server = Server(files)
    ping = ["-e", f"ping {server.uri}"]
    process = Process([SIPCALL, "-i", "silence", "-o", "null", *believed(files), *ping, *ping])
    for number in range(2):
        connection = server.accept()
        assert connection.session_reused == (number == 1)
        options = Message(connection.recv(65536))
        Refusal(connection).respond(options, 200)
        connection.unwrap().close()  # both say that it is over
    assert process.exit() == 0


def test_a_certificate_that_is_wanted_and_missing_is_told(files):
    server = Server(files, wants=True)
    near = text_caller(server.uri, *believed(files))
    for _ in range(2):  # one that stood is made again
        with pytest.raises(ssl.SSLError):
            server.accept()
    assert near.exit() == 3
    assert near.out.lines[-1].endswith(
        "no TLS with localhost: it wants a certificate of ours: --tls-certificate FILE"
    )


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_old_versions_are_not_spoken(files):
    far = takes(files, "-n", "1")
    context = ssl.create_default_context(cafile=files / "ca.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection(("127.0.0.1", far.port()), 5)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")


def test_garbage_ends_its_own_connection_only(files):
    far = takes(files, "-n", "1")
    silent = socket.create_connection(("127.0.0.1", far.port()), 5)
    half = socket.create_connection(("127.0.0.1", far.port()), 5)
    half.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
    garbage = socket.create_connection(("127.0.0.1", far.port()), 5)
    garbage.sendall(b"INVITE sip:x@localhost SIP/2.0\r\n\r\n")
    garbage.settimeout(5)
    while garbage.recv(4096):  # an alert, then the end
        pass
    near = caller(f"sip:x@localhost:{far.port()};transport=tls", "-d", "0.1", *believed(files))
    assert near.exit() == 0 and far.exit() == 0
    silent.close()
    half.close()


def test_another_phone_pings_by_tls(files):
    far = takes(files)
    process = Process(
        [SIPCALL, "-i", "silence", "-o", "null", *believed(files)]
        + ["-e", f"ping sips:x@localhost:{far.port()}"]
    )
    assert process.exit() == 0
    assert process.out.lines[0].startswith("200 OK in ") and " from tls 127.0.0.1:" in (
        process.out.text
    )


@pytest.mark.parametrize(
    "args, code, words",
    [
        (["-l", SECURE], 9, "to listen by tls a certificate is needed: --tls-certificate FILE"),
        (["-l", SECURE, "--tls-certificate", "none.pem"], 9, "none.pem cannot be read: "),
        (["-l", SECURE, "--tls-key", "x.key"], 9, "a key is of no use without tls_certificate"),
    ],
)
def test_what_is_needed_to_listen_is_told(args, code, words):
    ended, process = run("--answer", "-i", "silence", "-o", "null", *args)
    assert ended == code
    assert words in process.err.text


@pytest.mark.parametrize(
    "uri, code, words",
    [
        ("sips:x@127.0.0.1;transport=udp", 2, "sips: goes by TLS, and transport=udp cannot"),
        ("sip:x@127.0.0.1;transport=sctp", 2, "we speak UDP, TCP, TLS and WebSocket only"),
    ],
)
def test_what_cannot_be_called_is_told(uri, code, words):
    ended, process = run("-i", "silence", "-o", "null", uri)
    assert ended == code
    assert words in process.err.text


def test_authorities_that_cannot_be_read_fail_the_call(files):
    near = text_caller("sips:x@127.0.0.1:9", "--tls-ca-file", files / "none.pem")
    assert near.exit() == 3
    assert "tls_ca_file: " in near.out.lines[-1] and "cannot be read" in near.out.lines[-1]


def test_a_key_that_others_can_read_is_told(files, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text((files / "good.pem").read_text() + (files / "good.key").read_text())
    told = f"others can read {both}: chmod 600 keeps it to its owner"
    both.chmod(0o640)
    far = answerer("--tls-certificate", both, listen=SECURE)
    far.line(re.escape(told), stream=far.err)
    far.close()

    both.chmod(0o600)
    far = answerer("--tls-certificate", both, listen=SECURE)
    far.port()
    far.signal(signal.SIGINT)
    far.exit()
    assert told not in far.err.text


@pytest.mark.parametrize("seed", range(3))
def test_a_call_goes_by_a_bad_way(files, seed):
    far = takes(files, "-d", "0.1", "-n", "1")
    way = Torn(far.port(), seed)
    near = caller(f"sip:x@localhost:{way.port};transport=tls", *believed(files))
    assert near.exit() == 0 and far.exit() == 0
    assert near.ended()["cause"] == "remote"


@pytest.mark.parametrize("cut_at", [1, 600, 1500])
def test_a_handshake_that_breaks_is_told(files, cut_at):
    far = takes(files)
    way = Torn(far.port(), cut_at, cut_at)
    near = text_caller(f"sip:x@localhost:{way.port};transport=tls", *believed(files))
    assert near.exit() == 3
    assert near.out.lines[-1].endswith(
        "no TLS with localhost: it closed the connection during the handshake"
    )
    assert far.having("call.incoming") == []


def test_a_call_goes_on_by_another_connection(files):
    """The one that it began by breaks after the answer; a new one takes the goodbye."""
    far = takes(files, "-n", "1")
    way = Torn(far.port(), 1)
    near = caller(f"sip:x@localhost:{way.port};transport=tls", *believed(files), "-d", "0.3")
    near.event("call.answered")
    way.left = 0  # at the next byte
    assert near.exit() == 0 and far.exit() == 0
    assert far.ended()["cause"] == "remote"


def test_what_was_wrong_before_is_not_told_of_what_is_wrong_now(files):
    """First whose certificate is not good, then nobody at all."""
    far = takes(files, name="wrong")
    call = f"call sip:x@localhost:{far.port()};transport=tls"
    near = Terminal(
        [SIPCALL, "-l", "udp:127.0.0.1:0", "-i", "silence", "-o", "null", *believed(files)]
    )
    near.shows("listening")
    near.type(call.encode() + b"\r")
    near.shows("is for www.example.org: ")
    far.close()
    near.type(call.encode() + b"\r")
    near.shows(r"nothing listens on 127\.0\.0\.1:\d+ \(connection refused\)")
    near.type(b"quit\r")
    assert near.exit() == 0


def test_the_configuration_has_them_too(files, tmp_path):
    config = tmp_path / "sipcall.conf"
    config.write_text(
        f"[sipcall]\ntls_ca_file = {files}/ca.pem\ntls_certificate = {files}/good.pem\n"
        f"tls_key = {files}/good.key\nlisten = {SECURE}\n"
    )
    far = Phone("-c", config, "--answer", "-n", "1", "-i", "silence", "-o", "null")
    near = caller(f"sips:x@localhost:{far.port()}", "-c", config, "-d", "0.1")
    assert near.exit() == 0 and far.exit() == 0
