"""--ladder: what a call's messages look like as they go, for people and beside JSON."""

import re

from phone import SIPCALL, Peer, Terminal, answerer, caller, environment, text_caller

ARROW = re.compile(r"^    [│|]([◀<]?)[═─=-]*( .+? )[═─=-]*([▶>]?)[│|] +([\d.]+)(  (.*))?$")


def rows(text):
    """(>, label) or (<, label) of each row, with its time and its note."""
    found = [ARROW.match(line) for line in text.splitlines()]
    return [("<" if m[1] else ">", m[2].strip(), float(m[4]), m[6]) for m in found if m]


def test_a_call_as_a_ladder():
    far = answerer("-n", "1", "--ladder", answer="--answer=0.1", mic="tone:400")
    near = text_caller(
        far.uri("bob"), "-d", "0.5", "--ladder", "--codecs", "pcmu,gsm", "-q", mic="tone:400",
        env=environment(USER="alice"),
    )  # fmt: skip
    assert (near.exit(), far.exit()) == (0, 0)
    ours = rows(near.out.text)
    assert [row[:2] for row in ours if "RTP" not in row[1]] == [
        (">", "INVITE"), ("<", "180 Ringing"), ("<", "200 OK"), (">", "ACK"), (">", "BYE"),
        ("<", "200 OK (BYE)"),
    ]  # fmt: skip
    sound = [row for row in ours if "RTP" in row[1]]
    assert {row[0] for row in sound} == {">", "<"}
    assert all(re.fullmatch(r"RTP pcmu \d\d/s", row[1]) for row in sound)
    assert ours[0][2] == 0 and [row[2] for row in ours] == sorted(row[2] for row in ours)
    assert ours[0][3] == "pcmu gsm" and ours[2][3] == "pcmu"
    head = near.out.lines[0]
    assert re.fullmatch(r" +alice +bob", head)
    assert f"127.0.0.1:{far.port()}" in near.out.lines[1]
    # the other end of the same, beside JSON
    other = {">": "<", "<": ">"}
    turned = [(other[way], label) for way, label, _, _ in ours if "RTP" not in label]
    assert [row[:2] for row in rows(far.err.text) if "RTP" not in row[1]] == turned


def test_where_there_is_no_utf8():
    peer = Peer()
    near = text_caller(peer.uri(), "--ladder", env=environment(LC_ALL="C"))
    peer.respond(peer.expect("INVITE"), 404)
    peer.expect("ACK")
    assert near.exit() == 4
    assert near.out.bytes.isascii()
    assert [row[:2] for row in rows(near.out.text)] == [
        (">", "INVITE"), ("<", "404 Not Found"), (">", "ACK")]  # fmt: skip


def test_a_redirection_and_what_comes_twice():
    first, second = Peer(), Peer()
    near = caller(first.uri("bob"), "--ladder")
    invite = first.expect("INVITE")
    first.expect("INVITE")  # again, as nobody answered
    first.respond(invite, 302, f"Contact: <{second.uri('carol')}>")
    first.expect("ACK")
    second.respond(second.expect("INVITE"), 486)
    second.expect("ACK")
    assert near.exit() == 5
    lines = near.err.lines
    assert re.search(r"302 Moved │ +[\d.]+  to carol@127", near.err.text)
    assert re.search(r"INVITE ─+▶│ +0\.[5-9]\d\d  again$", near.err.text, re.M)
    assert any(re.fullmatch(r" +tester +bob +carol( +#1)?", line) for line in lines)
    assert re.search(r"^    │ INVITE ─+┼─+▶│", near.err.text, re.M)


def test_a_narrow_terminal_and_a_hostile_far_end():
    peer = Peer()
    argv = [SIPCALL, "-i", "silence", "-o", "null", "--ladder", "-q", peer.uri()]
    near = Terminal(argv, columns=40)
    peer.respond(peer.expect("INVITE"), 302, "Contact: <sip:張張張張張張張張張張張張張張@h>",
                 reason="\x1b[2J\u202e\udcff" + "x" * 5000)  # fmt: skip
    peer.expect("ACK")
    near.exit()
    text = near.screen.bytes.decode().replace("\r\n", "\n")
    ladder = [line for line in text.split("\n") if "│" in line]
    assert len(ladder) >= 3 and all(len(line) <= 40 for line in ladder)
    assert "\x1b[2J" not in text and "\u202e" not in text
    assert r"302 \x1b[2J" in text
