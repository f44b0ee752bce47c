"""One request and its answer: repetitions, CANCEL and its races, what belongs to nothing."""

import pytest

from sipp_end import they_call, we_call

RINGS = {"answer": "--answer=30"}


def test_a_refusal_comes_again_until_its_ack(tmp_path):
    near, far = they_call(
        tmp_path, "leaves-a-refusal-unacknowledged", "-nr", phone=("--answer-code", "486")
    )
    refusals = near.messages("received", 486)
    assert len(refusals) == 2 and refusals[0].bytes == refusals[1].bytes
    assert far.ended()["code"] == 486


def test_a_487_comes_again_until_its_ack(tmp_path):
    near, far = they_call(tmp_path, "leaves-its-end-unacknowledged", "-nr", **RINGS)
    ends = near.messages("received", 487)
    assert len(ends) == 2 and ends[0].bytes == ends[1].bytes
    assert far.ended()["cause"] == "remote"


def test_the_same_request_by_two_ways_is_one_call(tmp_path):
    near, far = they_call(tmp_path, "comes-by-two-ways", **RINGS)
    assert len(far.having("call.incoming")) == 1
    assert near.received("SIP/2.0 482 ") == 1


def test_an_ack_to_nothing_is_not_answered(tmp_path):
    near, _ = they_call(tmp_path, "acknowledges-nothing", calls=0)
    assert len(near.messages("received")) == 1


def test_answers_to_nothing_do_nothing(tmp_path):
    near, far = they_call(tmp_path, "answers-nobody", calls=0)
    assert len(near.messages("received")) == 1
    assert {event["event"] for event in far.events} == {"listening"}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_options_tell_what_we_can(transport, tmp_path):
    near, _ = they_call(tmp_path, "asks-what-we-can", calls=0, transport=transport)
    assert len(near.messages("received")) == 1


def test_options_in_a_call_change_nothing(tmp_path):
    _, far = they_call(tmp_path, "asks-in-the-call")
    assert far.ended()["cause"] == "remote" and far.ended()["code"] == 200


def test_unknown_methods_are_refused(tmp_path):
    they_call(tmp_path, "asks-for-the-unheard-of", calls=0)


def test_an_unknown_method_in_a_call_leaves_it_standing(tmp_path):
    they_call(tmp_path, "asks-for-the-unheard-of-in-the-call")


def test_the_last_hop_is_good_enough(tmp_path):
    they_call(tmp_path, "comes-with-its-last-hop")


def test_cancel_waits_for_a_provisional_answer(tmp_path):
    far, near = we_call(
        tmp_path, "says-nothing-for-long", "-nr", phone=("-t", "0.2"), code=3
    )
    kinds = [message.kind for message in far.messages("received")]
    assert kinds == ["INVITE", "INVITE", "CANCEL", "ACK"]  # the second is the first again
    invite, again, cancel, ack = far.messages("received")
    assert invite.bytes == again.bytes
    assert invite.branch == cancel.branch == ack.branch
    assert cancel.get("from") == invite.get("from") and cancel.get("to") == invite.get("to")
    assert cancel.cseq == (invite.cseq[0], "CANCEL")
    assert cancel.start.split()[1] == invite.start.split()[1]


def test_an_answer_that_crosses_our_cancel_is_acknowledged_and_hung_up_on(tmp_path):
    far, near = we_call(tmp_path, "answers-as-we-cancel", phone=("-t", "0.2"), code=6)
    assert not near.having("call.answered")
    assert len(near.having("call.ended")) == 1


def test_a_cancel_of_nothing_is_481(tmp_path):
    they_call(tmp_path, "cancels-what-is-not-there", calls=0)


def test_a_cancel_after_the_answer_changes_nothing(tmp_path):
    _, far = they_call(tmp_path, "cancels-too-late")
    assert far.having("call.answered") and far.ended()["code"] == 200


def test_a_cancel_and_its_invite_end_with_one_tag(tmp_path):
    near, _ = they_call(tmp_path, "cancels-with-a-tag", **RINGS)
    (ringing,), (done,), (end,) = (near.messages("received", code) for code in (180, 200, 487))
    assert ringing.tag("to") == done.tag("to") == end.tag("to")


def test_a_bye_that_comes_again_gets_the_same_answer(tmp_path):
    near, far = they_call(tmp_path, "hangs-up-twice", "-nr", calls=0)
    done = [ok for ok in near.messages("received", 200) if ok.cseq[1] == "BYE"]
    assert len(done) == 2 and done[0].bytes == done[1].bytes
    assert len(far.having("call.ended")) == 1


def test_our_bye_comes_again_until_its_answer(tmp_path):
    far, _ = we_call(tmp_path, "overhears-the-first-bye", "-nr")
    first, again = far.messages("received", "BYE")
    assert first.bytes == again.bytes
