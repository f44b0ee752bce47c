"""history: the calls that were, as a person and as tests have them."""

import json
import re
import stat

import pytest

from phone import SIPCALL, Media, Peer, Process, Terminal, environment, run, text_caller

SILENT = ("-i", "silence", "-o", "null")
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d"


@pytest.fixture
def env(tmp_path):
    return environment(XDG_STATE_HOME=str(tmp_path), NO_COLOR="1")


def history(env, *more):
    code, process = run(*SILENT, "-e", " ".join(["history", *more]), env=env)
    assert code == 0 and process.err.lines == []
    return process.out.lines


def kept(tmp_path):
    path = tmp_path / "sipcall" / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_what_a_person_calls_is_kept(env, tmp_path):
    peer, media = Peer(), Media()
    assert history(env) == ["no calls yet"]
    phone = Terminal([SIPCALL, *SILENT, peer.uri("bob:secret")], env=env)
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    phone.shows("answered")
    peer.hang_up(invite, invite.source)
    assert phone.exit() == 0
    phone = Terminal([SIPCALL, *SILENT, peer.uri("eve")], env=env)
    peer.respond(peer.expect("INVITE"), 486, reason="Busy \x1b[31m\u202eHere")
    peer.expect("ACK")
    assert phone.exit() == 5

    first, second = history(env)
    assert re.fullmatch(rf"{TIME}  made     bob@{re.escape(peer.host)} +0:00", first)
    assert second.endswith(r"  486 Busy \x1b[31m\xe2\x80\xaeHere")
    assert history(env, "1") == [second]
    assert stat.S_IMODE((tmp_path / "sipcall" / "calls").stat().st_mode) == 0o600
    assert [call["answered"] for call in kept(tmp_path)] == [True, False]


def test_what_a_script_calls_is_not(env, tmp_path):
    peer = Peer()
    phone = text_caller(peer.uri(), env=env)
    peer.respond(peer.expect("INVITE"), 486)
    assert phone.exit() == 5
    phone = Process([SIPCALL, *SILENT, "-e", f"call {peer.uri()}"], env=env)
    peer.respond(peer.expect("INVITE"), 486)
    assert phone.exit() == 5
    assert kept(tmp_path) == []


def test_at_the_prompt(env, tmp_path):
    phone = Terminal([SIPCALL, *SILENT, "-l", "udp:127.0.0.1:0"], env=env)
    port = int(phone.shows(r"listening +udp 127\.0\.0\.1:(\d+)")[1])
    peer = Peer()
    invite = peer.request("INVITE", ("127.0.0.1", port), body=b"")
    peer.expect(180)
    phone.shows("incoming")
    peer.request("CANCEL", ("127.0.0.1", port), dialog={
        "via": invite.get("via"), "from": invite.get("from"), "to": invite.get("to"),
        "call_id": invite.get("call-id"), "cseq": "1 CANCEL", "contact": None,
    })  # fmt: skip
    peer.ack(invite, peer.expect(487), ("127.0.0.1", port))
    phone.shows("missed")
    phone.type(b"history\r")
    phone.shows(rf'{TIME}  missed   "Peer" peer@127\.0\.0\.1')
    phone.type(b"quit\r")
    assert phone.exit() == 0
    assert kept(tmp_path)[0]["way"] == "missed"


def test_what_is_no_line_is_passed_by(env, tmp_path):
    good = {
        "ts": "2026-11-20T23:00:00Z", "way": "taken", "peer": "carol@example.org",
        "display": "Carol \u2603\x1b", "answered": True, "duration_s": 61.4, "reason": "",
    }  # fmt: skip
    bad = [
        {**good, "ts": "yesterday"}, {**good, "way": "lost"}, {**good, "duration_s": -1},
        {**good, "peer": None}, ["a"], {},
    ]  # fmt: skip
    path = tmp_path / "sipcall" / "calls"
    path.parent.mkdir()
    lines = [json.dumps(line).encode() for line in [good, *bad]]
    path.write_bytes(b"\n".join([b"\x00\xff", b"", lines[0][:40], *lines, lines[0]]))
    assert history(env) == [
        '2026-11-20 23:00  taken    "Carol \u2603\\x1b" carol@example.org  1:01',
    ] * 2  # fmt: skip


def test_the_oldest_go(env, tmp_path):
    path = tmp_path / "sipcall" / "calls"
    path.parent.mkdir()
    line = {"ts": "2026-11-20T23:00:00Z", "way": "made", "peer": "a", "display": ""}
    line.update(answered=False, duration_s=0.0, reason="486 Busy Here")
    path.write_text("".join(json.dumps({**line, "peer": f"n{i}"}) + "\n" for i in range(1500)))
    peer = Peer()
    phone = Terminal([SIPCALL, *SILENT, peer.uri()], env=env)
    peer.respond(peer.expect("INVITE"), 486)
    assert phone.exit() == 5
    assert len(kept(tmp_path)) == 1000
    assert [call["peer"] for call in kept(tmp_path)][-2:] == ["n1499", f"x@{peer.host}"]
    assert len(history(env)) == 20
    assert len(history(env, "1000000")) == 1000


def test_where_nothing_can_be_kept():
    env = environment(XDG_STATE_HOME="/dev/null")
    code, process = run(*SILENT, "-e", "history", env=env)
    assert code == 9
    assert process.err.lines == [
        "sipcall: the calls that were cannot be kept in /dev/null/sipcall: Not a directory"
    ]
