"""The torture messages of tests/data/torture: one for each section of RFC 4475 and RFC 5118, sent to
the program as it runs, which has to say what tests/data/torture/VERDICTS has, and to take a good
call afterwards."""

import re
import socket
from collections import namedtuple

import pytest

from phone import DATA, Late, Media, Message, Peer, answerer

TORTURE = DATA / "torture"
Row = namedtuple("Row", "name section parse udp tcp why")


def rows():
    lines = (TORTURE / "VERDICTS").read_text().splitlines()
    return [Row(*line.split(None, 5)) for line in lines if line and not line.startswith("#")]


def address(phone):
    return ("127.0.0.1", phone.event("listening", transport="udp")["port"])


class Way:
    """UDP to the phone: whole messages out and in."""

    def __init__(self, to):
        self.peer = Peer()
        self.to = to

    def send(self, data):
        self.peer.send(data, self.to)

    def receive(self, limit=5):
        return self.peer.receive(limit)

    def close(self):
        self.peer.close()


class Stream(Way):
    """The same over TCP: messages are parted by their Content-Length."""

    def __init__(self, to):
        self.socket = socket.create_connection(to, timeout=5)
        self.bytes = b""

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def receive(self, limit=5):
        self.socket.settimeout(limit)
        while not self.whole():
            try:
                more = self.socket.recv(65536)
            except TimeoutError as late:
                raise Late(f"no message within {limit} s; so far: {self.bytes!r}") from late
            if not more:
                raise Late(f"the connection is closed; so far: {self.bytes!r}")
            self.bytes += more
        end = self.whole()
        data, self.bytes = self.bytes[:end], self.bytes[end:]
        return Message(data)

    def whole(self):
        """The size of the message that has come, or 0."""
        head, found, body = self.bytes.partition(b"\r\n\r\n")
        if not found:
            return 0
        length = int(re.search(rb"(?im)^content-length: *(\d+)", head)[1])
        return len(head) + 4 + length if len(body) >= length else 0

    def close(self):
        self.socket.close()


WAYS = {"udp": Way, "tcp": Stream}


def ask(method, final, branch, number, uri, cookie="z9hG4bK"):
    """A request in the dialog or transaction that a final answer belongs to."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.30:5062;rport;branch={cookie}{branch}",
        "Max-Forwards: 70",
    ]
    for name in ("From", "To", "Call-ID"):  # as far as they were given
        lines += [f"{name}: {value}" for value in final.all(name)]
    lines += [f"CSeq: {number} {method}", "Content-Length: 0", "", ""]
    return "\r\n".join(lines)


def finish(way, final, name):
    """Ends what an INVITE began: the call, or its transaction."""
    if final.kind >= 300:
        number = final.all("cseq")[0].split()[0]
        own = re.search(r"branch\s*=\s*([^;,\s]+)", final.all("via")[0])
        way.send(ask("ACK", final, own[1] if own else "", number, "sip:bruno@torino.example", ""))
        return
    number = final.cseq[0]
    way.send(ask("ACK", final, f".ack.{name}", number, final.contact_uri))
    way.send(ask("BYE", final, f".bye.{name}", number + 1, final.contact_uri))
    answer = next_final(way)
    assert (answer.kind, answer.cseq) == (200, (number + 1, "BYE")), str(answer)


def next_final(way, limit=5):
    """The next final answer; repetitions of an INVITE's are not met here, as it is finished at
    once."""
    while True:
        message = way.receive(limit)
        if message.kind >= 200:
            return message


def probe(way, name):
    """What is answered before this request is all that was answered to what was sent before."""
    way.send(
        "OPTIONS sip:probe@torino.example SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.30:5062;rport;branch=z9hG4bK.probe.{name}\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:probe@berlin.example>;tag=probe\r\n"
        f"To: <sip:probe@torino.example>\r\nCall-ID: probe.{name}\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )


def answers(way, row, wanted):
    """The final statuses that a message is answered with."""
    got = []
    data = (TORTURE / f"{row.name}.sip").read_bytes()
    way.send(data)
    for _ in range(0 if wanted == "-" else wanted.count("+") + 1):
        final = next_final(way)
        got.append(str(final.kind))
        if data.startswith(b"INVITE"):
            finish(way, final, row.name)
    return got


def check(way, row, wanted):
    got = answers(way, row, wanted)
    if isinstance(way, Stream) and "length" in row.name:
        return got  # the stream waits for more, or is closed
    probe(way, row.name)
    final = next_final(way)
    while not final.get("call-id").startswith("probe."):
        got.append(str(final.kind))
        final = next_final(way)
    return got


def good_call(far):
    """A call that is taken and ended as calls are."""
    peer, media = Peer(), Media()
    invite, ok = peer.call(address(far), media.port)
    peer.bye(invite, ok, address(far))
    assert peer.expect(200).cseq == (2, "BYE")
    peer.close()
    media.close()


def test_every_section_is_shown():
    sections = {row.section for row in rows()}
    wanted = {f"4475/3.1.1.{n}" for n in range(1, 14)} | {f"4475/3.1.2.{n}" for n in range(1, 20)}
    wanted |= {f"4475/3.3.{n}" for n in range(1, 16)} | {"4475/3.2.1", "4475/3.4.1"}
    wanted |= {f"5118/4.{n}" for n in range(1, 11)}
    assert sections == wanted
    assert {path.stem for path in TORTURE.glob("*.sip")} == {row.name for row in rows()}


@pytest.mark.parametrize("kind", WAYS)
def test_each_is_answered_as_it_should_be_and_a_good_call_is_taken_after_it(kind):
    far = answerer() if kind == "udp" else answerer("-l", f"{kind}:127.0.0.1:0")
    to = ("127.0.0.1", far.event("listening", transport=kind)["port"])
    wrong = []
    for row in rows():
        way = WAYS[kind](to)
        wanted = getattr(row, kind)
        try:
            got = "+".join(check(way, row, wanted)) or "-"
        except Late as late:
            got = str(late)
        way.close()
        if got != wanted:
            wrong.append(f"{row.name} ({row.section}): {got}, not {wanted}")
        try:
            good_call(far)
        except Late as late:
            pytest.fail(f"no good call after {row.name}: {late}; before that: {wrong}")
    assert not wrong, "\n".join(wrong)
