"""What goes over the wire, byte by byte, against a far end that does what ordinary ones do, what
rude ones do, and what broken ones do."""

import os
import random
import re
import signal
import socket

import pytest

from phone import Late, Media, Peer, answerer, caller, sdp

TO = "sip:x@127.0.0.1"


def address(phone):
    return ("127.0.0.1", phone.port())


def test_an_invite_has_what_it_must_have():
    peer = Peer()
    near = caller(peer.uri("bob"), "--codecs", "opus,pcmu,pcma")
    invite = peer.expect("INVITE")
    assert invite.start == f"INVITE {peer.uri('bob')} SIP/2.0"
    # RFC 3261, section 8.1.1, and section 13.2.1
    assert invite.branch.startswith("z9hG4bK") and ";rport" in invite.get("via")
    assert invite.get("via").startswith(f"SIP/2.0/UDP 127.0.0.1:{invite.source[1]}")
    assert invite.get("max-forwards") == "70"
    assert re.match(r"<?sip:tester@127\.0\.0\.1", invite.get("from")) and invite.tag("from")
    assert invite.get("to") == f"<{peer.uri('bob')}>"
    assert invite.contact_uri.startswith("sip:tester@127.0.0.1:")
    assert set(re.split(r",\s*", invite.get("allow"))) >= {"INVITE", "ACK", "BYE", "CANCEL"}
    assert int(invite.get("content-length")) == len(invite.body)
    assert invite.get("content-type") == "application/sdp"
    assert "User-Agent: sipcall/" in str(invite)
    lines = invite.body.decode().split("\r\n")
    assert lines[0] == "v=0" and lines[-1] == ""
    assert [line[0] for line in lines if line][:5] == list("vosct")
    media = [line for line in lines if line.startswith("m=")]
    assert len(media) == 1 and re.fullmatch(r"m=audio \d+ RTP/AVP \d+ 0 8", media[0])
    number = media[0].split()[3]
    assert f"a=rtpmap:{number} opus/48000/2" in lines
    peer.respond(invite, 404)
    peer.expect("ACK")
    assert near.exit() == 4


def test_own_headers_are_on_the_invite_as_given():
    peer = Peer()
    near = caller(peer.uri(), "-H", "X-Test: yes", "-H", 'Subject: a, b; c="d"', "-H", "X-Test:no")
    invite = peer.expect("INVITE")
    assert invite.all("x-test") == ["yes", "no"]
    assert invite.get("subject") == 'a, b; c="d"'
    peer.respond(invite, 404)
    assert peer.expect("ACK").all("x-test") == []
    assert near.exit() == 4


def test_no_two_calls_share_an_identifier():
    peer = Peer()
    seen = []
    for _ in range(2):
        near = caller(peer.uri())
        invite = peer.expect("INVITE")
        seen.append((invite.get("call-id"), invite.tag("from"), invite.branch))
        peer.respond(invite, 404)
        peer.expect("ACK")
        assert near.exit() == 4
    assert all(a != b for a, b in zip(*seen))


def test_an_invite_that_is_not_heard_is_repeated_and_one_that_is_is_not():
    peer = Peer()
    near = caller(peer.uri())
    first, again = peer.expect("INVITE"), peer.expect("INVITE")
    assert 0.4 < again.arrival - first.arrival < 0.8  # T1
    assert again.bytes == first.bytes
    peer.respond(first, 100)
    peer.nothing(1.2)
    peer.respond(first, 486)
    peer.expect("ACK")
    assert near.exit() == 5


@pytest.mark.parametrize(
    "codec, pt, step", [("pcmu", 0, 160), ("pcma", 8, 160), ("opus", None, 960)]
)
def test_rtp_is_counted_and_even(codec, pt, step):
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", codec, "-d", "2", mic="tone:440")
    invite = peer.expect("INVITE")
    if pt is None:
        pt = int(re.search(rb"a=rtpmap:(\d+) opus/48000/2", invite.body)[1])
    body = sdp(media.port).replace(b"AVP 0", b"AVP %d" % pt)
    names = {"pcmu": "PCMU/8000", "pcma": "PCMA/8000", "opus": "opus/48000/2"}
    body = body.replace(b"a=rtpmap:0 PCMU/8000", f"a=rtpmap:{pt} {names[codec]}".encode())
    peer.respond(invite, 200, peer.contact(), body=body)
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    packets = media.packets
    assert 98 <= len(packets) <= 102
    assert near.ended()["sent"] == len(packets)
    assert {packet.pt for packet in packets} == {pt}
    assert len({packet.ssrc for packet in packets}) == 1
    assert len({packet.source for packet in packets}) == 1
    assert packets[0].source[1] == invite.media_port()  # symmetric RTP
    assert [packet.marker for packet in packets] == [1] + [0] * (len(packets) - 1)
    for a, b in zip(packets, packets[1:]):
        assert (b.seq - a.seq) & 0xFFFF == 1
        assert (b.ts - a.ts) & 0xFFFFFFFF == step
    if step == 160:
        assert {len(packet.payload) for packet in packets} == {160}
    length = packets[-1].arrival - packets[0].arrival
    assert abs(length - 0.02 * (len(packets) - 1)) < 0.1


def test_the_first_sound_goes_out_with_the_answer():
    """Order, not time: RTP comes before anything else is asked for."""
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media = Peer(), Media()
    invite, ok = peer.call(address(far), media.port)
    first = media.wait(1)[0]
    assert first.source[1] == ok.media_port()
    assert first.arrival - ok.arrival < 0.5
    peer.bye(invite, ok, address(far))
    assert peer.expect(200).cseq == (2, "BYE")
    assert far.exit() == 0
    count = len(media.packets)
    peer.nothing(0.1)
    assert len(media.packets) == count  # no sound after the end


def test_sound_goes_back_to_where_it_comes_from():
    """Symmetric RTP: the far end's description names a port behind its NAT."""
    far = answerer("-n", "1", "--codecs", "pcmu", mic="tone:440")
    peer, named, real = Peer(), Media(), Media()
    invite, ok = peer.call(address(far), named.port)
    to = ("127.0.0.1", ok.media_port())
    for number in range(20):
        real.send(to, b"\xff" * 160, 100 + number, 160 * number, marker=number == 0)
        if number >= 2:  # one packet alone is no far end (RFC 3550, appendix A.1)
            real.wait(number - 1)
    assert len(named.packets) < 5
    peer.bye(invite, ok, address(far))
    peer.expect(200)
    assert far.exit() == 0
    assert far.ended()["received"] >= 10


def test_sound_of_a_stranger_does_not_take_a_call_over():
    """Once the far end is heard, another source gets nothing and is not played."""
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media, stranger = Peer(), Media(), Media()
    invite, ok = peer.call(address(far), media.port)
    to = ("127.0.0.1", ok.media_port())
    for number in range(60):
        media.send(to, b"\xff" * 160, number, 160 * number, marker=number == 0)
        if number >= 30:
            stranger.send(to, b"\x00" * 160, 9000 + number, 160 * number, ssrc=99)
        media.wait(number + 1)
    peer.bye(invite, ok, address(far))
    peer.expect(200)
    assert far.exit() == 0
    assert stranger.packets == []
    assert far.ended()["lost"] == 0


def test_a_call_is_answered_once_however_often_its_invite_comes():
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media = Peer(), Media()
    invite = peer.request("INVITE", address(far), body=sdp(media.port))
    for _ in range(3):
        peer.send(invite.bytes, address(far))
    ok = peer.expect(200)
    assert peer.expect(200).tag("to") == ok.tag("to")  # repeated with the INVITE, or by itself
    peer.ack(invite, ok, address(far))
    peer.bye(invite, ok, address(far))
    while peer.expect(200).cseq[1] != "BYE":
        pass
    assert far.exit() == 0
    assert len(far.having("call.incoming")) == 1


def test_a_200_is_repeated_until_its_ack_comes():
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media = Peer(), Media()
    invite = peer.request("INVITE", address(far), body=sdp(media.port))
    first, again = peer.expect(200), peer.expect(200)
    assert 0.4 < again.arrival - first.arrival < 0.8
    assert again.bytes == first.bytes
    peer.ack(invite, first, address(far))
    peer.nothing(1.2)
    peer.bye(invite, first, address(far))
    peer.expect(200)
    assert far.exit() == 0


def test_a_provisional_answer_comes_at_once():
    far = answerer(answer="--answer=30")
    peer = Peer()
    peer.request("INVITE", address(far), body=sdp(4000))
    ringing = peer.expect(180)
    assert ringing.tag("to")
    assert ringing.contact_uri.startswith("sip:")


def answer_to(far, peer, method, *headers, **changes):
    peer.request(method, address(far), TO, *headers, **changes)
    return peer.receive()


def test_requests_outside_of_calls_get_their_due():
    far, peer = answerer(), Peer()
    options = answer_to(far, peer, "OPTIONS")
    assert options.kind == 200
    assert "INVITE" in options.get("allow") and "application/sdp" in options.get("accept")
    assert options.tag("to")
    assert f"rport={peer.port}" in options.get("via")

    def refused(code, method, *headers, **changes):
        answer = answer_to(far, peer, method, *headers, **changes)
        assert answer.kind == code, (method, headers, changes)
        return answer

    assert refused(501, "FROBNICATE").cseq == (1, "FROBNICATE")
    assert "BYE" in refused(405, "SUBSCRIBE", "Event: presence").get("allow")
    refused(481, "BYE")
    refused(481, "CANCEL")
    refused(481, "BYE", to=f"<{TO}>;tag=nobody")
    refused(481, "INVITE", to=f"<{TO}>;tag=nobody", body=sdp(4000))
    extension = refused(420, "OPTIONS", "Require: magic")
    assert extension.get("unsupported") == "magic"
    peer.send(
        f"OPTIONS {TO} SIP/3.0\r\nVia: SIP/3.0/UDP {peer.host};branch=z9hG4bKa;rport\r\n"
        f"From: <sip:a@b>;tag=1\r\nTo: <{TO}>\r\nCall-ID: 1@a\r\nCSeq: 1 OPTIONS\r\n\r\n",
        address(far),
    )
    assert peer.receive().kind == 505


def test_a_body_that_is_no_description_is_refused():
    far, peer = answerer(), Peer()
    lines = [
        f"INVITE {TO} SIP/2.0", f"Via: SIP/2.0/UDP {peer.host};rport;branch=z9hG4bKtype",
        "From: <sip:a@b>;tag=1", f"To: <{TO}>", "Call-ID: type@a", "CSeq: 1 INVITE",
        f"Contact: <sip:a@{peer.host}>", "Content-Type: text/plain", "Content-Length: 5", "",
        "hello",
    ]  # fmt: skip
    peer.send("\r\n".join(lines), address(far))
    refused = peer.expect(415)
    assert "application/sdp" in refused.get("accept")


def test_other_streams_are_declined_by_port_0():
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media = Peer(), Media()
    offer = sdp(media.port, more="m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n")
    invite = peer.request("INVITE", address(far), body=offer)
    ok = peer.expect(200)
    peer.ack(invite, ok, address(far))
    lines = [line for line in ok.body.decode().split("\r\n") if line.startswith("m=")]
    assert len(lines) == 2
    assert lines[1].startswith("m=video 0 RTP/AVP ")
    media.wait(3)
    peer.bye(invite, ok, address(far))
    peer.expect(200)
    assert far.exit() == 0


def test_a_call_without_a_description_is_offered_one():
    """RFC 3261, section 13.3.1.1: the offer is in our 200, the answer in its ACK."""
    far = answerer("-n", "1", "--codecs", "pcmu")
    peer, media = Peer(), Media()
    invite = peer.request("INVITE", address(far))
    ok = peer.expect(200)
    assert ok.media_port() > 0
    dialog = {"from": invite.get("from"), "to": ok.get("to"), "contact": None}
    dialog.update(call_id=invite.get("call-id"), cseq="1 ACK")
    peer.request("ACK", address(far), ok.contact_uri, dialog=dialog, body=sdp(media.port))
    media.wait(5)
    peer.bye(invite, ok, address(far))
    peer.expect(200)
    assert far.exit() == 0


def test_a_route_that_a_proxy_recorded_is_kept():
    """RFC 3261, section 12.1.2: ACK and BYE go through the proxy that wants to be in between."""
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "-d", "0.3")
    invite = peer.expect("INVITE")
    route = f"<sip:{peer.host};lr>"
    contact = "Contact: <sip:bob@192.0.2.99:5999>"
    peer.respond(invite, 200, contact, f"Record-Route: {route}", body=sdp(media.port))
    ack = peer.expect("ACK")
    assert ack.start == "ACK sip:bob@192.0.2.99:5999 SIP/2.0" and ack.get("route") == route
    bye = peer.expect("BYE")
    assert bye.start == "BYE sip:bob@192.0.2.99:5999 SIP/2.0" and bye.get("route") == route
    peer.respond(bye, 200)
    assert near.exit() == 0


def noise(seed):
    """Datagrams that are nothing, nearly something, and too much of it."""
    chance = random.Random(seed)
    good = (
        f"OPTIONS {TO} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKn;rport\r\n"
        f"From: <sip:a@b>;tag=1\r\nTo: <{TO}>\r\nCall-ID: n\r\nCSeq: 1 OPTIONS\r\n\r\n"
    ).encode()
    yield from (b"", b"\0", b"\r\n\r\n", b"\r\n", b"SIP/2.0", b"SIP/2.0 200 OK\r\n\r\n")
    yield b"\xff" * 65000
    yield b"INVITE" + b" " * 60000
    yield b"X" * 60000 + b"\r\n\r\n"
    yield good.replace(b"\r\n\r\n", b"\r\n" + b"X: y\r\n" * 9000 + b"\r\n")
    yield good.replace(b"Call-ID: n", b"Content-Length: 99999999999999999999")
    yield good.replace(b"Call-ID: n", b"Content-Length: -1")
    yield good.replace(b"CSeq: 1", b"CSeq: 4294967296")
    yield good.replace(b"<sip:a@b>", b'"\\')
    yield good.replace(b"<sip:a@b>", b"mailto:a@b")
    for _ in range(100):
        yield chance.randbytes(chance.randrange(1, 400))
        cut = chance.randrange(len(good))
        yield good[:cut]
        changed = bytearray(good)
        for _ in range(chance.randrange(1, 9)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        yield bytes(changed)


def test_garbage_does_not_disturb_a_call():
    seed = int(os.environ.get("SEED", 0)) or random.getrandbits(32)
    print(f"SEED={seed}")
    far = answerer("-n", "1", "--codecs", "pcmu", mic="loop")
    near = caller(far.uri(), "-d", "1.5", mic="tone:300")
    media = near.event("call.media")["address"]
    own = far.event("call.media")["address"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thrower:
        thrower.bind(("127.0.0.1", 0))
        for data in noise(seed):
            thrower.sendto(data, address(far))
        for where in media, own:
            host, _, port = where.rpartition(":")
            for data in noise(seed + 1):
                thrower.sendto(data, (host, int(port)))
    assert (near.exit(), far.exit()) == (0, 0)
    for end in near, far:
        assert end.ended()["received"] >= 70
    assert len(far.having("call.incoming")) == 1


def test_after_garbage_it_still_answers():
    far, peer = answerer(), Peer()
    for data in noise(1):
        if data:
            peer.send(data, address(far))
    question = peer.request("OPTIONS", address(far), call_id="the-last-of-all")
    for _ in range(5):  # much of a flood may be lost, and the question with it
        try:
            assert peer.expect(200, 1).all("call-id") == ["the-last-of-all"]
            break
        except Late:
            peer.send(question.bytes, address(far))
    assert peer.log[-1].kind == 200
    far.signal(signal.SIGINT)
    assert far.exit() == 0


BROKEN = {
    "only a version": b"v=0\r\n",
    "nothing": b"",
    "port 0": sdp(0),
    "port 70000": sdp(70000),
    "an address that is none": sdp(4000).replace(b"127.0.0.1", b"999.0.0.1"),
    "payload type 999": sdp(4000).replace(b"AVP 0", b"AVP 999"),
    "a ptime of years, and too many": sdp(4000) + b"a=ptime:99999999999\r\n" * 3000,
    "500 streams": b"m=audio 4000 RTP/AVP 0\r\n" * 500,
    "encryption that was not offered": sdp(4000).replace(b"RTP/AVP", b"RTP/SAVP"),
    "video for sound": sdp(4000).replace(b"m=audio", b"m=video"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_answer_with_a_broken_description_ends_the_call_with_an_honest_code(how):
    peer = Peer()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.respond(invite, 200, peer.contact(), body=BROKEN[how])
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    assert near.ended()["cause"] == "media"


@pytest.mark.parametrize("lines", [["Contact: <sip:"], ["Contact: <mailto:a@b>"], []])
def test_an_answer_without_a_way_back_does_not_hang(lines):
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "-d", "0.3")
    invite = peer.expect("INVITE")
    peer.respond(invite, 200, *lines, body=sdp(media.port))
    for _ in range(4):
        try:
            message = peer.receive(1)
        except Late:
            break
        if message.kind == "BYE":
            peer.respond(message, 200)
            break
    code = near.exit(10)
    assert 0 <= code <= 9
    assert len(near.having("call.ended")) == 1


def test_a_far_end_that_answers_nothing_any_more_is_not_waited_for():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "-d", "0.3", "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    first, again = peer.expect("BYE"), peer.expect("BYE")
    assert again.bytes == first.bytes
    assert near.exit(15) == 0


def test_a_refusal_that_is_lost_comes_again_and_is_waited_for():
    """RFC 3261, section 17.2.1: until its ACK, however short the program's own business is."""
    far = answerer("--answer-code", "486", "-n", "1")
    peer, to = Peer(), address(far)
    invite = peer.request("INVITE", to, body=sdp(9, ["pcmu"]))
    refusal = peer.expect(486)
    far.event("call.ended")
    assert peer.expect(486, 1.5).get("to") == refusal.get("to")
    assert far.popen.poll() is None
    peer.ack(invite, refusal, to)
    assert far.exit(2) == 0


def test_calls_that_come_while_it_leaves_are_refused_and_harm_nobody():
    far = answerer("--answer-code", "486", "-n", "3")
    peer, to = Peer(), address(far)
    for _ in range(30):
        peer.request("INVITE", to, body=sdp(9, ["pcmu"]))
    assert far.exit(10) == 0
    assert len(far.having("call.ended")) >= 3
