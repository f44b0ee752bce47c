"""What goes over the wire for each codec, and what a far end may ask of its encoder."""

import struct
import wave
from collections import namedtuple

import pytest

import speech
from phone import PAYLOADS, SPEECH, Media, Peer, answerer, caller, environment, sdp, text_caller

Sent = namedtuple("Sent", "ticks bytes")  # of each packet; how many bytes, if that is always so
CODECS = {
    "opus": Sent(960, None),
    "g722": Sent(160, 160),
    "pcmu": Sent(160, 160),
    "pcma": Sent(160, 160),
    "gsm": Sent(160, 33),
    "l16": Sent(320, 640),
    "l16-8k": Sent(160, 320),
    "lpc10": Sent(360, 14),
}
FMTP = {"opus": "useinbandfec=1"}


def described(invite):
    """The lines of a description that tell of codecs."""
    lines = invite.body.decode().split("\r\n")
    formats = next(line for line in lines if line.startswith("m=")).split()[3:]
    return formats, [line for line in lines if line.startswith(("a=rtpmap:", "a=fmtp:"))]


def expected(codecs):
    formats, lines, free = [], [], 96
    for codec in codecs:
        number, name = PAYLOADS[codec]
        if number >= 96:
            number, free = free, free + 1
        formats.append(str(number))
        lines.append(f"a=rtpmap:{number} {name}")
        if codec in FMTP:
            lines.append(f"a=fmtp:{number} {FMTP[codec]}")
    return formats, lines


def refuse(peer, invite, near):
    peer.respond(invite, 404)
    peer.expect("ACK")
    assert near.exit() == 4


def test_all_codecs_are_offered_the_best_first():
    peer = Peer()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    assert described(invite) == expected(CODECS)
    assert len(invite.bytes) < 1300  # more would have to go by TCP: RFC 3261, section 18.1.1
    refuse(peer, invite, near)


def test_an_order_of_one_s_own_is_kept():
    mine = ["lpc10", "l16-8k", "gsm", "opus", "l16", "g722"]
    peer = Peer()
    near = caller(peer.uri(), "--codecs", ",".join(mine))
    invite = peer.expect("INVITE")
    assert described(invite) == expected(mine)
    refuse(peer, invite, near)


@pytest.mark.parametrize("codec", CODECS)
def test_packets_are_as_the_codec_has_them(codec):
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", codec, "-d", "0.5", mic="tone:440")
    invite = peer.expect("INVITE")
    assert described(invite) == expected([codec])
    peer.answer(invite, media.port, [codec])
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    packets = media.packets
    assert len(packets) > 8
    assert {packet.pt for packet in packets} == {PAYLOADS[codec][0]}
    for a, b in zip(packets, packets[1:]):
        assert (b.ts - a.ts) & 0xFFFFFFFF == CODECS[codec].ticks
    if CODECS[codec].bytes:
        assert {len(packet.payload) for packet in packets} == {CODECS[codec].bytes}


@pytest.mark.parametrize(
    "codec, ptime, ticks, size",
    [
        ("g722", 40, 320, 320),
        ("gsm", 40, 320, 66),
        ("gsm", 50, 320, 66),
        ("l16", 60, 640, 1280),  # as much as a datagram holds
        ("lpc10", 60, 360, 14),
        ("opus", 60, 2880, None),
        ("opus", 10, 480, None),
    ],
)
def test_packets_are_as_long_as_the_far_end_likes(codec, ptime, ticks, size):
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", codec, "-d", "0.5", mic="tone:440")
    invite = peer.expect("INVITE")
    peer.respond(
        invite, 200, peer.contact(), body=sdp(media.port, [codec], more=f"a=ptime:{ptime}\r\n")
    )
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    for a, b in zip(media.packets, media.packets[1:]):
        assert (b.ts - a.ts) & 0xFFFFFFFF == ticks
        assert size is None or len(b.payload) == size


def spoken(path, silence_s):
    """Two seconds of the speech, and silence."""
    sound = speech.read(SPEECH)
    samples = [round(32767 * x) for x in sound.samples[: 2 * sound.rate]]
    samples += [0] * int(silence_s * sound.rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, sound.rate, 0, "NONE", None))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def opus_call(mic, fmtp, duration_s, more=""):
    """A call to a far end that asks for fmtp: (caller, peer, media), talking."""
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "opus", "-d", duration_s, mic=f"file:{mic}")
    invite = peer.expect("INVITE")
    more = f"a=fmtp:96 {fmtp}\r\n{more}"
    peer.respond(invite, 200, peer.contact(), body=sdp(media.port, ["opus"], more=more))
    peer.expect("ACK")
    return near, peer, media


def hung_up(near, peer, limit=10):
    peer.respond(peer.expect("BYE", limit), 200)
    assert near.exit() == 0


def test_silence_is_not_sent_to_who_wants_none(tmp_path):
    """RFC 3551, section 4.1: the numbers go on, the time does, and the marker is set after it."""
    near, peer, media = opus_call(spoken(tmp_path / "mic.wav", 3), "usedtx=1", 4)
    hung_up(near, peer)
    packets = media.packets
    steps = [(b.ts - a.ts) & 0xFFFFFFFF for a, b in zip(packets, packets[1:])]
    assert all((b.seq - a.seq) & 0xFFFF == 1 for a, b in zip(packets, packets[1:]))
    assert all(step % 960 == 0 for step in steps)
    assert [packet.marker for packet in packets] == [1] + [int(step > 960) for step in steps]
    assert 95 < len(packets) < 150  # of 200
    assert max(steps) >= 48000 * 3 // 10


def test_silence_is_sent_to_who_does_not_ask(tmp_path):
    near, peer, media = opus_call(spoken(tmp_path / "mic.wav", 3), "usedtx=0", 1)
    hung_up(near, peer)
    assert len(media.packets) >= 48
    assert [packet.marker for packet in media.packets] == [1] + [0] * (len(media.packets) - 1)


def redundant(packet):
    """Whether an Opus packet of one SILK frame of 20 ms, mono, brings the one before it again: RFC
    6716, sections 3.1 and 4.2.3."""
    config, stereo, code = packet.payload[0] >> 3, packet.payload[0] >> 2 & 1, packet.payload[0] & 3
    assert config in (1, 5, 9, 13, 15) and not stereo and code == 0
    return len(packet.payload) > 1 and packet.payload[1] >> 6 & 1


def report(ours, theirs, lost):
    """A receiver report, with the name of who sends it (RFC 3550, sections 6.4.2 and 6.5)."""
    block = struct.pack("!IB3sIIII", theirs, lost, b"\0\0\1", 1, 0, 0, 0)
    name = struct.pack("!BBHIBB", 0x81, 202, 2, ours, 1, 1) + b"x\0"
    return struct.pack("!BBHI", 0x81, 201, 7, ours) + block + name


def test_redundancy_follows_what_the_far_end_reports_of_loss(tmp_path):
    """At a bit rate where it is worth its place only if much is lost."""
    mux = "a=rtcp-mux\r\n"
    fmtp = "useinbandfec=1;maxaveragebitrate=18000"
    near, peer, media = opus_call(SPEECH, fmtp, 5, mux)
    before = [packet for packet in media.wait(120) if packet.pt == 96]
    assert not any(map(redundant, before))
    media.socket.sendto(report(0x1234, before[0].ssrc, 64), before[0].source)
    hung_up(near, peer)
    after = [packet for packet in media.packets if packet.pt == 96][len(before) + 10 :]
    assert sum(map(redundant, after)) > len(after) / 3


def test_a_machine_without_a_codec_s_library_says_so(tmp_path):
    """The library is found, and is none."""
    (tmp_path / "libspandsp.so.2").touch()
    far = answerer("-n", "1", "--codecs", "gsm")
    without = environment(LD_LIBRARY_PATH=str(tmp_path))
    near = text_caller(far.uri(), "--codecs", "gsm", env=without)
    assert near.exit() == 9
    assert "libspandsp.so.2" in near.out.text + near.err.text
    assert far.exit() == 0
