"""What the far end says of why, in words: Reason, Retry-After, Warning; and sound that is lost."""

import time

import pytest

from phone import Media, Peer, Process, SIPCALL, HERE, caller, closed_port, sdp, text_caller


def talk(peer, media, *args, make=text_caller):
    near = make(peer.uri("bob"), "--codecs", "pcmu", *args)
    invite = peer.expect("INVITE")
    ack = peer.answer(invite, media.port)
    media.wait(3)
    return near, invite, ack


def hang_up(peer, invite, to, *headers):
    dialog = {"from": f"{invite.get('to')};tag={peer.tag}", "to": invite.get("from")}
    dialog.update(call_id=invite.get("call-id"), contact=None, cseq="1 BYE")
    peer.request("BYE", to, invite.contact_uri, *headers, dialog=dialog)
    peer.expect(200)


@pytest.mark.parametrize(
    "reason, words",
    [
        ("Q.850;cause=17", "Q.850 17: "),
        ('SIP;cause=503;text="line cut"', "SIP 503: line cut"),
        ("Q.850;cause=16", None),
        ("Q.850;cause=31", None),
        ("", None),
    ],
)
def test_why_they_hung_up_is_told_where_it_is_not_usual(reason, words):
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    hang_up(peer, invite, ack.source, *([f"Reason: {reason}"] if reason else []))
    assert near.exit() == 0
    last = near.out.lines[-1]
    assert last.startswith("ended     by bob after ")
    if words:
        assert f"({words}" in last and last.endswith(")")
    else:
        assert "(" not in last


def test_a_call_that_another_phone_took_says_so():
    peer = Peer()
    far = Process([SIPCALL, "--answer=20", "-l", HERE, "-n", "1", "-i", "silence", "-o", "null"])
    port = int(far.line(r"^listening udp 127\.0\.0\.1:(\d+)")[1])
    to = ("127.0.0.1", port)
    invite = peer.request("INVITE", to, body=sdp(4000))
    peer.expect(180)
    reason = 'Reason: SIP;cause=200;text="Call completed elsewhere"'
    peer.request(
        "CANCEL", to, "sip:x@127.0.0.1", reason, via=invite.get("via"), contact=None,
        dialog={"from": invite.get("from"), "to": invite.get("to"),
                "call_id": invite.get("call-id"), "cseq": "1 CANCEL"},
    )  # fmt: skip
    assert far.exit() == 0
    assert far.out.lines[-1] == "missed    peer gave up   (answered elsewhere)"


@pytest.mark.parametrize("code", [480, 486, 500, 503, 600, 603])
def test_when_to_try_again_is_told(code):
    peer = Peer()
    near = text_caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, code, "Retry-After: 30 (in a meeting);duration=60")
    near.exit()
    assert near.out.lines[-1].endswith(": they ask to try again in 30 s")


def test_the_text_of_a_warning_is_told():
    peer = Peer()
    near = text_caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 488, 'Warning: 304 far.example "No \\"video\\" here\x1b[31m"')
    assert near.exit() == 8
    last = near.out.lines[-1]
    assert '; they say: No "video" here' in last and "\x1b" not in last


def test_all_that_is_said_is_told():
    peer = Peer()
    near = text_caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 480, "Reason: Q.850;cause=19", "Retry-After: 5")
    assert near.exit() == 6
    last = near.out.lines[-1]
    assert ": Q.850 19: " in last and last.endswith("; they ask to try again in 5 s")


def test_what_the_telephone_network_said_is_told():
    """RFC 6432."""
    peer = Peer()
    near = text_caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 480, "Reason: Q.850;cause=19")
    assert near.exit() == 6
    assert "Q.850 19: " in near.out.lines[-1]


def test_a_description_among_other_parts_is_found():
    """RFC 5621."""
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    body = (
        b"--frontier\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"--frontier\r\nContent-Type: application/sdp\r\n\r\n" + sdp(media.port)
        + b"\r\n--frontier--\r\n"
    )  # fmt: skip
    lines = [
        "SIP/2.0 200 OK", f"Via: {invite.get('via')}", f"From: {invite.get('from')}",
        f"To: {invite.get('to')};tag={peer.tag}", f"Call-ID: {invite.get('call-id')}",
        f"CSeq: {invite.get('cseq')}", peer.contact(),
        "Content-Type: multipart/mixed;boundary=frontier", f"Content-Length: {len(body)}",
    ]  # fmt: skip
    peer.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body, invite.source)
    ack = peer.expect("ACK")
    media.wait(3)
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_a_call_without_rtp_ends_after_its_time():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media, "--media-timeout", "0.6", make=caller)
    bye = peer.expect("BYE")
    assert bye.get("reason").startswith("Q.850;cause=102")
    peer.respond(bye, 200)
    assert near.exit() == 8
    ended = near.ended()
    assert ended["cause"] == "media"
    assert ended["words"] == f"no RTP from 127.0.0.1:{media.port} for 0.6 s"
    assert 0.5 < ended["duration_s"] < 2


def test_a_port_without_a_listener_says_why_there_is_no_sound():
    peer = Peer()
    port = closed_port()
    near = text_caller(peer.uri(), "--codecs", "pcmu", "--media-timeout", "0.6")
    invite = peer.expect("INVITE")
    peer.answer(invite, port)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    words = f"no RTP for 0.6 s: nothing listens on 127.0.0.1:{port} (port unreachable)   "
    assert words in near.out.lines[-1]


def test_silence_is_no_fault_where_it_may_last_or_the_call_is_on_hold():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media, "--media-timeout", "0", "-d", "1.2", make=caller)
    bye = peer.expect("BYE")
    peer.respond(bye, 200)
    assert near.exit() == 0
    peer = Peer()
    near = caller(peer.uri(), "--codecs", "pcmu", "--media-timeout", "0.5", "-d", "1.2")
    invite = peer.expect("INVITE")
    peer.respond(invite, 200, peer.contact(), body=sdp(media.port, direction="sendonly"))
    peer.expect("ACK")
    near.event("call.held", by="remote")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0


def test_a_far_end_that_is_silent_after_its_hold_is_noticed():
    """However long the hold was, in which nothing had to come."""
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu", "--media-timeout", "0.5")
    invite = peer.expect("INVITE")
    peer.respond(invite, 200, peer.contact(), body=sdp(media.port, direction="sendonly"))
    ack = peer.expect("ACK")
    near.event("call.held", by="remote")
    time.sleep(1.2)
    end = f"{invite.get('to')};tag={peer.tag}"
    dialog = {
        "from": end, "to": invite.get("from"), "call_id": invite.get("call-id"), "cseq": "1 INVITE",
    }  # fmt: skip
    request = peer.request(
        "INVITE", ack.source, invite.contact_uri, body=sdp(media.port), dialog=dialog
    )
    peer.ack(request, peer.expect(200), ack.source)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    assert near.ended()["duration_s"] > 1.6


def test_a_far_end_that_is_silent_before_and_after_its_answer_is_noticed():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu", "--media-timeout", "0.5")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    media.wait(40)  # 0.8 s
    peer.answer(invite, media.port)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    assert 0.5 <= near.ended()["duration_s"] < 2
