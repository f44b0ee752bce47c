"""The prompt with a phone behind it: calls come and go while somebody types."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios

import pytest

from phone import HERE, SIPCALL, Peer, Process, Terminal, caller, environment, sdp
from screen import Screen

LIVE = re.compile(r"^ ?#?\d* +\d+:\d\d .*loss")
SOUND = ["-i", "silence", "-o", "null"]


@pytest.fixture
def env(tmp_path):
    return environment(HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path / "state"))


def prompt(env, *args, **how):
    screen = Screen([SIPCALL, "-l", HERE, *SOUND, *args], env=env, **how)
    return screen, uri_of(screen)


def uri_of(screen):
    """Where it listens, once there is a prompt."""
    port = re.compile(r"^listening udp 127\.0\.0\.1:(\d+)\n(.*\n)*>$", re.MULTILINE)
    found = screen.until(lambda rows: port.search("\n".join(rows)), "the prompt")
    return f"sip:x@127.0.0.1:{found[1]}"


def shows(screen, pattern, limit=5):
    regex = re.compile(pattern)
    return screen.until(lambda rows: any(map(regex.search, rows)), f"a row with {pattern!r}", limit)


def typed(screen, line):
    """Waits until exactly that is typed, whatever stands below."""

    def found(rows):
        rows = rows[:-1] if rows and LIVE.match(rows[-1]) else rows
        return rows and rows[-1].rstrip() == f"> {line}".rstrip()

    screen.until(found, f"typed {line!r}")


def leave(screen):
    screen.press("C-u")
    screen.type("quit")
    screen.press("Enter")
    return screen.exit()


def answered(env):
    """A prompt that has answered a call by one key, and who calls."""
    screen, uri = prompt(env)
    far = caller(uri)
    shows(screen, "^incoming ")
    screen.type("a")
    shows(screen, "^answered ")
    return screen, far


def test_a_call_comes_while_somebody_types(env):
    screen, uri = prompt(env)
    screen.type("hel")
    typed(screen, "hel")
    far = caller(uri, mic="tone:400")
    shows(screen, "^incoming ")
    typed(screen, "hel")
    screen.type("a")  # something is typed, so it is a letter
    typed(screen, "hela")
    screen.press("C-u")
    typed(screen, "")
    screen.type("a")
    far.event("call.answered")
    shows(screen, LIVE.pattern)
    screen.type("half")
    typed(screen, "half")
    shows(screen, "0:01")
    typed(screen, "half")
    screen.press("C-c")
    typed(screen, "")
    screen.press("C-c")
    shows(screen, "^sipcall: hangup ends the call")
    screen.type("hangup")
    screen.press("Enter")
    assert far.exit() == 0
    shows(screen, "^ended ")
    typed(screen, "")
    assert leave(screen) == 0


def test_a_call_that_failed_is_not_how_a_prompt_ends(env):
    screen, _ = prompt(env)
    screen.type("call 127.0.0.1:9")
    screen.press("Enter")
    shows(screen, "^failed ")
    assert leave(screen) == 0


def test_one_key_refuses(env):
    screen, uri = prompt(env)
    far = caller(uri)
    shows(screen, "^incoming ")
    screen.type("r")
    assert far.ended()["code"] == 486
    assert far.exit() == 5
    assert leave(screen) == 0


def test_digits_are_kept_with_their_call_and_said_not_to_be_sent(env):
    screen, far = answered(env)
    screen.type("dial")
    screen.press("Enter")
    shows(screen, "^digits are kept with call 1, and not sent: ")
    shows(screen, "^dial>$")
    screen.type("1x2#b")
    shows(screen, "^dial> 12#B$")
    screen.press("Enter")
    typed(screen, "")
    screen.type("calls")
    screen.press("Enter")
    shows(screen, r"^\*#1 .* answered .*  digits 12#B$")
    screen.type("dial")
    screen.press("Enter")
    screen.until(lambda rows: "dial>" in rows, "the prompt for digits")
    screen.type("3")
    far.signal(signal.SIGINT)  # its end ends that, too
    shows(screen, "^ended ")
    typed(screen, "")
    screen.type("dial")
    screen.press("Enter")
    shows(screen, "^sipcall: there is no call$")
    assert leave(screen) == 0


def test_more_digits_than_are_kept(env):
    screen, far = answered(env)
    screen.type("dial")
    screen.press("Enter")
    shows(screen, "^dial>$")
    screen.type("0123456789" * 3 + "015")
    shows(screen, "^note      #1 this call has as many digits as are kept$")
    typed(screen, "")
    screen.type("calls")
    screen.press("Enter")
    digits = "0123456789" * 3 + "01"
    screen.until(lambda rows: f"digits {digits}" in "".join(rows), "the digits that were kept")
    assert leave(screen) == 0


def test_a_narrow_screen_in_a_call(env):
    screen, uri = prompt(env)
    far = caller(uri, mic="tone:400")
    shows(screen, "^incoming ")
    screen.type("a")
    shows(screen, LIVE.pattern + ".*opus$")  # which has room
    screen.type("message carol@example.org and some words")
    screen.resize(40)
    screen.until(lambda rows: LIVE.match(rows[-1]) and "opus" not in rows[-1], "a shorter one")
    joined = "> message carol@example.org and some words"
    assert [row for row in screen.rows() if row][-3:-1] == [joined[:39].rstrip(), joined[39:]]
    screen.resize(100)
    shows(screen, LIVE.pattern + ".*opus$")
    typed(screen, "message carol@example.org and some words")
    assert leave(screen) == 0
    assert far.exit() == 0


def test_stopped_and_fetched_back_in_a_call(env):
    # a shell that has jobs; PS1 is not inherited by all
    screen = Screen(["env", "PS1=$ ", "bash", "--norc", "--noprofile", "-i"], env=env)
    screen.shows("$")
    screen.type(f"{SIPCALL} -l {HERE} -i silence -o null")
    screen.press("Enter")
    far = caller(uri_of(screen), mic="tone:400")
    shows(screen, "^incoming ")
    screen.type("a")
    shows(screen, LIVE.pattern)
    screen.type("half")
    typed(screen, "half")
    screen.press("C-z")
    screen.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    assert not any(map(LIVE.match, screen.rows()))
    screen.type("fg")
    screen.press("Enter")
    typed(screen, "half")
    shows(screen, LIVE.pattern)
    screen.press("C-u", "C-d")
    screen.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    assert far.exit() == 0


def test_the_call_that_talks_has_the_line(env):
    screen, uri = prompt(env)
    one = caller(uri, mic="tone:400")
    shows(screen, "^incoming ")
    screen.type("a")
    shows(screen, "^#1 .*loss")
    two = caller(uri, mic="tone:400")
    shows(screen, "^incoming +#2")
    screen.type("a")
    shows(screen, "^#2 .*loss")
    screen.type("hangup \t\t")
    shows(screen, "^#1 +#2 +all$")
    screen.type("#2")
    screen.press("Enter")
    two.ended()
    shows(screen, "^#1 .*loss")
    assert leave(screen) == 0
    assert one.exit() == 0


def test_ctrl_d_hangs_up_and_leaves(env):
    screen, uri = prompt(env)
    far = caller(uri)
    shows(screen, "^incoming ")
    screen.type("a")
    far.event("call.answered")
    screen.press("C-d")
    assert screen.exit() == 0
    assert far.ended()["cause"] == "remote"


@pytest.mark.parametrize(
    "keys, signals, code",
    [
        (b"quit\r", [], 0),
        (b"\x04", [], 0),
        (b"x", [signal.SIGTERM], 143),
        (b"x", [signal.SIGHUP], 129),
        (b"x", [signal.SIGTERM, signal.SIGINT], 130),  # the second waits for nobody
    ],
    ids=["quit", "ctrl-d", "term", "hup", "twice"],
)
def test_the_terminal_is_left_as_it_was_found(env, keys, signals, code):
    near = Terminal([SIPCALL, "-l", HERE, *SOUND], env=env)
    peer = Peer()
    to = "127.0.0.1", int(near.shows(r"udp 127\.0\.0\.1:(\d+)")[1])
    near.shows("> ")
    assert not termios.tcgetattr(near.keys)[3] & (termios.ICANON | termios.ECHO)
    invite = peer.request("INVITE", to, body=sdp(4000))
    near.shows("a answers")
    near.type(keys)
    near.shows("> [x\x1b]")
    for number in signals[:1]:
        near.process.signal(number)
    refused = peer.expect(480)
    for number in signals[1:]:
        near.process.signal(number)
    if not signals[1:]:
        peer.ack(invite, refused, to)
    assert near.exit() == code
    settings = termios.tcgetattr(near.keys)[3]
    assert settings & termios.ICANON and settings & termios.ECHO
    assert near.screen.bytes.rindex(b"\x1b[?2004l") > near.screen.bytes.rindex(b"\x1b[?2004h")


@pytest.mark.parametrize("controls", [True, False])
def test_a_terminal_that_goes_away_hangs_up(env, controls):
    """The system tells so, or only that nothing can be read any more; what is half typed is no
    command."""
    master, slave = pty.openpty()
    phone = Process(
        [SIPCALL, "-l", HERE, *SOUND], stdin=slave, stdout=slave, stderr=slave, env=env,
        start_new_session=True,
        preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controls else None,
    )  # fmt: skip
    os.close(slave)
    shown = read_until(master, rb"127\.0\.0\.1:(\d+)")
    far = caller(f"sip:x@127.0.0.1:{int(shown[1])}")
    read_until(master, rb"a answers")
    os.write(master, b"a")
    far.event("call.answered")
    os.write(master, b"call me")
    os.close(master)
    assert phone.exit() == 129
    assert far.ended()["cause"] == "remote"
    assert far.exit() == 0


def test_a_stopped_terminal_keeps_nobody(env):
    near = Terminal([SIPCALL, "-l", HERE, *SOUND], env=env)
    near.shows("listening")
    near.type(b"half")
    near.shows("> half")
    near.type(b"\x13")  # Ctrl-S
    near.process.signal(signal.SIGTERM)
    assert near.exit() == 143
    assert termios.tcgetattr(near.keys)[3] & termios.ICANON


def read_until(fd, pattern):
    """What was read from fd, once it has pattern: the match."""
    shown = b""
    while not re.search(pattern, shown):
        shown += os.read(fd, 4096)  # a test has its limit
    return re.search(pattern, shown)


def test_commands_from_a_pipe_have_no_prompt(env):
    phone = Process([SIPCALL, "-l", HERE, *SOUND], stdin=subprocess.PIPE, env=env)
    phone.popen.stdin.write(b"calls\r\nno-such-command\nhelp mute\n")
    phone.popen.stdin.close()
    phone.exit()
    shown = phone.out.bytes + phone.err.bytes
    assert b"\x1b" not in shown and b"\r" not in shown
    assert not any(line.startswith(">") for line in phone.out.lines)
    assert b"no command \"no-such-command\"" in shown
    assert phone.out.bytes.count(b"mute") > 1


def test_ctrl_c_ends_what_is_fed_by_a_pipe(env):
    """There is no prompt at which somebody could decide what to do instead."""
    phone = Process([SIPCALL, "-l", HERE, *SOUND], stdin=subprocess.PIPE, env=env)
    phone.popen.stdin.write(b"calls\n")
    phone.popen.stdin.flush()
    phone.out.until(lambda shown: b"no calls" in shown, 5, "the first command")
    phone.signal(signal.SIGINT)
    assert phone.exit() == 130
    assert phone.err.bytes == b""


def test_names_complete(env, tmp_path):
    folder = tmp_path / ".config" / "sipcall"
    folder.mkdir(parents=True)
    (folder / "sipcall.conf").write_text("[contacts]\ncarol = sip:carol@127.0.0.1:9\n")
    screen, _ = prompt(env)
    screen.type("call ca\t")
    typed(screen, "call carol")
    assert leave(screen) == 0


def test_what_was_typed_comes_back(env, tmp_path):
    for before in ("", "quit\n"):
        screen, _ = prompt(env)
        if before:
            screen.press("Up")
            typed(screen, "quit")
        assert leave(screen) == 0
        kept = tmp_path / "state" / "sipcall" / "history"
        assert kept.read_text() == "quit\n" and kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["\x1b[2J\x1b]0;owned\x07\u202egnp\u009b2J", "long " * 2000],
                         ids=["sequences", "long"])  # fmt: skip
def test_a_hostile_caller_leaves_what_is_typed_alone(env, name):
    screen, uri = prompt(env)
    screen.type("half")
    typed(screen, "half")
    peer = Peer()
    to = "127.0.0.1", int(uri.rpartition(":")[2])
    sender = {"from": f'"{name}" <sip:evil@127.0.0.1>;tag=1'}
    invite = peer.request("INVITE", to, uri, body=sdp(4000), **sender)
    shows(screen, "^incoming |^error ")
    typed(screen, "half")
    rows = screen.rows(past=True)
    assert rows[0].startswith("sipcall ")  # nothing was cleared
    assert "\u202e" not in "".join(rows)
    screen.press("C-u")
    typed(screen, "")
    screen.type("r")
    peer.ack(invite, peer.expect(486), to)
    assert leave(screen) == 0
