"""The JSON lines, field by field: names and types that scripts rely on."""

import json
import re
import signal
from datetime import datetime, timezone

import pytest

from phone import Media, Peer, answerer, caller, closed_port

NUMBER = (int, float)
TEXT_OR_NULL = (str, type(None))
NUMBER_OR_NULL = (int, float, type(None))

ENVELOPE = {"v": int, "ts": str, "event": str, "phone": TEXT_OR_NULL, "account": TEXT_OR_NULL}
CALL = {"call": int, "call_id": str, "peer": str}
STATS = {
    "sent": int, "received": int, "lost": int, "late": int, "jitter_ms": NUMBER,
    "rtt_ms": NUMBER_OR_NULL, "buffer_ms": NUMBER, "concealed_pct": NUMBER, "mos": NUMBER_OR_NULL,
}  # fmt: skip
FIELDS = {
    "listening": {"transport": str, "address": str, "port": int},
    "call.outgoing": {**CALL, "call_id": TEXT_OR_NULL},
    "call.incoming": CALL,
    "call.ringing": CALL,
    "call.progress": CALL,
    "call.answered": CALL,
    "call.media": {
        **CALL, "codec": str, "payload_type": int, "address": str, "srtp": TEXT_OR_NULL,
        "received": TEXT_OR_NULL,
    },
    "call.muted": {**CALL, "muted": bool},
    "call.played": {**CALL, "source": str, "complete": bool, "words": TEXT_OR_NULL},
    "call.recording": {**CALL, "path": str, "on": bool, "words": TEXT_OR_NULL},
    "call.stats": {**CALL, **STATS},
    "call.ended": {
        **CALL, "cause": str, "code": int, "reason": str, "duration_s": NUMBER,
    },
    "notice": {"words": str},
    "error": {},
    "command.done": {"command": str, "ok": bool, "code": int, "words": TEXT_OR_NULL, "output": list},
}  # fmt: skip
CAUSES = {"local", "remote", "rejected", "timeout", "unreachable", "media", "error"}


def check(event):
    """One object against the tables."""
    assert event["event"] in FIELDS
    for name, kind in {**ENVELOPE, **FIELDS[event["event"]]}.items():
        assert name in event, (name, event)
        assert isinstance(event[name], kind) and not isinstance(event[name], bool), (name, event)
    assert event["v"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["ts"])
    if event["event"] == "call.ended":
        assert event["cause"] in CAUSES
        assert event["duration_s"] >= 0
        assert event["code"] == 0 or 100 <= event["code"] <= 699
    if "call" in event and event["call"] is not None:
        assert event["call"] >= 1


def checked(phone):
    """The names of all events of a phone that has ended, each checked."""
    assert phone.out.bytes.endswith(b"\n")
    assert b"\x1b" not in phone.out.bytes
    events = phone.events
    for event in events:
        check(event)
    stamps = [event["ts"] for event in events]
    assert stamps == sorted(stamps)
    return [event["event"] for event in events]


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
    check(progress)
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
