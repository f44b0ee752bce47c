"""Calls and their dialogs: forks, route sets, targets that move, numbers, refusals, redirections,
and what stands in headers and bodies beside."""

import pytest

from phone import caller
from sipp_end import Sipp, they_call, we_call

RINGS = {"answer": "--answer=30"}


def test_of_two_that_ring_the_one_that_answers_has_the_call(tmp_path):
    far, near = we_call(tmp_path, "rings-at-two-and-answers-at-the-second")
    assert len(near.having("call.answered")) == 1
    assert far.received("BYE ") == 1


def test_of_two_that_answer_the_second_is_hung_up_on(tmp_path):
    far, near = we_call(tmp_path, "answers-at-two", phone=("-d", "0.6"))
    assert len(near.having("call.answered")) == 1
    kinds = [message.kind for message in far.messages("received")]
    assert kinds == ["INVITE", "ACK", "ACK", "BYE", "BYE"]
    assert near.ended()["cause"] == "local" and near.ended()["sent"] >= 20


def test_the_other_of_two_that_ring_may_give_up(tmp_path):
    _, near = we_call(tmp_path, "one-of-two-gives-up")
    assert len(near.having("call.ringing")) >= 1
    assert near.having("call.answered")


def test_ringing_without_a_tag_is_ringing(tmp_path):
    _, near = we_call(tmp_path, "rings-without-a-tag")
    assert near.having("call.ringing", code=180)


@pytest.mark.parametrize(
    "scenario", ["answers-over-proxies-that-stay", "answers-over-a-strict-proxy"]
)
def test_a_caller_takes_its_route_from_the_answer(scenario, tmp_path):
    far, _ = we_call(tmp_path, scenario)
    ack, bye = far.messages("received", "ACK")[0], far.messages("received", "BYE")[0]
    assert ack.all("route") == bye.all("route")
    assert far.messages("received", "INVITE")[0].all("route") == []


@pytest.mark.parametrize("scenario", ["calls-over-proxies-that-stay", "calls-over-a-strict-proxy"])
def test_a_called_end_takes_its_route_from_the_invite(scenario, tmp_path):
    they_call(tmp_path, scenario, phone=("-d", "0.1"))


@pytest.mark.parametrize("scenario", ["moves-by-reinvite", "moves-by-update"])
def test_a_dialog_s_target_moves_by(scenario, tmp_path):
    _, far = they_call(tmp_path, scenario, phone=("-d", "0.4"))
    assert not far.having("call.held")


def test_the_answer_s_contact_is_the_target(tmp_path):
    we_call(tmp_path, "moves-between-ringing-and-answering")


def test_an_answer_without_a_contact_is_taken_as_well_as_can_be(tmp_path):
    _, near = we_call(tmp_path, "answers-without-a-contact")
    assert near.having("call.answered")


def test_requests_out_of_order_are_refused(tmp_path):
    near, _ = they_call(tmp_path, "goes-back-in-numbers")
    assert near.received("SIP/2.0 500 ") == 1


def test_a_caller_may_hang_up_before_its_ack(tmp_path):
    near, far = they_call(tmp_path, "hangs-up-before-its-ack")
    assert far.ended()["cause"] == "remote"


@pytest.mark.parametrize("scenario", ["hangs-up-on-nothing", "calls-into-nothing"])
def test_what_belongs_to_no_call_is_481(scenario, tmp_path):
    _, far = they_call(tmp_path, scenario, calls=0)
    assert not far.having("call.incoming")


def test_an_extension_that_nobody_has_is_420(tmp_path):
    near, _ = they_call(tmp_path, "requires-what-we-lack", calls=0)
    assert near.messages("received", 420)[0].get("unsupported") == "magic"


def test_a_body_that_is_none_of_ours_is_415(tmp_path):
    they_call(tmp_path, "calls-with-a-letter", calls=0)


def test_an_offer_is_found_among_other_parts(tmp_path):
    _, far = they_call(tmp_path, "calls-with-two-bodies")
    assert far.event("call.media")["codec"] == "pcmu"


def test_an_answer_is_found_among_other_parts(tmp_path):
    _, near = we_call(tmp_path, "answers-with-two-bodies")
    assert near.event("call.media")["codec"] == "pcmu"


def test_any_2xx_answers(tmp_path):
    _, near = we_call(tmp_path, "answers-with-202")
    assert near.having("call.progress", code=189, reason="Walking To The Phone")
    assert near.having("call.answered")


SENT = r'"Zoë \"Z\" Zeta"'
DISPLAYS = {
    SENT: 'Zoë "Z" Zeta',
    r'"back\\slash\\"': "back\\slash\\",
    "Zoe of Zeta": "Zoe of Zeta",
}


@pytest.mark.parametrize("display", DISPLAYS)
def test_short_and_mixed_headers_are_read(display, tmp_path):
    near, far = they_call(tmp_path, "calls-in-short", changes={SENT: display})
    incoming = far.event("call.incoming")
    assert incoming["display"] == DISPLAYS[display]
    assert incoming["peer"] == f"sip:zoe@127.0.0.1:{near.port}"


REFUSALS = {
    "404 Not Found": 4, "408 Request Timeout": 6, "410 Gone": 4, "480 Away": 6, "486 Busy Here": 5,
    "488 Not Acceptable Here": 8, "500 Broken": 4, "503 Service Unavailable": 3,
    "600 Busy Everywhere": 5, "603 Decline": 5, "606 Not Acceptable": 8, "699 What Ever": 4,
    "499 Nobody Knows": 4,
}  # fmt: skip


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_has_its_exit_code(status, tmp_path):
    code, _, reason = status.partition(" ")
    far, near = we_call(
        tmp_path, "refuses", changes={"404 Not Found": status}, code=REFUSALS[status]
    )
    ended = near.ended()
    assert (ended["code"], ended["reason"]) == (int(code), reason)
    invite, ack = far.messages("received", "INVITE")[0], far.messages("received", "ACK")[0]
    assert ack.branch == invite.branch and ack.start.split()[1] == invite.start.split()[1]


def test_it_says_when_to_come_again(tmp_path):
    _, near = we_call(tmp_path, "refuses-for-a-while", code=3)
    assert "120 s" in near.ended()["words"] or "2 min" in near.ended()["words"]


def test_a_cause_of_the_telephone_network_is_told_in_words(tmp_path):
    """Of Q.850, 34 is: no circuit or channel available; 27: destination out of order."""
    _, near = we_call(tmp_path, "refuses-with-a-cause", code=4)
    assert "circuit" in near.ended()["words"]
    _, far = they_call(tmp_path, "hangs-up-with-a-reason")
    assert "out of order" in far.ended()["words"]


def test_it_says_that_another_has_answered(tmp_path):
    _, far = they_call(tmp_path, "cancels-with-a-reason", **RINGS)
    assert far.ended()["words"] == "answered elsewhere"


def test_a_redirection_is_followed(tmp_path):
    there = Sipp(tmp_path, "answers-and-is-hung-up-on").ready()
    far, near = we_call(tmp_path, "redirects", keys={"where": there.uri()})
    assert there.exit() == 0
    redirected = near.event("call.redirected")
    assert redirected["code"] == 302
    assert redirected["targets"] == [there.uri()]
    invite, again = far.messages("received", "INVITE")[0], there.messages("received", "INVITE")[0]
    assert again.start == f"INVITE {there.uri()} SIP/2.0"
    assert again.get("to") == invite.get("to")  # RFC 3261, section 8.1.3.4
    assert again.branch != invite.branch
    assert len(near.having("call.ended")) == 1


def test_of_several_places_the_best_is_tried_first(tmp_path):
    best = Sipp(tmp_path, "refuses", changes={"404 Not Found": "486 Busy Here"}).ready()
    last = Sipp(tmp_path, "answers-and-is-hung-up-on").ready()
    _, near = we_call(
        tmp_path, "redirects-to-a-choice", keys={"last": last.uri(), "best": best.uri()}
    )
    assert near.event("call.redirected")["targets"] == [best.uri(), last.uri()]
    assert best.exit() == 0
    assert last.exit() == 0
    assert best.messages("received")[0].arrival <= last.messages("received")[0].arrival


def test_a_place_that_was_tried_is_not_tried_again(tmp_path):
    far, near = we_call(tmp_path, "redirects-to-itself", code=4)
    assert far.received("INVITE ") == 1
    assert near.ended()["code"] == 302


def test_a_redirection_to_nowhere_is_a_refusal(tmp_path):
    _, near = we_call(tmp_path, "redirects-nowhere", code=4)
    assert near.ended()["code"] == 302 and not near.having("call.redirected")


def test_redirections_have_a_limit(tmp_path):
    far = Sipp(tmp_path, "redirects-for-ever").ready()
    near = caller(far.uri())
    assert near.exit(10) == 4
    assert far.received("INVITE ") == 1 + 5  # redirections are followed
    assert far.received("INVITE ") == far.received("ACK ")
