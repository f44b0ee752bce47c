"""What is seen on a terminal only: the live line and colour, and what never is: the far end's
escapes."""

import re
import signal
import termios

import pytest

from phone import HERE, SIPCALL, Media, Peer, Terminal, answerer, environment, sdp

SOUND = ["-i", "silence", "-o", "null"]
ESCAPE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
# From ECMA-48: what clears, moves, sets a title, rings. Shown text must hold none of it as bytes.
HOSTILE = "\x1b]0;owned\x07\x1b[35mEvil\x1b[2J\u009b2J\u202egnp"


def plain(screen):
    return ESCAPE.sub(b"", screen).decode("utf-8")


def call(far, *args, **how):
    return Terminal([SIPCALL, *SOUND, *args, far.uri()], **how)


def test_the_live_line_is_redrawn_in_place_and_leaves_no_trace():
    far = answerer("-n", "1", mic="tone:400")
    near = call(far, "-d", "2.5", "--codecs", "pcmu")
    near.shows("0:01")
    near.shows("0:02")
    assert (near.exit(), far.exit()) == (0, 0)
    live = [part for part in re.split(r"[\r\n]", plain(near.screen.bytes)) if "mos" in part]
    assert len([part for part in live if part.startswith("   0:0")]) >= 2
    assert all("loss 0.0 %" in part and "buffer" in part for part in live if "0:0" in part[:9])
    # What is left is what a pipe would have got.
    last = plain(near.screen.bytes).rstrip("\r\n").split("\n")[-1]
    assert last.split("\r")[-1].startswith("ended     ")


def test_the_live_line_never_wraps():
    far = answerer("-n", "1", mic="tone:400")
    near = call(far, "-d", "1.5", columns=50)
    assert (near.exit(), far.exit()) == (0, 0)
    live = [part for part in re.split(r"[\r\n]", plain(near.screen.bytes)) if "0:01" in part[:9]]
    assert live and max(map(len, live)) < 51


def test_columns_of_the_live_line_stand_still():
    far = answerer("-n", "1", mic="tone:400")
    near = call(far, "-d", "2.5")
    assert (near.exit(), far.exit()) == (0, 0)
    live = [part for part in re.split(r"[\r\n]", plain(near.screen.bytes)) if "loss" in part]
    live = [part for part in live if part.startswith("   0:0")]
    assert live and len({part.index("loss") for part in live}) == 1


@pytest.mark.parametrize(
    "args, env", [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})]
)
def test_colour_can_be_had_without(args, env):
    far = answerer("-n", "1")
    near = call(far, "-d", "1", *args, env=environment(**env))
    assert (near.exit(), far.exit()) == (0, 0)
    assert not COLOUR.search(near.screen.bytes)
    assert "ended" in plain(near.screen.bytes)


def test_colour_carries_no_meaning_alone():
    """Without its escapes the text on a terminal is the text on a pipe."""
    far = answerer("--answer-code", "486", "-n", "1")
    near = call(far)
    assert near.exit() == 5
    assert re.search(r"^busy      486 Busy Here\r?$", plain(near.screen.bytes), re.MULTILINE)


def test_a_dumb_terminal_gets_no_escapes():
    far = answerer("-n", "1")
    near = call(far, "-d", "1", env=environment(TERM="dumb"))
    assert (near.exit(), far.exit()) == (0, 0)
    assert b"\x1b" not in near.screen.bytes


def test_json_on_a_terminal_is_json_and_nothing_else():
    far = answerer("-n", "1")
    near = call(far, "-d", "1", "--json")
    assert (near.exit(), far.exit()) == (0, 0)
    assert b"\x1b" not in near.screen.bytes
    assert all(line.startswith(b"{") for line in near.screen.bytes.splitlines())


def test_ctrl_c_typed_while_it_rings_cancels():
    peer = Peer()
    near = Terminal([SIPCALL, *SOUND, peer.uri()])
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    near.shows("ringing")
    near.type(b"\x03")
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    assert near.exit() == 130


def test_ctrl_c_typed_in_a_call_hangs_up():
    far = answerer("-n", "1")
    near = call(far)
    near.shows("0:01")
    near.type(b"\x03")
    assert (near.exit(), far.exit()) == (0, 0)
    assert "ended" in plain(near.screen.bytes)


def test_the_terminal_is_left_as_it_was_found():
    far = answerer("-n", "1")
    near = call(far, "-d", "1")
    before = termios.tcgetattr(near.keys)
    assert (near.exit(), far.exit()) == (0, 0)
    assert termios.tcgetattr(near.keys) == before
    # A hidden cursor is shown again.
    assert near.screen.bytes.count(b"\x1b[?25l") <= near.screen.bytes.count(b"\x1b[?25h")
    assert near.screen.bytes.endswith(b"\n")


def test_a_stopped_terminal_does_not_disturb_the_call():
    """Ctrl-S: nothing is read on the terminal's side any more, and the call goes on."""
    peer, media = Peer(), Media()
    near = Terminal([SIPCALL, *SOUND, "-d", "1.5", "--codecs", "pcmu", peer.uri()])
    invite = peer.expect("INVITE")
    near.shows("calling")
    near.type(b"\x13")
    peer.answer(invite, media.port)
    bye = peer.expect("BYE")
    peer.respond(bye, 200)
    assert 70 <= len(media.packets) <= 80
    near.type(b"\x11")
    assert near.exit() == 0


def test_who_waits_for_the_end_is_told_how_to_leave():
    peer, media = Peer(), Media()
    near = Terminal([SIPCALL, *SOUND, peer.uri()])
    peer.answer(peer.expect("INVITE"), media.port)
    near.shows("0:01")
    near.type(b"\x03")
    bye = peer.expect("BYE")
    near.shows("hanging up; Ctrl-C again leaves at once")
    peer.respond(bye, 200)
    assert near.exit() == 0


def test_ctrl_c_leaves_the_prompt_a_line_of_its_own():
    far = Terminal([SIPCALL, "--answer", "-l", HERE, *SOUND])
    far.shows("listening")
    far.type(b"\x03")
    assert far.exit() == 0
    assert far.screen.bytes.endswith(b"\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_told_twice_is_one(number):
    """timeout(1) tells the program and then its group."""
    far = answerer("-n", "1")
    near = call(far)
    near.shows("0:01")
    near.process.signal(number)
    near.process.signal(number)
    assert near.exit() == 128 + number
    assert far.exit() == 0
    assert "left without" not in plain(near.screen.bytes)
    assert "ended" in plain(near.screen.bytes)


def test_a_terminal_that_becomes_narrower_keeps_no_old_piece():
    far = answerer("-n", "1")
    near = call(far, "-d", "2.5")
    near.shows("0:01")
    near.resize(24, 40)
    near.shows(re.escape("\x1b[1A\r\x1b[J"))
    assert (near.exit(), far.exit()) == (0, 0)


def test_keys_of_a_call_do_not_reach_the_shell():
    far = answerer("-n", "1")
    near = Terminal(["sh", "-c", '"$@"; stty -icanon min 0 time 0; echo "left[$(cat)]"', "-",
                     SIPCALL, *SOUND, "-d", "1.5", far.uri()])  # fmt: skip
    near.shows("0:01")
    near.type(b"rm\n")
    near.shows(r"left\[\]")
    assert (near.exit(), far.exit()) == (0, 0)


def test_a_hang_up_of_the_terminal_ends_the_call():
    peer, media = Peer(), Media()
    near = Terminal([SIPCALL, *SOUND, peer.uri()])
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    media.wait(5)
    near.process.signal(signal.SIGHUP)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 128 + signal.SIGHUP


def harmless(shown):
    """No byte of HOSTILE but those that can be seen."""
    left = ESCAPE.sub(b"", shown)  # the program's own are none of these
    for bad in (b"\x07", b"\x1b", "\u009b".encode(), "\u202e".encode()):
        assert bad not in left
    assert b"\x1b[35m" not in shown and b"\x1b]0;" not in shown and b"\x1b[2J" not in shown


@pytest.mark.parametrize("where", ["display", "user", "subject"])
def test_what_a_caller_says_cannot_steer_the_terminal(where):
    far = Terminal([SIPCALL, "--answer=30", "-l", HERE, *SOUND, "-v", "-v", "--trace"])
    port = int(far.shows(r"udp 127\.0\.0\.1:(\d+)")[1])
    peer = Peer()
    senders = {
        "display": f'"{HOSTILE}" <sip:evil@127.0.0.1>;tag=1',
        "user": f"<sip:{HOSTILE.replace(';', '').replace(' ', '')}@127.0.0.1>;tag=1",
        "subject": '"Mallory" <sip:evil@127.0.0.1>;tag=1',
    }
    more = [f"Subject: {HOSTILE}"] if where == "subject" else []
    peer.request(
        "INVITE", ("127.0.0.1", port), "sip:x@127.0.0.1", *more, body=sdp(4000),
        **{"from": senders[where]},
    )  # fmt: skip
    answer = peer.receive()  # broken or not, it is answered
    assert answer.kind in (100, 180, 400)
    far.process.signal(signal.SIGINT)
    far.exit()
    harmless(far.screen.bytes)
    assert b"\\x1b" in far.screen.bytes  # shown, so that nobody wonders


def test_what_the_called_says_cannot_steer_the_terminal():
    peer = Peer()
    near = Terminal([SIPCALL, *SOUND, "-v", "-v", "--trace", peer.uri()])
    invite = peer.expect("INVITE")
    peer.respond(invite, 180, reason=HOSTILE)
    peer.respond(invite, 486, reason=HOSTILE)
    peer.expect("ACK")
    assert near.exit() == 5
    harmless(near.screen.bytes)
    assert b"busy" in near.screen.bytes and b"\\x1b" in near.screen.bytes


def test_what_the_called_offers_cannot_steer_the_terminal():
    peer = Peer()
    near = Terminal([SIPCALL, *SOUND, "-v", "-v", "--trace", peer.uri()])
    invite = peer.expect("INVITE")
    body = sdp(4000, more=f"a=rtpmap:99 {HOSTILE}/8000\r\n").replace(b"AVP 0", b"AVP 99")
    peer.respond(invite, 200, peer.contact(), body=body)
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 8
    harmless(near.screen.bytes)
