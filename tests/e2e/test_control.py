"""--control and --remote: a phone that other programs use, and --daemon, which runs without us."""

import json
import os
import signal
import socket
import stat
import time

import pytest

from phone import (
    SIPCALL, Late, Media, Peer, Phone, Process, Stream, Terminal, alive, answerer, environment, run, sdp,
)  # fmt: skip
from screen import Screen

LISTEN = ("-l", "udp:127.0.0.1:0", "-i", "silence", "-o", "null")


class Client:
    """A program at the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.out = Stream(os.dup(self.socket.fileno()))
        alive.append(self)

    def send(self, *lines):
        self.socket.sendall("".join(f"{line}\n" for line in lines).encode())

    def ask(self, command, limit=5):
        """Runs a command to its end; its command.done."""
        number = len(self.events) + 1000
        self.send(json.dumps({"command": command, "id": number}))
        return self.event("command.done", limit, id=number)

    @property
    def events(self):
        whole = self.out.bytes[: self.out.bytes.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]

    def having(self, name, **fields):
        wanted = {"event": name, **fields}
        return [event for event in self.events if wanted.items() <= event.items()]

    def event(self, name, limit=5, **fields):
        what = f"event {name} {fields}"
        return self.out.until(lambda _: self.having(name, **fields), limit, what)[0]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # the phone has gone
            pass
        self.socket.close()

    def report(self):
        return "\n".join(f"  client < {line}" for line in self.out.lines)


def controlled(path, *more):
    """A phone whose calls ring, or --answer, with a socket at path."""
    phone = answerer("--control", path, *more)
    phone.event("listening")
    return phone


@pytest.fixture
def path(tmp_path):
    """Where a socket may be; what listens there in the end is told to go."""
    path = tmp_path / "phone"
    yield path
    with socket.socket(socket.AF_UNIX) as client:
        if client.connect_ex(str(path)) == 0:
            client.sendall(b"quit\n")


def test_one_commands_and_both_are_told(path):
    phone = controlled(path)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    one, two = Client(path), Client(path)
    assert two.ask("calls")["output"] == ["no calls"]
    peer, media = Peer(), Media()
    one.send(f"call {peer.uri()}", json.dumps({"command": "hangup", "id": "h\u00fc"}))
    peer.answer(peer.expect("INVITE"), media.port)
    peer.respond(peer.expect("BYE"), 200)
    one.event("command.done", id="h\u00fc", ok=True)
    for client in (one, two, phone):
        assert client.event("call.answered")["peer"] == peer.uri()
        assert client.event("call.ended")["cause"] == "local"
        assert client.event("command.done", command="hangup")["code"] == 0
    assert all("id" not in event for event in two.events if event.get("command") != "calls")
    phone.signal(signal.SIGTERM)
    assert phone.exit() == 143
    assert not path.exists()


def test_calls_of_others_are_not_what_a_call_was_started_for(path):
    """They end neither the program nor as its exit code tells."""
    peer, media = Peer(), Media()
    phone = Phone(*LISTEN, "--control", path, peer.uri())
    peer.answer(peer.expect("INVITE"), media.port)
    phone.event("call.answered")
    client = Client(path)
    assert client.ask("call 127.0.0.1:9")["code"] == 3
    assert "answered" in client.ask("calls")["output"][0]
    client.send("hangup 1")
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 0


def test_what_is_no_command(path):
    controlled(path)
    client = Client(path)
    rows = [
        (b"cal\n", 'no command "cal"; did you mean call?', 0),
        (b"stats\0\n", "a command cannot hold a NUL", None),
        (b"\xff\xfe\n", 'no command "\\xff\\xfe"; help shows them all', 0),
        (b'{"command": \n', 'this is no JSON: column 11; a line is a command, or {"command": '
            '"calls", "id": 1}', None),
        (b"call 'a b@c'\r\n", "a user cannot hold a space", 7),
        (b"x" * 20000 + b"\n", "a line has at most 16384 bytes", None),
        (b"help " + b"x" * 5000 + b"\n", "the command is too long", None),
    ]  # fmt: skip
    for nth, (line, words, at) in enumerate(rows):
        client.socket.sendall(line)
        done = client.out.until(lambda _, n=nth: client.having("command.done")[n:], 5, words)[0]
        assert (done["ok"], done["words"], done["at"]) == (False, words, at)
    assert client.ask("calls")["ok"]


def test_half_lines_and_those_without_end(path):
    controlled(path)
    client, endless, gone = Client(path), Client(path), Client(path)
    gone.socket.sendall(b'{"command": "quit", "id"')
    gone.close()
    for byte in b"cal":
        client.socket.sendall(bytes([byte]))
    endless.socket.sendall(b"a" * 10_000_000)
    assert endless.event("command.done")["ok"] is False
    client.socket.sendall(b"ls\n")
    assert client.event("command.done")["output"] == ["no calls"]
    endless.socket.sendall(b"\n")
    assert endless.ask("calls")["ok"]
    assert len(endless.having("command.done", ok=False)) == 1


def test_who_does_not_read_is_dropped(path):
    phone = controlled(path)
    deaf = socket.socket(socket.AF_UNIX)
    deaf.settimeout(5)
    deaf.connect(str(path))
    other = Client(path)
    words = "control: a client is dropped: it does not read"
    while words not in phone.err.text:
        deaf.sendall(b"help\n" * 50)
    assert other.ask("calls")["ok"]
    deaf.close()


def test_a_command_of_one_who_has_gone(path):
    controlled(path)
    client, other = Client(path), Client(path)
    peer = Peer()
    client.send(f"call {peer.uri()}")
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    other.event("call.ringing")
    client.close()
    assert other.ask("calls")["output"] != ["no calls"]
    other.send("hangup")
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    other.event("command.done", command="hangup", ok=True)


def test_commands_while_all_ends(path):
    phone = controlled(path)
    client = Client(path)
    peer, media = Peer(), Media()
    client.send(f"call {peer.uri()}", "quit", "call 127.0.0.1:1 &")  # before anything has ended
    peer.answer(peer.expect("INVITE"), media.port)
    bye = peer.expect("BYE")
    for command in (f"call {peer.uri()}", f"ping {peer.uri()}"):
        assert client.ask(command)["words"] == "the phone is being put down"
    for command in ("hold", "mute", "hangup", "answer", "record x.wav", "play tone:440"):
        client.send(f"{command} &")
    assert client.ask("calls")["ok"]
    assert client.ask("quit")["ok"]
    peer.respond(bye, 200)
    assert phone.exit() == 0  # its calls are those of its clients


def test_one_too_many(path):
    controlled(path)
    clients = [Client(path) for _ in range(16)]
    assert clients[-1].ask("calls")["ok"]
    more = Client(path)
    assert "as many clients" in more.event("error")["words"]
    more.out.thread.join(5)
    assert more.out.ended
    code, remote = run("--remote", path, "-e", "calls")
    assert code == 9
    assert remote.err.lines == [
        f"sipcall: --remote: {path}: as many clients as there can be are there already"
    ]


def test_a_socket_of_the_dead_is_replaced(path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    controlled(path)
    assert Client(path).ask("calls")["ok"]


def test_what_is_there_stays(path):
    phone = controlled(path)
    words = "another program listens at"
    assert complaint(path).startswith(f"sipcall: --control: {words} {path}")
    assert Client(path).ask("calls")["ok"]
    phone.signal(signal.SIGTERM)
    phone.exit()
    path.write_text("a file")
    assert complaint(path).startswith(f"sipcall: --control: {path} is there and is no socket")
    assert path.read_text() == "a file"
    link = path.with_name("link")
    link.symlink_to(path.with_name("nothing"))
    assert "is no socket" in complaint(link)
    assert link.is_symlink()
    assert "No such file" in complaint(path.with_name("no") / "phone")
    assert "File name too long" in complaint("/" + "x" * 120)


def complaint(path):
    code, phone = run("--answer", *LISTEN, "--control", path)
    assert code == 9 and phone.out.lines == []
    return phone.err.lines[0]


def test_another_name_is_not_taken_away(path):
    phone = controlled(path)
    path.rename(path.with_name("moved"))
    path.write_text("mine")
    phone.signal(signal.SIGTERM)
    assert phone.exit() == 143
    assert path.read_text() == "mine"


@pytest.mark.parametrize("umask", [0o000, 0o027])
def test_the_mode_is_no_matter_of_umask(path, umask):
    before = os.umask(umask)
    try:
        controlled(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600


def remote(path, *lines):
    return run("--remote", path, *(part for line in lines for part in ("-e", line)))


def test_remote_is_like_being_there(path):
    controlled(path)
    code, process = remote(path, "calls", "calls")
    assert (code, process.out.lines, process.err.lines) == (0, ["no calls"] * 2, [])
    code, process = remote(path, "calls", "stats x", "calls")
    assert (code, process.out.lines) == (2, ["no calls"])
    assert process.err.lines == [
        'sipcall: "x" is no call; "calls" shows them', "  stats x", "        ^",
    ]  # fmt: skip
    peer = Peer()
    process = Process([SIPCALL, "--remote", path, "-e", f"call {peer.uri()}", "-e", "calls"])
    peer.respond(peer.expect("INVITE"), 486)
    peer.expect("ACK")
    assert process.exit() == 5  # and no "no calls"
    assert process.out.lines == []
    assert process.err.lines == ["sipcall: 486 Busy Here"]
    process = Process([SIPCALL, "--remote", path, "-e", f"call {peer.uri()} &", "-e", "wait 500ms",
                       "-e", "hangup", "-e", "quit"])  # fmt: skip
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    assert process.exit() == 6  # the call failed, as it would with -e alone


def test_remote_with_json(path):
    controlled(path)
    other = Client(path)
    code, process = run("--remote", path, "--json", "-e", "calls", "-e", "nix")
    assert code == 2
    lines = [json.loads(line) for line in process.out.lines]
    assert [(line["command"], line["ok"]) for line in lines] == [("calls", True), ("nix", False)]
    assert process.err.lines == []
    other.event("command.done", command="nix")


def test_remote_lines(path):
    phone = controlled(path)
    process = Process([SIPCALL, "--remote", path], stdin=-1)
    process.popen.stdin.write(b"calls\n# nothing\nhangup 3\ncall 127.0.0.1:1\ncalls")
    process.popen.stdin.close()
    assert process.exit() == 2
    assert [line.split()[0] for line in process.out.lines] == [
        "no", "call.outgoing", "call.ended", "no",
    ]  # fmt: skip
    assert process.err.lines[0] == 'sipcall: there is no call 3; "calls" shows those that are'


def test_remote_at_a_terminal_is_a_prompt(path):
    phone = controlled(path)
    screen = Screen([SIPCALL, "--remote", path])
    peer = Peer()
    screen.shows(">")
    screen.type("   ")  # asks for nothing
    screen.press("Enter")
    screen.type("cont")
    screen.press("Tab")
    screen.until(lambda rows: rows[-1] == "> contacts", "the whole name")
    screen.press("Enter")
    screen.shows("no contacts; sipcall.conf may have some")
    screen.type(f"call {peer.uri()}")
    screen.press("Enter")
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    screen.until(lambda rows: [row for row in rows if row.startswith("call.ringing ")], "ringing")
    screen.type("hang")
    screen.press("C-c")
    screen.shows("> hang^C")
    screen.press("C-c")
    screen.shows("sipcall: Ctrl-D leaves, and that phone goes on; quit ends it")
    screen.type("hangup")
    screen.press("Enter")
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    screen.until(lambda rows: [row for row in rows if row.startswith("call.ended ")], "its end")
    assert not [row for row in screen.rows() if "no command" in row]
    screen.press("C-d")
    assert screen.exit() == 0
    assert remote(path, "calls")[1].out.lines == ["no calls"]
    screen = Screen([SIPCALL, "--remote", path])
    screen.shows(">")
    screen.type("calls")
    screen.press("Enter")
    screen.shows("no calls")  # it is connected
    phone.signal(signal.SIGTERM)
    screen.until(lambda rows: "the phone has gone" in "".join(rows), "why it ends")
    assert screen.exit() == 9


def test_remote_and_nobody_there(path):
    def words(code=9):
        got, process = remote(path, "calls")
        assert got == code and process.out.lines == [] and len(process.err.lines) == 1
        return process.err.lines[0].replace(str(path), "PATH")

    none = "sipcall: --remote: PATH: no phone listens there; one that runs with --control=PATH does"
    assert words() == none
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    assert words() == none
    path.unlink()
    left.close()
    path.write_text("")
    assert words() == "sipcall: --remote: PATH: this is no socket"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(path))
        stranger.listen()
        process = Process([SIPCALL, "--remote", path, "-e", "calls"])
        other, _ = stranger.accept()
        other.sendall(b"220 mail.example.org ESMTP\r\n")
        assert process.exit() == 9
        assert process.err.lines == [f"sipcall: --remote: {path}: what listens there is no phone"]
        other.close()


def test_remote_and_a_phone_that_is_stopped(path):
    phone = controlled(path)
    phone.signal(signal.SIGSTOP)
    silent = f"sipcall: --remote: {path}: the phone does not answer within 2 s; is it stopped?"
    started = [Process([SIPCALL, "--remote", path, *more], stdin=-1) for more in ([], ["-e", "calls"])]
    for process in started:  # one has nothing to ask yet
        assert process.exit(10) == 9
        assert (process.out.lines, process.err.lines) == ([], [silent])
    phone.signal(signal.SIGCONT)
    assert remote(path, "calls")[1].out.lines == ["no calls"]


def test_remote_waits_for_what_takes_its_time(path):
    """Longer than a phone may be silent: it has said that it is there."""
    controlled(path)
    code, process = remote(path, "wait 2.2s", "calls")
    assert (code, process.out.lines, process.err.lines) == (0, ["no calls"], [])


def daemon(path, *more, **how):
    return run("--daemon", "--control", path, *LISTEN, *more, **how)


def gone(path, limit=5):
    """Waits until the daemon has taken its socket away."""
    end = time.monotonic() + limit
    while path.exists():
        if time.monotonic() > end:
            raise Late(f"{path} is still there")
        time.sleep(0.005)


def test_a_daemon_takes_a_call(path, tmp_path):
    code, process = daemon(path)
    assert (code, process.out.lines, process.err.lines) == (0, [], [])
    assert remote(path, "quit")[0] == 0
    gone(path)

    log = tmp_path / "log"
    env = environment(XDG_STATE_HOME=str(tmp_path))
    with log.open("w") as file:
        code, process = daemon(path, "--json", stdout=file, env=env)
    assert code == 0
    listening = json.loads(log.read_text().splitlines()[0])  # before it was said to be ready
    client = Client(path)
    peer, media = Peer(), Media()
    to = ("127.0.0.1", listening["port"])
    invite = peer.request("INVITE", to, body=sdp(media.port))
    client.event("call.incoming")
    assert client.ask("answer")["ok"]
    ok = peer.expect(200)
    peer.ack(invite, ok, to)
    assert client.ask("history")["output"] == ["no calls yet"]
    client.send("quit")
    peer.respond(peer.expect("BYE"), 200)
    assert client.event("call.ended")["cause"] == "local"
    gone(path)
    assert "call.ended" in log.read_text()
    assert stat.S_IMODE((tmp_path / "sipcall" / "calls").stat().st_mode) == 0o600


def test_a_daemon_is_of_no_terminal(path):
    terminal = Terminal([SIPCALL, "--daemon", "--control", path, *LISTEN])
    assert terminal.exit() == 0  # its terminal goes with it
    client = Client(path)
    assert client.ask("calls")["ok"]
    assert terminal.screen.bytes == b""
    client.send("quit")
    gone(path)


def test_a_daemon_that_cannot_start(path):
    path.write_text("")
    code, process = daemon(path)
    assert code == 9
    assert "is no socket of ours" in process.err.lines[0]
    path.unlink()
    code, process = run("--daemon", "--control", path, "-l", "udp:203.0.113.1:5060")
    assert code == 9 and len(process.err.lines) == 1
    assert not path.exists()
