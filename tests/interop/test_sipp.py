"""SIPp, as Debian has it, at the other end of the line: its built-in scenarios and a few of what
real networks do, in sipp/*.xml."""


import speech
from phone import SPEECH, answerer, caller
from sipp_end import Sipp, at


def test_its_uac_calls_us(tmp_path):
    far = answerer("-n", "5", "--codecs", "pcmu")
    near = Sipp(tmp_path, "uac", at(far), "-r", "10", "-d", "400", calls=5)
    assert near.exit(15) == 0
    assert far.exit() == 0
    ends = far.having("call.ended")
    assert len(ends) == 5
    assert {end["cause"] for end in ends} == {"remote"}
    assert all(end["sent"] >= 15 for end in ends)


def test_we_call_its_uas_and_hear_its_echo(tmp_path):
    heard = tmp_path / "heard.wav"
    far = Sipp(tmp_path, "uas", "-rtp_echo").ready()
    near = caller(
        far.uri(), "-d", "6", "--codecs", "opus,pcmu", mic=f"file:{SPEECH}", speaker=f"file:{heard}"
    )
    assert near.exit(10) == 0
    assert far.exit(10) == 0
    assert near.event("call.media")["codec"] == "pcmu"
    ended = near.ended()
    assert 295 <= ended["sent"] <= 305
    assert abs(ended["sent"] - ended["received"]) <= 2 and ended["lost"] == 0
    assert speech.compare(SPEECH, heard, "pcmu").figure >= speech.NEEDED["pcmu"]


def test_a_200_that_comes_again_is_acknowledged_again(tmp_path):
    far = Sipp(tmp_path, "repeats-its-200", "-nr").ready()
    near = caller(far.uri(), "-d", "1", "--codecs", "pcmu")
    assert near.exit() == 0
    assert far.exit() == 0
    assert far.sent("SIP/2.0 200 OK") == 3  # two to the INVITE, one to the BYE
    assert far.received("ACK ") == 2
    assert far.received("BYE ") == 1
    assert len(near.having("call.answered")) == 1


def test_a_late_ack_finds_the_call(tmp_path):
    far = answerer("-n", "1", "--codecs", "pcmu")
    near = Sipp(tmp_path, "acknowledges-late", at(far))
    assert near.exit(10) == 0
    assert far.exit() == 0
    assert near.received("SIP/2.0 200 OK") == 4  # at 0, 0.5 and 1.5 s, and one to the BYE
    assert far.ended()["cause"] == "remote"


def test_its_cancel_ends_the_ringing(tmp_path):
    far = answerer("-n", "1", answer="--answer=30")
    near = Sipp(tmp_path, "cancels-while-ringing", at(far))
    assert near.exit(10) == 0
    assert far.exit() == 0
    assert far.ended()["cause"] == "remote"
    assert not far.having("call.answered")


def test_its_busy_is_busy(tmp_path):
    far = Sipp(tmp_path, "is-busy").ready()
    near = caller(far.uri())
    assert near.exit() == 5
    assert far.exit() == 0
    assert near.ended()["code"] == 486
    assert far.received("ACK ") == 1


def test_its_hanging_up_ends_our_call(tmp_path):
    far = Sipp(tmp_path, "hangs-up-first").ready()
    near = caller(far.uri(), "--codecs", "pcmu")
    assert near.exit() == 0
    assert far.exit() == 0
    assert near.event("call.progress")["code"] == 183
    assert near.ended()["cause"] == "remote"
    assert near.ended()["sent"] >= 20


def test_twenty_calls_at_once(tmp_path):
    far = answerer("-n", "20", "--codecs", "pcmu", mic="loop")
    near = Sipp(tmp_path, "uac", at(far), "-r", "100", "-l", "20", "-d", "1000", calls=20)
    assert near.exit(15) == 0
    assert far.exit() == 0
    ends = far.having("call.ended")
    assert len(ends) == 20
    assert all(end["sent"] >= 40 for end in ends)
