"""Commands on events: what they are told, by whom they cannot be misused, and that nobody waits for
them but at the end."""

import json
import os

import pytest

from phone import Peer, answerer, caller, text_caller


@pytest.fixture
def hooks(tmp_path):
    """hooks(on_event="..."): the arguments that have sipcall run these."""

    def write(**commands):
        path = tmp_path / "hooks.conf"
        path.write_text("[sipcall]\n" + "".join(f"{k} = {v}\n" for k, v in commands.items()))
        return ["-c", path]

    return write


def test_each_event_is_told_as_in_json(hooks, tmp_path):
    dump = f"{{ env -0 | grep -z ^SIPCALL_; printf '\\n'; }} > {tmp_path}/told.$$"
    bob = answerer("-n", "1", *hooks(on_event=dump, on_call_ended="echo ended $SIPCALL_CAUSE >&2"))
    alice = caller(bob.uri(), "-d", "0.1")
    assert alice.exit() == 0
    assert bob.exit() == 0
    assert "ended remote" in bob.err.lines

    told = {}
    for path in tmp_path.glob("told.*"):
        pairs = path.read_bytes().decode().strip("\n\0").split("\0")
        one = dict(pair.split("=", 1) for pair in pairs)
        told[one.pop("SIPCALL_EVENT"), one.pop("SIPCALL_TS")] = one
    for event in bob.events:
        one = told.pop((event.pop("event"), event.pop("ts")))
        for name, value in event.items():
            text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
            assert one.pop(f"SIPCALL_{name.upper()}") == text
        assert one == {}
    assert told == {}


def test_what_the_far_end_sends_is_no_command(hooks, tmp_path):
    evil = f"$(touch {tmp_path}/a) `touch {tmp_path}/b` ; touch {tmp_path}/c"
    peer = Peer()
    shows = "printf '<%s>\\n' \"$SIPCALL_REASON\""
    phone = caller(peer.uri(), *hooks(on_call_ended=shows))
    invite = peer.expect("INVITE")
    peer.respond(invite, 486, reason=evil + " \x1b[31m")
    assert phone.exit() == 5
    assert f"<{evil} \\x1b[31m>" in phone.err.lines
    assert not [name for name in "abc" if (tmp_path / name).exists()]


def test_one_that_hangs_delays_no_call_and_is_waited_for_at_the_end(hooks, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    bob = answerer("-n", "1", *hooks(on_call_incoming=f"read x < {gate}; echo $x through >&2"))
    alice = caller(bob.uri(), "-d", "0.1")
    assert alice.exit() == 0
    bob.ended()
    assert bob.popen.poll() is None
    gate.write_text("let\n")
    assert bob.exit(1.5) == 0
    assert bob.err.lines == ["let through"]


def test_one_that_fails_changes_nothing(hooks):
    phone = text_caller("sip:x@127.0.0.1:9", *hooks(on_event="exit 7"))
    assert phone.exit() == 3
    assert phone.err.bytes == b""
