"""However a call ends, the exit code tells it, and the far end is told."""

import signal
import time

import pytest

from phone import (
    HERE, SIPCALL, Late, Media, Peer, Process, answerer, caller, closed_port, sdp, text_caller,
)  # fmt: skip


def test_nothing_listens_is_noticed_by_icmp_and_not_by_a_timer():
    port = closed_port()
    before = time.monotonic()
    near = text_caller(f"sip:x@127.0.0.1:{port}")
    assert near.exit() == 3
    assert time.monotonic() - before < 1.5
    assert f"127.0.0.1:{port}" in near.out.lines[-1]
    assert near.out.lines[-1].startswith("failed ")
    near = caller(f"sip:x@127.0.0.1:{port}")
    assert near.exit() == 3
    assert near.ended()["cause"] == "unreachable"


def test_a_host_that_does_not_exist_is_not_reached():
    near = caller("sip:x@no-such-host.invalid")
    assert near.exit(15) == 3
    assert near.ended()["cause"] == "unreachable"


REFUSALS = {
    302: 4, 400: 4, 404: 4, 408: 6, 480: 6, 486: 5, 488: 8, 500: 4, 503: 3, 600: 5, 603: 5, 604: 4,
    606: 8, 699: 4,
}  # fmt: skip


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_has_its_exit_code(code):
    far = answerer("--answer-code", str(code), "-n", "1")
    near = caller(far.uri())
    assert near.exit() == REFUSALS[code]
    assert far.exit() == 0  # a refused call counts
    assert near.ended()["code"] == code
    assert near.ended()["cause"] == "rejected" or code in (408, 480, 488, 503, 606)
    assert far.ended()["code"] == code


@pytest.mark.parametrize(
    "code, word", [(486, "busy"), (603, "declined"), (404, "failed"), (503, "failed")]
)
def test_a_person_reads_words_before_codes(code, word):
    far = answerer("--answer-code", str(code), "-n", "1")
    near = text_caller(far.uri())
    near.exit()
    last = near.out.lines[-1].split()
    assert last[0] == word and str(code) in last[1:]


def test_nobody_picks_up_in_time():
    far = answerer("-n", "1", answer="--answer=30")
    before = time.monotonic()
    near = caller(far.uri(), "-t", "2")
    assert near.exit() == 6
    assert 1.9 < time.monotonic() - before < 4
    assert near.ended()["cause"] == "timeout"
    assert far.exit() == 0
    assert far.ended()["cause"] == "remote"
    assert not near.having("call.answered") and not far.having("call.answered")


def test_the_time_to_pick_up_ends_with_the_answer():
    far = answerer("-n", "1", answer="--answer=0.2")
    near = caller(far.uri(), "-t", "0.6", "-d", "1.2")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["duration_s"] > 1.1


def test_no_common_codec_names_both_lists():
    far = answerer("--codecs", "pcma", "-n", "1")
    near = text_caller(far.uri(), "--codecs", "pcmu,opus")
    assert near.exit() == 8
    assert far.exit() == 0
    last = near.out.lines[-1]
    assert last.startswith("failed ") and "488" in last
    assert "we: pcmu, opus" in last and "they: pcma" in last
    assert far.ended()["code"] == 488


def test_an_answer_without_a_codec_of_ours_is_acknowledged_and_hung_up():
    peer, media = Peer(), Media()
    near = text_caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port, codecs=["pcma"])
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    assert "pcmu" in near.out.lines[-1] and "pcma" in near.out.lines[-1]
    assert media.packets == []


def test_the_far_end_hangs_up():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    ack = peer.answer(invite, media.port)
    media.wait(5)
    peer.hang_up(invite, ack.source)
    assert peer.expect(200).cseq == (1, "BYE")
    assert near.exit() == 0
    assert near.ended()["cause"] == "remote"


def test_ctrl_c_while_it_rings_cancels():
    peer = Peer()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.event("call.ringing")
    near.signal(signal.SIGINT)
    cancel = peer.expect("CANCEL")
    # RFC 3261, section 9.1
    assert cancel.start == invite.start.replace("INVITE", "CANCEL")
    assert cancel.branch == invite.branch
    assert cancel.cseq == (invite.cseq[0], "CANCEL")
    for name in ("call-id", "from", "to"):
        assert cancel.get(name) == invite.get(name)
    peer.respond(cancel, 200)
    peer.respond(invite, 487)
    ack = peer.expect("ACK")
    assert ack.branch == invite.branch and ack.tag("to") == peer.tag
    assert near.exit() == 130
    assert near.ended()["cause"] == "local"


def test_cancel_waits_for_a_provisional_response():
    peer = Peer()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    near.signal(signal.SIGINT)
    with pytest.raises(Late):
        peer.expect("CANCEL", 0.25)
    peer.respond(invite, 180)
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    peer.expect("ACK")
    assert near.exit() == 130


def test_an_answer_that_crosses_cancel_is_ended_by_bye():
    peer, media = Peer(), Media()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.event("call.ringing")
    near.signal(signal.SIGINT)
    cancel = peer.expect("CANCEL")
    peer.answer(invite, media.port)
    peer.respond(cancel, 481)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 130


def test_ctrl_c_after_the_answer_hangs_up():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    media.wait(5)
    near.signal(signal.SIGINT)
    bye = peer.expect("BYE")
    assert bye.tag("to") == peer.tag and bye.get("call-id") == invite.get("call-id")
    assert bye.cseq[0] > invite.cseq[0]
    assert bye.start == f"BYE sip:peer@{peer.host} SIP/2.0"
    peer.respond(bye, 200)
    assert near.exit() == 0
    assert near.ended()["cause"] == "local"


@pytest.mark.parametrize("answered", [False, True])
def test_a_second_ctrl_c_leaves_at_once(answered):
    peer, media = Peer(), Media()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.event("call.ringing")
    if answered:
        peer.answer(invite, media.port)
        near.event("call.answered")
    near.signal(signal.SIGINT)
    peer.expect("BYE" if answered else "CANCEL")
    with pytest.raises(Late):  # it waits for the far end's word
        near.exit(0.3)
    before = time.monotonic()
    near.signal(signal.SIGINT)
    assert near.exit() == 130  # it is not known whether the far end has heard
    assert time.monotonic() - before < 1


@pytest.mark.parametrize("answered", [False, True])
def test_sigterm_ends_the_call_politely(answered):
    peer, media = Peer(), Media()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.event("call.ringing")
    if answered:
        peer.answer(invite, media.port)
        near.event("call.answered")
        near.signal(signal.SIGTERM)
        peer.respond(peer.expect("BYE"), 200)
    else:
        near.signal(signal.SIGTERM)
        peer.respond(peer.expect("CANCEL"), 200)
        peer.respond(invite, 487)
    assert near.exit() == 143


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_waiting_for_calls_is_ended_by_a_signal(number, code):
    far = answerer()
    far.event("listening")
    far.signal(number)
    assert far.exit() == code


def test_ctrl_c_hangs_up_the_calls_that_were_answered():
    far = answerer()
    near = caller(far.uri())
    near.event("call.answered")
    far.signal(signal.SIGINT)
    assert (far.exit(), near.exit()) == (0, 0)
    assert near.ended()["cause"] == "remote"
    assert far.ended()["cause"] == "local"


def test_ctrl_c_refuses_the_calls_that_ring():
    far = answerer(answer="--answer=30")
    near = caller(far.uri())
    near.event("call.ringing")
    far.signal(signal.SIGINT)
    assert far.exit() == 0
    assert near.exit() == 6
    assert near.ended()["code"] == 480


def test_so_many_calls_and_then_it_exits():
    far = answerer("-n", "3")
    for _ in range(2):
        assert caller(far.uri(), "-d", "0.2").exit() == 0
    assert far.popen.poll() is None
    assert caller(far.uri(), "-d", "0.2").exit() == 0
    assert far.exit() == 0
    assert [event["call"] for event in far.having("call.ended")] == [1, 2, 3]


def test_a_second_call_is_busy_when_one_is_the_most():
    far = answerer("--max-calls", "1", "-n", "3")
    first = caller(far.uri())
    first.event("call.answered")
    second = caller(far.uri())
    assert second.exit() == 5
    assert second.ended()["code"] == 486
    assert not first.having("call.ended")
    first.signal(signal.SIGINT)
    assert first.exit() == 0
    far.event("call.ended", cause="remote")
    assert caller(far.uri(), "-d", "0.2").exit() == 0
    assert far.exit() == 0


def test_two_calls_at_once_are_two_calls():
    far = answerer("-n", "2", mic="loop")
    pair = [caller(far.uri(), "-d", "1", "--codecs", "pcmu") for _ in range(2)]
    assert [near.exit() for near in pair] == [0, 0]
    assert far.exit() == 0
    for near in pair:
        assert near.ended()["received"] >= 45 and near.ended()["lost"] == 0


def test_a_call_is_hung_up_after_its_duration():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "-d", "1")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    answered = time.monotonic()
    bye = peer.expect("BYE")
    assert 0.9 < bye.arrival - answered < 1.6
    peer.respond(bye, 200)
    assert near.exit() == 0


def test_who_waits_may_hang_up_after_a_duration_too():
    far = answerer("-n", "1", "-d", "0.5")
    near = caller(far.uri())
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["cause"] == "remote"


def test_an_incoming_call_that_is_given_up_is_over():
    far = answerer("-n", "1", answer="--answer=30")
    peer = Peer()
    to = ("127.0.0.1", far.port())
    invite = peer.request("INVITE", to, body=sdp(4000))
    peer.expect(180)
    dialog = {"from": invite.get("from"), "contact": None, "call_id": invite.get("call-id")}
    peer.request("CANCEL", to, dialog=dialog, via=invite.get("via"), cseq="1 CANCEL")
    assert {peer.receive().kind, peer.receive().kind} == {200, 487}
    peer.ack(invite, [m for m in peer.log if m.kind == 487][0], to)
    assert far.exit() == 0
    assert far.ended()["cause"] == "remote"


def test_a_taken_port_is_an_error_of_this_machine():
    far = answerer()
    code_of = Process([SIPCALL, "--answer", "-l", f"udp:127.0.0.1:{far.port()}", "-i", "silence"])
    assert code_of.exit() == 9
    assert str(far.port()) in code_of.err.text


def test_an_address_that_is_not_ours_is_an_error_of_this_machine():
    process = Process([SIPCALL, "--answer", "-l", "udp:192.0.2.1:0", "-i", "silence"])
    assert process.exit() == 9
    assert "192.0.2.1" in process.err.text


def test_the_usual_port_taken_gives_another_and_one_line_says_so():
    first = Process([SIPCALL, "--answer", "-i", "silence", "-o", "null"])
    first.line(r"^listening")
    second = Process([SIPCALL, "--answer", "-i", "silence", "-o", "null"])
    listening = second.line(r"^listening.*udp 0\.0\.0\.0:(\d+).*$")
    assert int(listening[1]) != 5060
    assert b"5060" in listening[0]
    for process in first, second:
        process.signal(signal.SIGINT)
        assert process.exit() == 0


def test_here_is_a_free_port():
    """Two that ask for port 0 get two."""
    a, b = answerer(listen=HERE), answerer(listen=HERE)
    assert a.port() != b.port()
    assert a.event("listening")["transport"] == "udp"
    assert a.event("listening")["address"] == "127.0.0.1"
