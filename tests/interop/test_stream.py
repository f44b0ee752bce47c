"""What SIPp cannot do to a stream: messages in pieces and several in one, CRLF between them, an end
in the middle; and which connection a request of ours takes."""

import signal
import socket

from phone import Message, answerer, sdp

TO = "sip:x@127.0.0.1"
COPIED = ("via", "from", "to", "call-id", "cseq")  # into each response


class Stream:
    """A far end's TCP connection to the phone."""

    def __init__(self, phone):
        port = phone.event("listening", transport="tcp")["port"]
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.unread = b""

    def request(self, method, number, to=f"<{TO}>", body=b"", uri=TO):
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/TCP {self.host};branch=z9hG4bK{method}{number}",
            f"From: <sip:peer@{self.host}>;tag=peer", f"To: {to}", "Call-ID: stream@peer",
            f"CSeq: {number} {method}", f"Contact: <sip:peer@{self.host};transport=tcp>",
            "Max-Forwards: 70", *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next message; it has to have a Content-Length (RFC 3261, section 18.3)."""
        while b"\r\n\r\n" not in self.unread:
            self._more()
        size = self.unread.index(b"\r\n\r\n") + 4
        size += int(Message(self.unread[:size]).get("content-length"))
        while len(self.unread) < size:
            self._more()
        message, self.unread = Message(self.unread[:size]), self.unread[size:]
        return message

    def _more(self):
        more = self.socket.recv(65536)
        assert more, f"the connection was closed after {self.unread!r}"
        self.unread += more

    def closed(self):
        """Waits for its end; what came before it."""
        while more := self.socket.recv(65536):
            self.unread += more
        return self.unread


def listener(*args):
    return answerer("--codecs", "pcmu", *args, listen="tcp:127.0.0.1:0")


def leave(phone):
    phone.signal(signal.SIGINT)
    assert phone.exit() == 0


def test_a_message_may_come_byte_by_byte():
    far = listener()
    stream = Stream(far)
    for byte in stream.request("OPTIONS", 1):
        stream.send(bytes([byte]))
    assert stream.receive().cseq == (1, "OPTIONS")
    leave(far)


def test_several_messages_may_come_at_once():
    far = listener()
    stream = Stream(far)
    stream.send(b"".join(stream.request("OPTIONS", number) for number in range(1, 21)))
    answers = [stream.receive() for _ in range(20)]
    assert [answer.cseq[0] for answer in answers] == list(range(1, 21))
    assert {answer.kind for answer in answers} == {200}
    leave(far)


def test_a_message_and_a_half_may_come_at_once():
    far = listener()
    stream = Stream(far)
    body = sdp(4000)
    two = stream.request("OPTIONS", 1, body=body) + stream.request("OPTIONS", 2, body=body)
    for cut in (10, len(two) // 2 - len(body), len(two) // 2 - 1, len(two) // 2 + 1, len(two) - 1):
        stream.send(two[:cut])
        stream.send(two[cut:])
        assert [stream.receive().kind, stream.receive().kind] == [200, 200]
    leave(far)


def test_empty_lines_keep_a_connection_alive_and_are_no_messages():
    """RFC 3261, section 7.5; RFC 5626, section 3.5.1."""
    far = listener()
    stream = Stream(far)
    stream.send(b"\r\n\r\n" + b"\r\n" + stream.request("OPTIONS", 1) + b"\r\n\r\n")
    while stream.unread.startswith(b"\r\n") or b"\r\n\r\n" not in stream.unread:
        stream.unread = stream.unread.lstrip(b"\r\n")
        if not stream.unread:
            stream._more()
    assert stream.receive().cseq == (1, "OPTIONS")
    leave(far)


def test_bytes_that_are_no_message_end_the_connection_and_nothing_else():
    far = listener()
    broken, good = Stream(far), Stream(far)
    broken.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    good.send(good.request("OPTIONS", 1))
    assert good.receive().kind == 200
    broken.closed()
    leave(far)


def test_a_connection_that_ends_in_a_message_harms_nobody():
    far = listener()
    broken = Stream(far)
    broken.send(broken.request("OPTIONS", 1)[:-30])
    broken.socket.close()
    good = Stream(far)
    good.send(good.request("OPTIONS", 1))
    assert good.receive().kind == 200
    leave(far)


def test_our_bye_takes_the_connection_of_the_call():
    far = listener("-n", "1", "-d", "0.1")
    stream = Stream(far)
    stream.send(stream.request("INVITE", 1, body=sdp(4000)))
    while (ok := stream.receive()).kind < 200:
        pass
    stream.send(stream.request("ACK", 1, to=ok.get("to"), uri=ok.contact_uri))
    bye = stream.receive()
    assert bye.kind == "BYE" and bye.get("via").startswith("SIP/2.0/TCP ")
    lines = [f"{name.title()}: {value}" for name, value in bye.headers if name in COPIED]
    head = "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""])
    stream.send(head.encode())
    assert far.exit() == 0
