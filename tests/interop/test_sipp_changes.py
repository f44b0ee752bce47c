"""Sessions that change while the call lasts: hold, new addresses, offers that come late, glare; and
sound before the answer."""

import re

import pytest

import speech
from phone import SPEECH, Media, Process
from sipp_end import they_call, we_call


def versions(sipp):
    """The o= lines of our descriptions, in the order in which they came."""
    found = []
    for message in sipp.messages("received"):
        if message.kind in (200, "ACK", "INVITE") and message.body:
            line = re.search(rb"^o=\S+ (\d+) (\d+) ", message.body, re.MULTILINE)
            found.append((int(line[1]), int(line[2])))
    return found


def directions(phone):
    return [
        (event["event"], event["by"])
        for event in phone.events
        if event["event"] in ("call.held", "call.resumed")
    ]


HELD = [("call.held", "remote"), ("call.resumed", "remote")]


@pytest.mark.parametrize(
    "scenario",
    ["holds-with-sendonly", "holds-with-inactive", "holds-with-a-zero-address", "holds-by-update"],
)
def test_the_caller_holds_and_resumes(scenario, tmp_path):
    near, far = they_call(tmp_path, scenario)
    assert directions(far) == HELD
    numbers = versions(near)
    assert len(numbers) == 3 and len({name for name, _ in numbers}) == 1
    first = numbers[0][1]
    assert [version - first for _, version in numbers] in ([0, 1, 2], [0, 0, 0])
    if scenario != "holds-with-a-zero-address":  # there nothing of ours has changed
        assert [version - first for _, version in numbers] == [0, 1, 2]
    assert far.ended()["cause"] == "remote"


def test_the_called_end_holds_and_resumes(tmp_path):
    far, near = we_call(tmp_path, "is-called-and-holds", phone=())
    assert directions(near) == HELD
    numbers = [version for _, version in versions(far)]
    assert [number - numbers[0] for number in numbers] == [0, 1, 2]


def test_nothing_is_sent_while_held(tmp_path):
    """Of a call that is held for 200 ms and goes on for 200 ms less than all could be sent."""
    _, far = they_call(tmp_path, "holds-with-sendonly")
    ended = far.ended()
    assert ended["sent"] < 50 * ended["duration_s"] - 5


def test_sound_moves_with_the_session(tmp_path):
    media = Media()
    near, far = they_call(tmp_path, "moves-its-sound", keys={"rtp": media.port})
    packets = media.packets
    assert 15 <= len(packets) <= 25
    assert len({packet.ssrc for packet in packets}) == 1
    numbers = [packet.seq for packet in packets]
    assert all((b - a) & 0xFFFF == 1 for a, b in zip(numbers, numbers[1:]))
    assert far.having("call.media")[-1]["address"] == f"127.0.0.1:{media.port}"
    assert not directions(far)


def test_a_change_that_changes_nothing_has_no_new_version(tmp_path):
    near, far = they_call(tmp_path, "changes-nothing")
    assert len(set(versions(near))) == 1 and len(versions(near)) == 3
    bodies = {ok.body for ok in near.messages("received", 200) if ok.body}
    assert len(bodies) == 1
    assert not directions(far)


def test_a_change_that_we_cannot_do_leaves_the_session_as_it_was(tmp_path):
    near, far = they_call(tmp_path, "changes-to-what-we-lack")
    ended = far.ended()
    assert ended["cause"] == "remote" and ended["code"] == 200
    assert ended["sent"] >= 8


def test_the_200_to_a_change_comes_again_until_its_ack(tmp_path):
    near, far = they_call(tmp_path, "changes-and-acknowledges-late", "-nr")
    first, again = (ok for ok in near.messages("received", 200) if ok.cseq == (2, "INVITE"))
    assert first.bytes == again.bytes
    assert directions(far) == HELD[:1]


def test_sound_that_never_comes_ends_the_call(tmp_path):
    _, near = we_call(
        tmp_path, "answers-and-is-hung-up-on", phone=("--media-timeout", "0.5"), code=8
    )
    assert near.ended()["cause"] == "media" and near.ended()["answered"]


def test_an_offer_is_made_in_the_call(tmp_path):
    _, far = they_call(tmp_path, "asks-for-an-offer-in-the-call")
    assert directions(far)[:1] == HELD[:1]


def test_an_offer_is_made_in_the_200(tmp_path):
    _, far = they_call(tmp_path, "calls-without-an-offer")
    assert far.event("call.media")["codec"] == "pcmu"
    assert far.ended()["sent"] >= 15


def test_an_offer_that_is_not_answered_ends_the_call(tmp_path):
    _, far = they_call(tmp_path, "calls-without-an-offer-and-answers-nothing")
    assert far.ended()["cause"] == "media"


def test_a_late_offer_of_ours_is_answered_in_the_ack(tmp_path):
    _, near = we_call(
        tmp_path, "is-called-without-an-offer", phone=("--late-offer", "-d", "0.3")
    )
    assert near.event("call.media")["codec"] == "pcmu"
    assert near.ended()["sent"] >= 10


def test_a_late_offer_that_never_comes_ends_the_call(tmp_path):
    _, near = we_call(
        tmp_path, "answers-without-an-offer", phone=("--late-offer", "-d", "0.3"), code=8
    )
    assert near.ended()["cause"] == "media"


@pytest.mark.parametrize("scenario", ["rings-and-asks-for-changes", "asks-from-another-fork"])
def test_a_called_end_that_rings_may_ask(scenario, tmp_path):
    _, near = we_call(tmp_path, scenario)
    assert not directions(near)
    assert near.having("call.answered") and near.ended()["cause"] == "local"


def test_an_offer_before_the_answer_is_told_to_wait(tmp_path):
    near, far = they_call(tmp_path, "updates-before-the-answer", answer="--answer=0.4")
    later = int(re.match(r"\d+", near.messages("received", 500)[0].get("retry-after"))[0])
    assert 0 <= later <= 10  # RFC 3311, section 5.2
    assert not directions(far)


@pytest.mark.parametrize("scenario", ["updates-across-our-offer", "changes-twice-at-once"])
def test_an_offer_against_ours_is_491(scenario, tmp_path):
    _, far = they_call(tmp_path, scenario)
    assert far.ended()["cause"] == "remote" and far.ended()["code"] == 200


SPOKEN_S = 2


@pytest.fixture
def spoken(tmp_path):
    """The beginning of the speech, as a WAV file and, in the folder of SIPp, as PCMU."""
    whole, raw = tmp_path / "spoken.wav", tmp_path / "spoken.ul"
    for path, form in (whole, ()), (raw, ("-t", "ul", "-r", "8000")):
        sox = Process(["sox", SPEECH, *form, path, "trim", "0", SPOKEN_S])
        assert sox.exit() == 0, sox.report()
    return whole


@pytest.mark.parametrize(
    "scenario, code", [("rings-with-sound", 0), ("rings-with-sound-and-refuses", 4)]
)
def test_sound_before_the_answer_is_heard(scenario, code, tmp_path, spoken):
    heard = tmp_path / "heard.wav"
    _, near = we_call(tmp_path, scenario, code=code, speaker=f"file:{heard}")
    assert near.event("call.progress")["code"] == 183
    assert len(near.having("call.answered")) == (code == 0)
    assert speech.compare(spoken, heard, "pcmu").figure >= speech.NEEDED["pcmu"]
    assert near.ended()["received"] >= 50 * SPOKEN_S - 5
