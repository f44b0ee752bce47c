"""The JSON lines that scripts rely on: which come, and when. Each line that any test reads is checked
against the schema (schema.py)."""

import json
import signal
from datetime import datetime, timezone

import pytest

from phone import Media, Peer, answerer, caller, closed_port

NUMBER = (int, float)


def checked(phone):
    """The names of all events of a phone that has ended."""
    assert phone.out.bytes.endswith(b"\n")
    assert b"\x1b" not in phone.out.bytes
    stamps = [event["ts"] for event in phone.events]
    assert stamps == sorted(stamps)
    return [event["event"] for event in phone.events]


def test_a_call_that_is_answered():
    far = answerer("-n", "1", answer="--answer=0.2")
    near = caller(far.uri("bob"), "-d", "0.5")
    assert (near.exit(), far.exit()) == (0, 0)
    names = checked(near)
    assert [name for name in names if name != "listening"] == [
        "call.outgoing", "call.ringing", "call.answered", "call.media", "call.stats", "call.ended",
    ]  # fmt: skip
    names = checked(far)
    assert [name for name in names if name != "call.ringing"] == [
        "listening", "call.incoming", "call.answered", "call.media", "call.stats", "call.ended",
    ]  # fmt: skip
    outgoing, incoming = near.event("call.outgoing"), far.event("call.incoming")
    assert near.ended()["call_id"] == incoming["call_id"] != ""
    assert outgoing["peer"] == f"sip:bob@127.0.0.1:{far.port()}"
    assert incoming["peer"].startswith("sip:tester@127.0.0.1")
    for phone in near, far:
        ended = phone.ended()
        assert ended["code"] == 200
        assert {event["call_id"] for event in phone.events if "call_id" in event} - {None} == {
            incoming["call_id"]
        }
        for name in ("sent", "received", "lost", "mos"):
            assert isinstance(ended[name], NUMBER)


def test_the_time_is_now():
    before = datetime.now(timezone.utc)
    near = caller(f"sip:x@127.0.0.1:{closed_port()}")
    near.exit()
    after = datetime.now(timezone.utc)
    for event in near.events:
        assert before <= datetime.fromisoformat(event["ts"].replace("Z", "+00:00")) <= after


def test_a_call_that_reaches_nobody():
    near = caller(f"sip:x@127.0.0.1:{closed_port()}")
    near.exit()
    assert [n for n in checked(near) if n != "listening"] == ["call.outgoing", "call.ended"]


@pytest.mark.parametrize("code", [486, 302, 488])
def test_a_call_that_is_refused(code):
    far = answerer("--answer-code", str(code), "-n", "1")
    near = caller(far.uri())
    near.exit(), far.exit()
    assert checked(near)[-1] == checked(far)[-1] == "call.ended"
    assert near.ended()["duration_s"] == 0


def test_a_call_that_is_cancelled():
    far = answerer("-n", "1", answer="--answer=30")
    near = caller(far.uri())
    near.event("call.ringing")
    near.signal(signal.SIGINT)
    near.exit(), far.exit()
    assert checked(near)[-1] == checked(far)[-1] == "call.ended"
    assert "call.answered" not in checked(near) + checked(far)


def test_early_media_is_progress():
    peer, media = Peer(), Media()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    peer.respond(invite, 183)
    progress = near.event("call.progress")
    assert progress["code"] == 183
    peer.respond(invite, 404)
    peer.expect("ACK")
    assert near.exit() == 4


def test_what_the_far_end_says_is_good_json_whatever_it_says():
    peer = Peer()
    near = caller(peer.uri())
    invite = peer.expect("INVITE")
    reason = 'No "\\" \x1b[2J \u202e \t here \udcff\udc80'
    peer.respond(invite, 404, reason=reason)
    peer.expect("ACK")
    assert near.exit() == 4
    assert b"\x1b" not in near.out.bytes
    near.out.bytes.decode("utf-8")
    assert 'No "' in near.ended()["reason"]


def test_nothing_but_json_is_on_standard_output():
    far = answerer("-n", "1", "-v", "-v", "--trace")
    near = caller(far.uri(), "-d", "0.2", "-v", "-v", "--trace")
    assert (near.exit(), far.exit()) == (0, 0)
    for phone in near, far:
        for line in phone.out.lines:
            assert isinstance(json.loads(line), dict)
        assert "INVITE sip:" in phone.err.text


def test_each_event_is_there_as_soon_as_it_happens():
    """A pipe is no reason to keep lines back."""
    peer = Peer()
    near = caller(peer.uri())
    peer.respond(peer.expect("INVITE"), 180)
    near.event("call.ringing", 2)
    assert near.popen.poll() is None
