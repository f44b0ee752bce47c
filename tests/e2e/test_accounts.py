"""Accounts: who asks for the password, by what, and where it can be seen."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from phone import SIPCALL, Peer, Process, Terminal, answerer, caller, environment, run

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
HERE = ["-l", "udp:127.0.0.1:0"]


def digest(algorithm, *parts):
    return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()


def challenge(algorithm="SHA-512-256", nonce="n1", realm="sip.test", qop="auth"):
    return f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="{qop}"'


def check(message, header="authorization", password="secret", user="alice"):
    """That the request answers its challenge, by RFC 7616."""
    value = message.get(header)
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', value.removeprefix("Digest ")))
    algorithm = fields["algorithm"]
    method = message.get("cseq").split()[1]
    body = str(message).split("\r\n\r\n", 1)[1]
    request = [method, fields["uri"]]
    if fields["qop"] == "auth-int":
        request.append(digest(algorithm, body))
    expected = digest(
        algorithm, digest(algorithm, user, fields["realm"], password), fields["nonce"],
        fields["nc"], fields["cnonce"], fields["qop"], digest(algorithm, *request),
    )  # fmt: skip
    assert (fields["username"], fields["response"]) == (user, expected)
    return fields


def ok(peer, request, expires=3600):
    contact = request.get("contact")
    peer.respond(request, 200, f"Contact: {contact};expires={expires}")


def account(peer, name="alice"):
    return ["-a", f"{name}@sip.test", "--registrar", peer.uri().replace("x@", "")]


def start(*args, **changes):
    """sipcall with -e register."""
    argv = [SIPCALL, *HERE, *args, "-e", "register"]
    return Process(argv, env=environment(**changes))


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_sha512_256(qop):
    peer = Peer()
    process = start(*account(peer), "--trace", SIPCALL_PASSWORD="secret")
    peer.respond(peer.expect("REGISTER"), 401, "WWW-Authenticate: " + challenge(qop=qop))
    answered = peer.expect("REGISTER")
    assert check(answered)["nc"] == "00000001"
    ok(peer, answered)
    gone = peer.expect("REGISTER")
    assert check(gone)["nc"] == "00000002" and gone.get("expires") == "0"
    peer.respond(gone, 200)
    assert process.exit() == 0
    assert "secret" not in process.out.text + process.err.text


def test_a_call_through_the_server_is_answered_for():
    peer = Peer()
    calling = caller("bob", *account(peer), env=environment(SIPCALL_PASSWORD="secret"))
    invite = peer.expect("INVITE")
    assert invite.get("from").startswith("<sip:alice@sip.test>;tag=")
    assert invite.get("to") == "<sip:bob@sip.test>"
    peer.respond(invite, 407, "Proxy-Authenticate: " + challenge(qop="auth-int"))
    peer.expect("ACK")
    again = peer.expect("INVITE")
    check(again, "proxy-authorization")
    peer.respond(again, 486)
    assert calling.exit() == 5


def test_a_wrong_password_is_tried_once():
    peer = Peer()
    calling = caller("bob", *account(peer), env=environment(SIPCALL_PASSWORD="wrong"))
    for nonce in ("n1", "n2"):
        asked = "Proxy-Authenticate: " + challenge(nonce=nonce)
        peer.respond(peer.expect("INVITE"), 407, asked)
        peer.expect("ACK")
    ended = calling.ended()
    assert (ended["code"], ended["account"]) == (407, "alice@sip.test")
    assert calling.exit() == 7
    peer.nothing(0.1)


def test_somebody_else_gets_no_answer():
    """The digest leak: a far end that is no server of ours asks, in a call and for it."""
    server, evil = Peer(), Peer()
    env = environment(SIPCALL_PASSWORD="secret")
    calling = caller(evil.uri("evil"), *account(server), env=env)
    evil.respond(evil.expect("INVITE"), 401, "WWW-Authenticate: " + challenge())
    evil.expect("ACK")
    assert calling.exit() == 7
    evil.nothing(0.1)

    calling = caller(evil.uri("evil"), *account(server), "-d", "0.1", env=env)
    evil.answer(evil.expect("INVITE"), 9)
    bye = evil.expect("BYE")
    evil.respond(bye, 407, "Proxy-Authenticate: " + challenge())
    assert calling.exit() == 0
    evil.nothing(0.1)
    assert not any("uthorization:" in str(message) for message in evil.log)


def test_where_the_password_comes_from(tmp_path):
    """A command, the file, the environment, which has the first word."""
    folder = tmp_path / "sipcall.conf"
    for line, changes, password, warned in [
        ("password_command = echo from-command", {}, "from-command", False),
        ("password = from file", {}, "from file", True),
        ("password = x", {"SIPCALL_PASSWORD": "from-env"}, "from-env", True),
    ]:
        peer = Peer()
        folder.write_text(
            f"[account work]\naddress = alice@sip.test\nregistrar = {peer.host}\n"
            f"auth_user = al\n{line}\n"
        )
        folder.chmod(0o644 if warned else 0o600)
        process = start("-c", str(folder), **changes)
        peer.respond(peer.expect("REGISTER"), 401, "WWW-Authenticate: " + challenge("MD5"))
        answered = peer.expect("REGISTER")
        check(answered, user="al", password=password)
        ok(peer, answered)
        peer.respond(peer.expect("REGISTER"), 200)
        assert process.exit() == 0
        assert ("chmod 600" in process.err.text) == warned or "command" in line


def test_the_password_is_typed_unseen_and_found_nowhere():
    peer = Peer()
    argv = [SIPCALL, *HERE, *account(peer), "-e", "register"]
    terminal = Terminal(argv)
    terminal.shows("password of alice@sip.test: ")
    terminal.type(b"sexret\x7f\x7f\x7f\x7fcret\r")
    peer.respond(peer.expect("REGISTER"), 401, "WWW-Authenticate: " + challenge())
    answered = peer.expect("REGISTER")
    check(answered)
    proc = Path("/proc") / str(terminal.process.pid)
    assert b"secret" not in (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
    ok(peer, answered)
    peer.respond(peer.expect("REGISTER"), 200)
    assert terminal.exit() == 0
    assert b"cret" not in terminal.screen.bytes

    terminal = Terminal(argv)
    terminal.shows("password of ")
    terminal.type(b"\x03")
    assert terminal.exit() != 0


def test_the_environment_forgets_the_password():
    peer = Peer()
    process = start(*account(peer), SIPCALL_PASSWORD="hunter2")
    request = peer.expect("REGISTER")
    environ = Path("/proc") / str(process.pid) / "environ"
    assert b"hunter2" not in environ.read_bytes()
    peer.respond(request, 403)
    assert process.exit() == 7


def test_calls_to_the_account_come_in():
    peer = Peer()
    called = answerer(*account(peer), env=environment(SIPCALL_PASSWORD="x"))
    request = peer.expect("REGISTER")
    ok(peer, request)
    called.event("registration.ok", account="alice@sip.test", expires=3600)
    uri = re.search(r"<(.*?)>", request.get("contact"))[1]
    peer.call(("127.0.0.1", called.port()), 9, uri=uri)
    assert called.event("call.incoming")["account"] == "alice@sip.test"
    called.signal(2)
    peer.respond(peer.expect("BYE"), 200)
    left = next(message for message in iter(peer.receive, None) if message.kind == "REGISTER")
    assert left.get("expires") == "0"
    peer.respond(left, 200)
    assert called.exit() == 0


@pytest.mark.parametrize(
    "args, words",
    [
        (["-a", "nobody", "-e", "accounts"], "nobody is no address like alice@example.org"),
        (["-a", "alice@", "-e", "accounts"], "account alice@: "),
        (["-a", "a@b", "--proxy", "x y", "-e", "accounts"], "the proxy of account a@b: "),
        (["-a", "mailto:a@b", "-e", "accounts"], "account mailto:a@b: not a SIP address"),
    ],
)
def test_mistakes(args, words):
    code, process = run(*HERE, *args, env=environment(SIPCALL_PASSWORD="x"))
    assert code == 2 and words in process.err.text, process.report()


@pytest.mark.parametrize(
    "command, words",
    [
        ("exit 3", "failed with exit code 3"),
        ("kill -9 $$", "ended by signal 9 (Killed)"),
        ("true", "prints nothing"),
        ("yes | head -c 9999 | tr -d '\\n'", "prints more than "),
    ],
)
def test_a_command_without_a_password_is_told_with_its_account(tmp_path, command, words):
    path = tmp_path / "sipcall.conf"
    path.write_text(f"[account work]\naddress = a@sip.test\npassword_command = {command}\n")
    code, process = run(*HERE, "-c", str(path), "-e", "accounts", env=environment())
    assert code == 2 and f"account work: password_command {words}" in process.err.text


def test_a_check_tells_that_others_may_read_a_password(tmp_path):
    path = tmp_path / "sipcall.conf"
    path.write_text("[account work]\naddress = alice@sip.test\npassword = secret\n")
    for mode, warned in (0o644, True), (0o600, False):
        path.chmod(mode)
        code, process = run("-c", str(path), "--check-config", env=environment())
        assert code == 0 and ("chmod 600" in process.err.text) == warned, process.report()


def test_without_an_account_there_is_nothing_to_register():
    code, process = run(*HERE, "-e", "register")
    assert code == 2 and "--account alice@example.org" in process.err.text
    assert os.environ.get("SIPCALL_PASSWORD") is None


def test_a_ping_is_answered_for():
    peer = Peer()
    argv = [SIPCALL, *HERE, *account(peer), "-e", "ping bob"]
    process = Process(argv, env=environment(SIPCALL_PASSWORD="secret"))
    asked = peer.expect("OPTIONS")
    assert asked.get("from").startswith("<sip:alice@sip.test>;tag=")
    peer.respond(asked, 407, "Proxy-Authenticate: " + challenge())
    again = peer.expect("OPTIONS")
    check(again, "proxy-authorization")
    peer.respond(again, 200)
    assert process.exit() == 0 and "200 OK in " in process.out.text


def test_who_calls_is_who_our_own_server_says():
    server, stranger = Peer(), Peer()
    called = answerer(*account(server), "-n", "4", env=environment(SIPCALL_PASSWORD="x"))
    request = server.expect("REGISTER")
    ok(server, request)
    uri = re.search(r"<(.*?)>", request.get("contact"))[1]
    where = ("127.0.0.1", called.port())
    carol = '"Carol \\"C\\"" <sip:carol@sip.test>, <tel:+4930123>'
    for nth, (peer, says, shown) in enumerate([
        (server, carol, ("sip:carol@sip.test", 'Carol "C"')),
        (stranger, carol, (f"sip:peer@{stranger.host}", "Peer")),
        (server, "broken <", (f"sip:peer@{server.host}", "Peer")),
        (server, "<sip:dave@sip.test>", ("sip:dave@sip.test", None)),
    ], 1):  # fmt: skip
        invite, answer = peer.call(where, 9, uri=uri, p_asserted_identity=says)
        event = called.event("call.incoming", nth=nth)
        assert (event["peer"], event["display"]) == shown
        peer.bye(invite, answer, where)
        peer.expect(200)
        called.event("call.ended", nth=nth)
    left = server.expect("REGISTER")
    server.respond(left, 200)
    assert called.exit() == 0


def test_a_hundred_accounts_are_registered(tmp_path):
    server, names = Peer(), {f"u{i}" for i in range(100)}
    path = tmp_path / "sipcall.conf"
    path.write_text("".join(
        f"[account {name}]\naddress = {name}@sip.test\nregistrar = {server.uri()[6:]}\n"
        for name in names
    ))  # fmt: skip
    phone = answerer("-c", path, env=environment(SIPCALL_PASSWORD="secret"))
    asked = set()
    while asked != names:
        request = server.expect("REGISTER")
        asked.add(re.search("sip:([^@]*)@", request.get("to"))[1])
        ok(server, request)
    phone.event("registration.ok", nth=len(names))
    assert {event["account"] for event in phone.having("registration.ok")} == names


PASSWORD = "Zx9-nowhere-to-be-seen-77"


def dumped(pid):
    """What of a process a core dump would hold: its memory that may be written and is not marked
    as not to be dumped (proc(5), VmFlags dd)."""
    maps, memory = Path(f"/proc/{pid}/smaps").read_text(), []
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", maps, flags=re.M)[1:]:
            start, end = (int(word, 16) for word in part.split(" ", 1)[0].split("-"))
            flags = re.search(r"^VmFlags: (.*)$", part, re.M)[1].split()
            if "wr" in flags and "dd" not in flags:
                file.seek(start)
                memory.append(file.read(end - start))
    return b"".join(memory)


@pytest.mark.parametrize("source", ["environment", "file", "command", "prompt"])
def test_no_core_dump_and_no_output_has_the_password(tmp_path, source):
    """From wherever it came, once it is registered, which takes the hash of it."""
    (tmp_path / "word").write_text(PASSWORD + "\n")
    lines = {
        "file": f"password = {PASSWORD}",
        "command": f"password_command = cat {tmp_path / 'word'}",
    }
    variable = PASSWORD if source == "environment" else None
    peer, config, trace = Peer(), tmp_path / "sipcall.conf", tmp_path / "trace"
    config.write_text(
        f"[account work]\naddress = alice@sip.test\nregistrar = {peer.host}\n"
        f"{lines.get(source, '')}\n"
    )
    config.chmod(0o600)
    env = environment(SIPCALL_PASSWORD=variable)
    argv = [SIPCALL, *HERE, "-c", config, "--json", "--trace", "-vv", "-i", "silence"]
    argv += ["-o", "null", "--answer"]
    with open(trace, "wb") as err:
        terminal = Terminal(argv, env=env, stderr=err)
        if source == "prompt":
            terminal.shows("password of ")
            terminal.type(PASSWORD.encode() + b"\r")
        peer.respond(peer.expect("REGISTER"), 401, "WWW-Authenticate: " + challenge())
        answered = peer.expect("REGISTER")
        check(answered, password=PASSWORD)
        ok(peer, answered)
        terminal.shows('"registration.ok"')
        watched = re.search(r"lib[at]san", Path(f"/proc/{terminal.process.pid}/maps").read_text())
        if watched and source == "environment":
            pytest.skip("a sanitizer keeps a copy of the environment")
        memory = dumped(terminal.process.pid)
        assert b"alice@sip.test" in memory  # it is looked for where things are
        where = memory.find(PASSWORD.encode())
        assert where < 0, memory[max(0, where - 80) : where + 80]
        proc = Path("/proc") / str(terminal.process.pid)
        for name in ("cmdline", "environ"):
            assert PASSWORD.encode() not in (proc / name).read_bytes()
        terminal.process.signal(2)
        peer.respond(peer.expect("REGISTER"), 200)
        assert terminal.exit() == 0
    assert PASSWORD.encode() not in terminal.screen.bytes + trace.read_bytes()
    assert b"Authorization: Digest" in trace.read_bytes()
