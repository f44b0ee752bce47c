"""Each exit code of the table, as a person, a program and whoever gives commands come by it."""

import signal

import pytest

from phone import Media, Peer, Phone, caller, closed_port, text_caller
from test_man import codes_of_program


def by_command(target, *args):
    return Phone("-i", "silence", "-o", "null", *args, "-e", f"call {target}")


WAYS = {"text": text_caller, "json": caller, "command": by_command}


def answered(start):
    peer, media = Peer(), Media()
    near = start(peer.uri(), "-d", "0.05")
    peer.answer(peer.expect("INVITE"), media.port)
    peer.respond(peer.expect("BYE"), 200)
    return near


def nonsense(start):
    return start("sip:x@")


def nobody(start):
    return start(f"sip:x@127.0.0.1:{closed_port()}")


def refused(code):
    def scene(start):
        peer = Peer()
        near = start(peer.uri())
        peer.respond(peer.expect("INVITE"), code, reason="No")
        peer.expect("ACK")
        return near

    return scene


def no_such_file(start):
    return start("sip:x@127.0.0.1:9", "--record", "/dev/null/x.wav")


def ended_by(number):
    def scene(start):
        peer = Peer()
        near = start(peer.uri())
        invite = peer.expect("INVITE")
        peer.respond(invite, 180)
        near.line("ringing")
        near.signal(number)
        peer.respond(peer.expect("CANCEL"), 200)
        peer.respond(invite, 487)
        return near

    return scene


# How each code comes about, the cause in call.ended, and the word before the last line of text; both
# None where no call was made.
SCENES = {
    0: (answered, "local", "ended"),
    2: (nonsense, None, None),
    3: (nobody, "unreachable", "failed"),
    4: (refused(404), "rejected", "failed"),
    5: (refused(486), "rejected", "busy"),
    6: (refused(480), "rejected", "failed"),
    7: (refused(407), "rejected", "failed"),
    8: (refused(488), "rejected", "failed"),
    9: (no_such_file, None, None),
    128 + signal.SIGHUP: (ended_by(signal.SIGHUP), "local", "cancelled"),
    128 + signal.SIGINT: (ended_by(signal.SIGINT), "local", "cancelled"),
    128 + signal.SIGTERM: (ended_by(signal.SIGTERM), "local", "cancelled"),
}


def test_each_code_has_its_scene():
    codes = list(codes_of_program())
    codes.remove(1)  # which only who expects something comes by: test_script.py
    assert list(SCENES) == codes


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", SCENES)
def test_the_exit_code_tells_what_happened(code, way):
    scene, cause, word = SCENES[code]
    near = scene(WAYS[way])
    assert near.exit() == code
    if way == "text":
        assert (near.out.lines or [""])[-1].split()[:1] == ([word] if word else [])
        assert near.err.text.startswith("sipcall: ") == (word is None)
    else:
        assert [event["cause"] for event in near.having("call.ended")] == ([cause] if cause else [])
    for done in near.having("command.done") if way == "command" else []:
        assert done["code"] == (code if code < 128 else 6)  # a signal ends the call, no more
