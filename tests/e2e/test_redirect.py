"""A 3xx is followed (RFC 3261, section 8.1.3.4), as far as the limits allow."""

from phone import Media, Peer, caller, closed_port, text_caller


def redirect(peer, *contacts, code=302, limit=5):
    """Answers the next INVITE by a 3xx with these Contacts; the INVITE."""
    invite = peer.expect("INVITE", limit)
    peer.respond(invite, code, *[f"Contact: {contact}" for contact in contacts])
    peer.expect("ACK")
    return invite


def refuse(peer, code=486):
    invite = peer.expect("INVITE")
    peer.respond(invite, code)
    peer.expect("ACK")
    return invite


def test_a_redirected_call_is_the_same_call_with_the_next_number():
    peer, other, media = Peer(), Peer(), Media()
    near = caller(peer.uri("bob"), "--codecs", "pcmu")
    first = redirect(peer, f"<{other.uri('carol')}>")
    second = other.expect("INVITE")
    assert second.start == f"INVITE {other.uri('carol')} SIP/2.0"
    for name in ("to", "from", "call-id"):
        assert second.get(name) == first.get(name)
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.branch != first.branch
    ack = other.answer(second, media.port)
    media.wait(3)
    other.hang_up(second, ack.source)
    assert near.exit() == 0
    assert len(near.having("call.outgoing")) == 1
    told = near.event("call.redirected", code=302)
    assert told["targets"] == [other.uri("carol")]


def test_the_best_contact_is_tried_first_and_a_person_reads_the_list():
    peer, carol, dave = Peer(), Peer(), Peer()
    near = text_caller(peer.uri("bob"))
    redirect(peer, f"<{dave.uri('dave')}>;q=0.3, <{carol.uri('carol')}>;q=0.7")
    refuse(carol, 480)
    refuse(dave, 486)
    assert near.exit() == 5  # the last failure
    carol_text, dave_text = carol.uri("carol")[4:], dave.uri("dave")[4:]
    near.line(f"^redirected 302 Moved: to {carol_text}, then {dave_text}$")
    assert near.out.lines[-1].startswith("busy ")


def test_an_unreachable_target_leads_on_to_the_next():
    peer, dave = Peer(), Peer()
    near = caller(peer.uri("bob"))
    redirect(peer, f"<sip:carol@127.0.0.1:{closed_port()}>, <{dave.uri('dave')}>;q=0.1")
    refuse(dave, 603)
    assert near.exit() == 5


def test_a_name_that_is_not_found_leads_on_to_the_next():
    peer, dave = Peer(), Peer()
    near = caller(peer.uri("bob"), "-t", "20")
    redirect(peer, f"<sip:carol@no-such-host.invalid>, <{dave.uri('dave')}>;q=0.1")
    invite = dave.expect("INVITE", 15)
    dave.respond(invite, 486)
    dave.expect("ACK")
    assert near.exit() == 5


def test_a_redirection_to_nowhere_is_a_rejection():
    for contacts in ([], ["<mailto:bob@example.org>"], ["<tel:+4930123456>"], ["*"]):
        peer = Peer()
        near = caller(peer.uri("bob"))
        redirect(peer, *contacts)
        assert near.exit() == 4
        assert near.ended()["code"] == 302
        assert not near.having("call.redirected")


def test_nobody_is_tried_twice():
    peer, other = Peer(), Peer()
    near = caller(peer.uri("bob"))
    redirect(peer, f"<{other.uri('carol')}>")
    redirect(other, f"<{peer.uri('bob')}>, <sip:carol@{other.host.upper()}>")
    assert near.exit() == 4
    peer.nothing(0.2)


def test_five_redirections_are_followed_and_no_sixth():
    peer = Peer()
    near = caller(peer.uri("user0"))
    for i in range(6):
        invite = redirect(peer, f"<{peer.uri(f'user{i + 1}')}>")
        assert invite.start.split(" ")[1] == peer.uri(f"user{i}")
    assert near.exit() == 4
    assert len(near.having("call.redirected")) == 5
    peer.nothing(0.2)


def test_ten_targets_are_tried_and_no_eleventh():
    peer = Peer()
    near = caller(peer.uri("bob"))
    redirect(peer, ", ".join(f"<{peer.uri(f'user{i}')}>" for i in range(12)))
    for i in range(10):
        assert refuse(peer, 404).start.split(" ")[1] == peer.uri(f"user{i}")
    assert near.exit() == 4
    assert near.ended()["code"] == 404
    assert len(near.event("call.redirected")["targets"]) == 10
    peer.nothing(0.2)


def test_the_time_to_pick_up_counts_over_all():
    peer, other = Peer(), Peer()
    near = caller(peer.uri("bob"), "-t", "1")
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.event("call.ringing")
    try:
        peer.expect("CANCEL", 0.6)
    except AssertionError:
        pass
    peer.respond(invite, 302, f"Contact: <{other.uri('carol')}>")
    second = other.expect("INVITE")
    other.respond(second, 180)
    cancel = other.expect("CANCEL", 0.7)
    other.respond(cancel, 200)
    other.respond(second, 487)
    assert near.exit() == 6


def test_use_proxy_is_not_followed():
    peer, other = Peer(), Peer()
    near = caller(peer.uri("bob"))
    invite = peer.expect("INVITE")
    peer.respond(invite, 305, f"Contact: <{other.uri('carol')}>", reason="Use Proxy")
    assert near.exit() == 4
    other.nothing(0.2)
