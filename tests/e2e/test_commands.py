"""-e: what commands do and show, and the exit code, against a far end of ours."""

import signal
import wave

import pytest

from phone import SIPCALL, Media, Peer, Phone, Process, closed_port, run, sdp

SILENT = ("-i", "tone:440", "-o", "null")


def commands(*lines):
    """The arguments of a run with these commands."""
    return [*SILENT, *(part for line in lines for part in ("-e", line))]


def test_a_call_by_commands():
    peer, media = Peer(), Media()
    phone = Process(
        [SIPCALL, *commands(f"call {peer.uri()}", "calls", "mute", "hold", "calls", "hangup")]
    )
    invite = peer.expect("INVITE")
    peer.respond(invite, 180, peer.contact())
    peer.answer(invite, media.port)
    again = peer.expect("INVITE")
    assert b"a=sendonly" in again.body
    peer.respond(again, 200, peer.contact(), body=sdp(media.port, direction="recvonly"))
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 0
    first, second = [line for line in phone.out.lines if line.startswith("*#1")]
    assert "answered" in first and "pcmu 8 kHz" in first and "muted" not in first
    assert second.endswith("on hold  muted")
    assert phone.err.lines == []


def test_the_first_that_fails_is_the_last():
    peer = Peer()
    phone = Phone(*commands(f"call {peer.uri()}", "calls"))
    peer.respond(peer.expect("INVITE"), 486)
    peer.expect("ACK")
    assert phone.exit() == 5
    done = phone.having("command.done")
    assert [(event["command"], event["ok"], event["code"]) for event in done] == [
        (f"call {peer.uri()}", False, 5)
    ]
    assert done[0]["words"] == "486 Busy Here"


def test_nothing_is_begun_behind_quit():
    code, phone = run(*commands("quit", "calls", f"call {Peer().uri()}"))
    assert (code, phone.out.lines, phone.err.lines) == (0, [], [])


def test_a_failure_is_told_once():
    peer = Peer()
    phone = Process([SIPCALL, *commands(f"call {peer.uri()}")])
    peer.respond(peer.expect("INVITE"), 486)
    peer.expect("ACK")
    assert phone.exit() == 5
    assert [line.split()[0] for line in phone.out.lines] == ["calling", "busy"]
    assert phone.err.lines == []


@pytest.mark.parametrize(
    "line, words",
    [
        ("cal bob", ['sipcall: no command "cal"; did you mean call?', "  cal bob", "  ^"]),
        (
            "call 'a b@c'",
            ["sipcall: a user cannot hold a space", "  call 'a b@c'", "         ^"],
        ),
        ("stats x", ['sipcall: "x" is no call; "calls" shows them', "  stats x", "        ^"]),
        ('call "', ["sipcall: a quote that is never closed", '  call "', "       ^"]),
        ("hangup", ["sipcall: there is no call"]),
    ],
)
def test_nonsense(line, words):
    code, phone = run(*commands(line))
    assert code == 2
    assert phone.out.lines == []
    assert phone.err.lines[: len(words)] == words


def test_nobody_there():
    target = f"127.0.0.1:{closed_port()}"
    code, phone = run(*commands(f"call {target}", "quit"))
    assert code == 3
    assert "nothing listens on" in phone.out.lines[-1]


def test_ctrl_c_while_a_command_waits():
    peer = Peer()
    phone = Phone(*commands(f"call {peer.uri()}"))
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    phone.event("call.ringing")
    phone.signal(signal.SIGINT)
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    assert phone.exit() == 130


def test_what_is_left_is_hung_up():
    peer, media = Peer(), Media()
    phone = Phone(*commands(f"call {peer.uri()}"))
    peer.answer(peer.expect("INVITE"), media.port)
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 0
    assert phone.ended()["cause"] == "local"


def talking(*lines, peer=None, media=None):
    """A phone in a call with us that then runs these commands."""
    peer, media = peer or Peer(), media or Media()
    phone = Phone(*commands(f"call {peer.uri()}", *lines))
    peer.answer(peer.expect("INVITE"), media.port)
    return phone, peer, media


def test_play_and_record(tmp_path):
    sound = tmp_path / "a tone.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x00\x20\x00\xe0" * 1200)  # 0.3 s, as loud as nothing else here
    taken = tmp_path / "1.wav"
    phone, peer, media = talking(
        f"record {tmp_path}/%n.wav", f"play '{sound}'", "record off", "play nothing.wav", "calls"
    )
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 9
    assert phone.having("command.done")[-1]["words"] == "nothing.wav: no such file"
    loud = [packet for packet in media.packets if packet.payload.count(packet.payload[0]) < 90]
    assert 14 <= len(loud) <= 17
    with wave.open(str(taken)) as file:
        assert file.getnchannels() == 2
        assert 0.29 < file.getnframes() / file.getframerate() < 0.6
    assert phone.having("call.recording", on=False)[0]["path"] == str(taken)


def test_another_codec():
    phone, peer, media = talking("codec pcma", "codec pcma", "codec gsm", "calls")
    again = peer.expect("INVITE")
    assert [line for line in again.body.splitlines() if line.startswith(b"m=")] == [
        f"m=audio {again.media_port()} RTP/AVP 8".encode()
    ]
    peer.respond(again, 200, peer.contact(), body=sdp(media.port, ["pcma"]))
    peer.expect("ACK")
    again = peer.expect("INVITE")  # for GSM: the second wish for PCMA needs none
    peer.respond(again, 488, peer.contact())
    peer.expect("ACK")
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 8
    assert [(event["ok"], event["code"]) for event in phone.having("command.done")] == [
        (True, 0), (True, 0), (True, 0), (False, 8),
    ]  # fmt: skip
    assert phone.having("call.media")[-1]["codec"] == "pcma"


def test_contacts_have_names(tmp_path):
    peer, media = Peer(), Media()
    config = tmp_path / "sipcall.conf"
    config.write_text(f"[contacts]\nbob = {peer.uri('robert')}\nAda L = sip:ada@192.0.2.1\n")
    phone = Phone("-c", config, *commands("contacts", "contacts l", "contacts x", "call BOB"))
    invite = peer.expect("INVITE")
    assert invite.start.split()[1] == peer.uri("robert")
    peer.answer(invite, media.port)
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 0
    shown = [[line.split() for line in one["output"]] for one in phone.having("command.done")]
    assert shown[0] == [["bob", peer.uri("robert")[4:]], ["Ada", "L", "ada@192.0.2.1"]]
    assert shown[1] == [["Ada", "L", "ada@192.0.2.1"]]
    assert shown[2] == ["nobody whose name begins so".split()]


def test_names_stand_in_columns_whatever_they_are_written_in(tmp_path):
    """Wide characters are two columns, and their bytes three."""
    config = tmp_path / "sipcall.conf"
    names = ["bob = b@192.0.2.1", "\u5f35\u5049 = z@192.0.2.1", "Jos\u00e9 = j@192.0.2.1"]
    config.write_text("\n".join(["[contacts]", *names, ""]))
    code, process = run("-q", "-c", config, "-e", "contacts")
    assert code == 0
    assert process.out.lines == [
        "  bob                  b@192.0.2.1",
        "  \u5f35\u5049                 z@192.0.2.1",
        "  Jos\u00e9                 j@192.0.2.1",
    ]


def test_the_ladder_of_a_call_that_is_over():
    phone, peer, _ = talking("hangup", "ladder #1", "ladder 2")
    peer.respond(peer.expect("BYE"), 200)
    assert phone.exit() == 2
    rows = "\n".join(phone.having("command.done")[2]["output"])
    assert [word for word in rows.split() if word in ("INVITE", "200", "ACK", "BYE")] == [
        "INVITE", "200", "ACK", "BYE", "200",
    ]  # fmt: skip
    assert phone.having("command.done")[3]["words"] == "nothing is kept of a call 2"


def test_nothing_to_do_needs_no_sound():
    code, phone = run("-e", "quit")
    assert code == 0
    assert phone.out.lines == []
    assert len(phone.err.lines) <= 1  # that there is no loudspeaker, where there is none


def test_help_has_all_and_fits_a_screen():
    code, phone = run("-e", "help", "-o", "null", "-i", "silence")
    assert code == 0
    assert max(len(line) for line in phone.out.lines) <= 80
    names = [line.split()[0] for line in phone.out.lines if line.startswith("  ")]
    assert {"call", "answer", "hangup", "quit"} <= set(names)
    for name in names:
        code, one = run("-e", f"help {name}", "-o", "null", "-i", "silence")
        assert code == 0 and one.out.lines[0].split()[0] == name
        assert any(line.startswith("  > ") for line in one.out.lines)
