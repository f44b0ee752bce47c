"""What changes while a call lasts: hold, another address, a description that cannot be met."""

import pytest

from phone import Media, Peer, answerer, caller, sdp, text_caller


def talk(peer, media, *args, make=caller, codecs=("pcmu",)):
    """A call of the phone to peer, which stands: (phone, INVITE, ACK)."""
    near = make(peer.uri(), "--codecs", ",".join(codecs), *args)
    invite = peer.expect("INVITE")
    ack = peer.answer(invite, media.port, codecs)
    media.wait(3)
    return near, invite, ack


def change(peer, invite, ack, number, body, method="INVITE", expected=200):
    """A re-INVITE or UPDATE from peer, and its answer, acknowledged."""
    request = peer.request(
        method, ack.source, invite.contact_uri, body=body, dialog=within(peer, invite, number, method)
    )
    answer = peer.expect(expected)
    assert answer.cseq == (number, method)
    if method == "INVITE":
        peer.ack(request, answer, ack.source)
    return answer


def within(peer, invite, number, method):
    end = f"{invite.get('to')};tag={peer.tag}"
    return {
        "from": end, "to": invite.get("from"), "call_id": invite.get("call-id"),
        "cseq": f"{number} {method}",
    }  # fmt: skip


def refuse_ack(peer, invite, ack, request):
    """The ACK to what refuses a re-INVITE, which belongs to that."""
    number, _ = request.cseq
    end = dict(within(peer, invite, number, "ACK"), via=request.all("via")[0], contact=None)
    peer.request("ACK", ack.source, invite.contact_uri, dialog=end)


def finish(peer, near, invite, ack, number):
    peer.request(
        "BYE", ack.source, invite.contact_uri, dialog=within(peer, invite, number, "BYE"),
        contact=None,
    )  # fmt: skip
    peer.expect(200)
    assert near.exit() == 0


def direction(answer):
    for name in ("sendrecv", "sendonly", "recvonly", "inactive"):
        if f"a={name}\r\n".encode() in answer.body:
            return name
    return "sendrecv"


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    "asked, answered", [("sendonly", "recvonly"), ("inactive", "inactive")]
)
def test_the_far_end_holds_and_resumes(method, asked, answered):
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    held = change(peer, invite, ack, 1, sdp(media.port, direction=asked), method)
    assert direction(held) == answered
    near.event("call.held", by="remote")
    # the same once more is told no second time
    change(peer, invite, ack, 2, sdp(media.port, direction=asked), method)
    resumed = change(peer, invite, ack, 3, sdp(media.port), method)
    assert direction(resumed) == "sendrecv"
    near.event("call.resumed", by="remote")
    media.wait(len(media.packets) + 3)
    finish(peer, near, invite, ack, 4)
    assert len(near.having("call.held")) == len(near.having("call.resumed")) == 1
    assert [event["event"] for event in near.events].index("call.held") < [
        event["event"] for event in near.events
    ].index("call.resumed")


def test_nothing_is_sent_to_a_far_end_that_holds_by_address_zero():
    """RFC 3264, section 8.4: the old way."""
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    change(peer, invite, ack, 1, sdp(media.port, address="0.0.0.0"))
    near.event("call.held", by="remote")
    finish(peer, near, invite, ack, 2)
    assert not near.having("call.media", address="0.0.0.0:%d" % media.port)


def test_what_changed_during_a_hold_is_told_behind_it():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media, codecs=("pcmu", "pcma"))
    change(peer, invite, ack, 1, sdp(media.port, ["pcma"], direction="sendonly"))
    near.event("call.held", by="remote")
    change(peer, invite, ack, 2, sdp(media.port, ["pcma"]))
    near.event("call.resumed", by="remote")
    finish(peer, near, invite, ack, 3)
    told = [(event["codec"], event["payload_type"]) for event in near.having("call.media")]
    assert told == [("pcmu", 0), ("pcma", 8)]


def test_a_hold_by_address_zero_changes_nothing_else():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    change(peer, invite, ack, 1, sdp(media.port, address="0.0.0.0"))
    change(peer, invite, ack, 2, sdp(media.port))
    near.event("call.resumed", by="remote")
    finish(peer, near, invite, ack, 3)
    assert len(near.having("call.media")) == 1


def test_a_person_reads_who_holds():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media, make=text_caller)
    change(peer, invite, ack, 1, sdp(media.port, direction="sendonly"))
    near.line("^held      by x$")
    change(peer, invite, ack, 2, sdp(media.port))
    near.line("^resumed   by x$")
    finish(peer, near, invite, ack, 3)


def test_the_sound_follows_to_another_address():
    peer, media, other = Peer(), Media(), Media()
    near, invite, ack = talk(peer, media)
    answer = change(peer, invite, ack, 1, sdp(other.port))
    other.wait(5)
    near.event("call.media", address=f"127.0.0.1:{other.port}")
    last, before = other.packets[-1], media.packets[-1]
    assert last.ssrc == before.ssrc and last.pt == before.pt  # one stream that goes on
    assert answer.media_port() == invite.media_port()
    finish(peer, near, invite, ack, 2)


def test_no_change_is_answered_with_no_new_version():
    """RFC 3264, section 8."""
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    first = change(peer, invite, ack, 1, sdp(media.port))
    second = change(peer, invite, ack, 2, sdp(media.port))
    assert first.body == second.body
    finish(peer, near, invite, ack, 3)
    assert len(near.having("call.media")) == 1
    assert not near.having("call.held") and not near.having("call.resumed")


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_what_cannot_be_met_is_refused_and_the_call_goes_on(method):
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    refusal = change(peer, invite, ack, 1, sdp(media.port, ["gsm"]), method, expected=488)
    assert refusal.get("warning").startswith("305 ")
    media.wait(len(media.packets) + 5)  # the session stays as it was (section 14.2)
    change(peer, invite, ack, 2, sdp(media.port), method)
    finish(peer, near, invite, ack, 3)
    assert not near.having("error")


def test_a_re_invite_without_an_offer_gets_ours():
    """RFC 3261, section 14.2; the answer comes with ACK."""
    peer, media, other = Peer(), Media(), Media()
    near, invite, ack = talk(peer, media)
    request = peer.request(
        "INVITE", ack.source, invite.contact_uri, dialog=within(peer, invite, 1, "INVITE")
    )
    ok = peer.expect(200)
    assert ok.media_port() == invite.media_port() and b"PCMU" in ok.body
    dialog = within(peer, invite, 1, "ACK")
    peer.request(
        "ACK", ack.source, ok.contact_uri, body=sdp(other.port, direction="sendonly"),
        dialog=dialog, contact=None,
    )  # fmt: skip
    near.event("call.held", by="remote")
    assert request.cseq == ok.cseq
    finish(peer, near, invite, ack, 2)


def test_an_update_without_an_offer_changes_nothing():
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    answer = change(peer, invite, ack, 1, b"", "UPDATE")
    assert answer.body == b""
    finish(peer, near, invite, ack, 2)
    assert len(near.having("call.media")) == 1


def test_who_is_called_takes_changes_too():
    peer, media = Peer(), Media()
    far = answerer("-n", "1", "--codecs", "pcmu")
    to = ("127.0.0.1", far.port())
    invite, ok = peer.call(to, media.port)
    dialog = {"from": invite.get("from"), "to": ok.get("to"), "call_id": invite.get("call-id")}
    again = peer.request(
        "INVITE", to, ok.contact_uri, body=sdp(media.port, direction="inactive"),
        dialog=dict(dialog, cseq="2 INVITE"),
    )  # fmt: skip
    answer = peer.expect(200)
    assert direction(answer) == "inactive"
    peer.ack(again, answer, to)
    far.event("call.held", by="remote")
    peer.bye(invite, ok, to, cseq="3 BYE")
    peer.expect(200)
    assert far.exit() == 0


def test_update_is_among_what_the_phone_allows():
    peer = Peer()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    assert "UPDATE" in invite.get("allow").replace(" ", "").split(",")
    peer.respond(invite, 486)
    peer.expect("ACK")
    assert near.exit() == 5


def test_an_offer_that_cannot_be_sent():
    """The 200 to a re-INVITE without an offer does not fit into a message behind all the Via."""
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    vias = [f"Via: SIP/2.0/UDP p{i};branch=z9hG4bK{'x' * 2000}" for i in range(31)]
    vias.append(f"Via: SIP/2.0/UDP q;branch=z9hG4bK{'x' * 1940}")
    for number in (1, 2):
        request = peer.request(
            "INVITE", ack.source, invite.contact_uri, *vias,
            dialog=within(peer, invite, number, "INVITE"),
        )  # fmt: skip
        refused = peer.expect(500)
        while refused.cseq != (number, "INVITE"):  # the last one once more
            refused = peer.expect(500)
        refuse_ack(peer, invite, ack, request)
    answer = change(peer, invite, ack, 3, sdp(media.port, direction="sendonly"))
    assert direction(answer) == "recvonly"
    near.event("call.held", by="remote")
    finish(peer, near, invite, ack, 4)


def test_an_offer_of_no_bytes_is_none():
    """The offer is left to us; while ours is open, there is no other one."""
    peer, media = Peer(), Media()
    near, invite, ack = talk(peer, media)
    parts = b"--b\r\nContent-Type: application/sdp\r\n\r\n\r\n--b--\r\n"
    requests = [
        peer.request(
            "INVITE", ack.source, invite.contact_uri, "Content-Type: multipart/mixed;boundary=b",
            body=parts, dialog=within(peer, invite, number, "INVITE"),
        )
        for number in (1, 2)
    ]  # fmt: skip
    offer = peer.expect(200)
    assert offer.body
    assert peer.expect(491).cseq == (2, "INVITE")
    refuse_ack(peer, invite, ack, requests[1])
    end = dict(within(peer, invite, 1, "ACK"), contact=None)
    peer.request("ACK", ack.source, invite.contact_uri, body=sdp(media.port), dialog=end)
    assert requests[0].cseq == offer.cseq
    finish(peer, near, invite, ack, 3)


def test_a_late_ack_is_no_answer_to_a_later_offer():
    """RFC 5407, section 3.1.4: a re-INVITE may overtake the ACK."""
    far = answerer("-n", "1", "--codecs", "pcmu")
    to = ("127.0.0.1", far.port())
    peer, media = Peer(), Media()
    invite = peer.request("INVITE", to, body=sdp(media.port))
    ok = peer.expect(200)
    dialog = {"from": invite.get("from"), "to": ok.get("to"), "call_id": invite.get("call-id")}
    again = peer.request("INVITE", to, ok.contact_uri, dialog=dict(dialog, cseq="2 INVITE"))
    offer = peer.expect(200)
    while offer.cseq != again.cseq:
        offer = peer.expect(200)
    peer.ack(invite, ok, to)
    answer = dict(dialog, cseq="2 ACK", contact=None)
    peer.request("ACK", to, ok.contact_uri, dialog=answer, body=sdp(media.port, direction="sendonly"))
    far.event("call.held", by="remote")
    peer.request("BYE", to, ok.contact_uri, dialog=dict(dialog, cseq="3 BYE"), contact=None)
    assert far.exit() == 0
