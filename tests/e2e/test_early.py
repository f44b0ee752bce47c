"""What is heard before the answer, and calls in which the far end makes the offer."""

import wave

from phone import Media, Peer, answerer, caller, sdp, text_caller


def test_early_media_is_heard_and_recorded_before_the_answer(tmp_path):
    peer, media = Peer(), Media()
    record = tmp_path / "call.wav"
    near = caller(peer.uri(), "--codecs", "pcmu", "--record", str(record))
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    near.event("call.progress", code=183)
    near.event("call.media", address=f"127.0.0.1:{media.port}")
    media.wait(10)
    for i in range(25):
        media.send(("127.0.0.1", invite.media_port()), b"\x20" * 160, i, i * 160)
    media.wait(30)
    assert not near.having("call.answered")
    peer.answer(invite, media.port)
    near.event("call.answered")
    media.wait(len(media.packets) + 5)
    source = near_source(media)
    peer.hang_up(invite, ("127.0.0.1", int(invite.get("via").split(";")[0].rsplit(":", 1)[1])))
    assert near.exit() == 0
    ended = near.ended()
    assert ended["received"] >= 20
    assert len(near.having("call.media")) == 1  # nothing new came with the answer
    assert source == {media.packets[0].ssrc}
    with wave.open(str(record)) as file:
        heard = file.getnframes() / file.getframerate()
    assert heard > ended["duration_s"] + 0.4  # durations count from the answer


def near_source(media):
    return {packet.ssrc for packet in media.packets}


def test_a_refusal_after_early_media_keeps_its_exit_code():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    media.wait(5)
    peer.respond(invite, 486)
    peer.expect("ACK")
    assert near.exit() == 5
    ended = near.ended()
    assert ended["code"] == 486 and not ended["answered"] and ended["duration_s"] == 0
    assert ended["sent"] >= 5


def test_another_fork_that_answers_is_the_one_that_is_heard():
    peer, first, second = Peer(), Media(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(first.port), tag="fork1")
    first.wait(3)
    peer.respond(invite, 183, peer.contact(), body=sdp(second.port), tag="fork2")
    second.wait(3)
    near.event("call.media", address=f"127.0.0.1:{second.port}")
    peer.respond(invite, 200, peer.contact(), body=sdp(first.port), tag="fork1")
    ack = peer.expect("ACK")
    count = len(first.packets)
    first.wait(count + 5)
    near.event("call.answered", address=f"127.0.0.1:{first.port}")
    peer.tag = "fork1"
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_an_answer_may_leave_out_what_was_said_early():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    media.wait(3)
    peer.respond(invite, 200, peer.contact())
    ack = peer.expect("ACK")
    near.event("call.answered", codec="pcmu")
    media.wait(len(media.packets) + 5)
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_an_early_description_that_cannot_be_used_is_left():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port, ["gsm"]))
    near.event("call.progress")
    ack = peer.answer(invite, media.port)
    media.wait(5)
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_another_fork_may_answer_with_a_voice_of_another_rate(tmp_path):
    """The sound goes on; its file keeps the rate with which it began."""
    peer, media, other = Peer(), Media(), Media()
    heard = tmp_path / "heard.wav"
    near = caller(peer.uri(), "--codecs", "opus,pcmu", speaker=f"file:{heard}")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port, ["opus"]), tag="fork1")
    first = media.wait(3)[-1]
    peer.respond(invite, 200, peer.contact(), body=sdp(other.port, ["pcmu"]), tag="fork2")
    ack = peer.expect("ACK")
    near.event("call.media", codec="pcmu")
    for i, packet in enumerate(other.wait(30)):
        assert (packet.pt, len(packet.payload)) == (0, 160)
        assert packet.ssrc == other.packets[0].ssrc != first.ssrc
        other.send(("127.0.0.1", invite.media_port()), b"\x10\x90" * 80, i, 160 * i)
    other.wait(60)
    peer.tag = "fork2"
    peer.hang_up(invite, ack.source)
    peer.expect(200)
    assert near.exit() == 0
    assert near.ended()["received"] == 30
    with wave.open(str(heard)) as file:
        assert file.getframerate() == 48000


def test_a_late_offer_is_answered_in_the_ack():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--late-offer", "--codecs", "pcma,pcmu")
    invite = peer.expect("INVITE")
    assert invite.body == b"" and not invite.all("content-type")
    ack = peer.answer(invite, media.port, ["pcmu"])
    assert ack.get("content-type") == "application/sdp"
    assert b"PCMU" in ack.body and b"PCMA" not in ack.body
    assert media.wait(5)[0].pt == 0
    near.event("call.answered", codec="pcmu")
    media.send(("127.0.0.1", ack.media_port()), b"\xff" * 160, 1, 160)
    # the same ACK once more, should it be lost (RFC 3261, section 13.2.2.4)
    peer.respond(invite, 200, peer.contact(), body=sdp(media.port))
    assert peer.expect("ACK").body == ack.body
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_a_late_offer_without_a_common_codec_ends_the_call():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--late-offer", "--codecs", "pcma")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port, ["pcmu"])
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8


def test_a_late_offer_needs_an_offer():
    peer = Peer()
    near = text_caller(peer.uri(), "--late-offer")
    invite = peer.expect("INVITE")
    peer.respond(invite, 200, peer.contact())
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    assert "without a session description" in near.out.lines[-1]


def test_callers_hear_something_until_the_answer():
    far = answerer("--early-media", "tone:700", "--codecs", "pcmu", "-n", "1", answer="--answer=1")
    peer, media = Peer(), Media()
    here = ("127.0.0.1", far.port())
    invite = peer.request("INVITE", here, body=sdp(media.port))
    progress = peer.expect(183)
    assert progress.get("content-type") == "application/sdp"
    before = media.wait(40)
    ok = peer.expect(200)
    assert ok.get("to") == progress.get("to")
    peer.ack(invite, ok, here)
    far.event("call.answered")
    count = len(media.packets)
    after = media.wait(count + 10)[count + 3 :]
    assert all(len(set(packet.payload)) > 20 for packet in before[5:35])  # a tone
    assert all(len(set(packet.payload)) < 5 for packet in after)  # silence, which --mic is
    peer.bye(invite, ok, here)
    peer.expect(200)
    assert far.exit() == 0
