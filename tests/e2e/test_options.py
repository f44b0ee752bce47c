"""What is typed wrong is named, with what was meant, before anything is sent."""

import os
import re
import stat

import pytest

from phone import DATA, HERE, SIPCALL, Peer, environment, run

SOUND = ["-i", "silence", "-o", "null"]
NOBODY = "sip:x@127.0.0.1:9"


def refused(*args, code=2, **how):
    """Runs it, sees that it prints nothing but a complaint; that."""
    got, process = run(*args, **how)
    assert got == code, process.report()
    assert process.out.bytes == b""
    lines = process.err.lines
    assert lines and lines[0].startswith("sipcall: ")
    return process.err.text


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("--codec", "--codecs"),
        ("--anwser", "--answer"),
        ("--speeker", "--speaker"),
        ("--max-call", "--max-calls"),
        ("--verison", "--version"),
        ("--list-codec", "--list-codecs"),
    ],
)
def test_an_unknown_option_names_the_nearest(typed, meant):
    words = refused(typed, "opus", NOBODY)
    assert typed in words and f"{meant}?" in words
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize("typed", ["--frobnicate", "-X", "---"])
def test_an_unknown_option_that_is_like_none_is_refused_as_well(typed):
    words = refused(typed)
    assert len(words.splitlines()) == 1


@pytest.mark.parametrize(
    "args, words",
    [
        (["--codecs", "opsu"], ["opsu", "opus"]),
        (["--codecs", "pcmu,pmca"], ["pmca", "pcma"]),
        (["--codecs", ""], ["--codecs"]),
        (["-i", "fiel:x.wav"], ["fiel", "file"]),
        (["-i", "slience"], ["slience", "silence"]),
        (["-i", "tone:"], ["tone"]),
        (["-i", "tone:loud"], ["--mic", "tone:"]),
        (["-o", "nul"], ["nul", "null"]),
        (["-o", "silence"], ["silence"]),
        (["-d", "soon"], ["--duration", "soon"]),
        (["-d", "-1"], ["--duration", "-1", "seconds"]),
        (["-d"], ["--duration"]),
        (["-t", "0"], ["--timeout", "0"]),
        (["-t", "99999999999999999999"], ["--timeout"]),
        (["-l", "udp:127.0.0.1"], ["--listen", "127.0.0.1"]),
        (["-l", "upd:127.0.0.1:0"], ["upd", "udp"]),
        (["-l", "udp:127.0.0.1:65536"], ["65536"]),
        (["-l", "udp:localhost.:0"], ["localhost"]),
        (["-n", "2"], ["--calls", "--answer"]),
        (["--max-calls", "2"], ["--max-calls", "calls that come"]),
        (["--answer-code", "486"], ["--answer-code", "--answer"]),
        (["--json=yes"], ["--json"]),
        (["-q", "-v"], ["--quiet", "--verbose"]),
        (["-H", "Nonsense"], ["Nonsense"]),
        (["-H", "X-A: b\r\nX-C: d"], ["--header"]),
        (["-H", "X-A: b\nX-C: d"], ["--header"]),
        (["-H", ": b"], ["--header"]),
        (["--record", "call-%q.wav"], ["%q"]),
    ],
)
def test_a_bad_value_is_named(args, words):
    sound = [] if args[0] in ("-i", "-o") else SOUND
    said = refused(*args, *sound, NOBODY) if args != ["-d"] else refused(*sound, NOBODY, "-d")
    for word in words:
        assert word in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "name",
    """Via From To Call-ID CSeq Contact Max-Forwards Content-Length Content-Type Record-Route v f t
    i m l c call-id CONTENT-LENGTH""".split(),
)
def test_a_header_that_the_stack_writes_is_refused(name):
    assert name in refused("-H", f"{name}: x", *SOUND, NOBODY)


@pytest.mark.parametrize(
    "args",
    [
        ["--answer", NOBODY],
        ["--answer", "2"],
        [NOBODY, "sip:y@127.0.0.1:9"],
        ["--answer=x"],
        ["--answer", "-n", "0"],
        ["--answer", "--max-calls", "0"],
        ["--answer", "--answer-code", "200"],
        ["--answer", "--answer-code", "700"],
        ["-e", "quit", NOBODY],
    ],
)
def test_what_makes_no_sense_together_is_refused(args):
    refused(*args, *SOUND)


@pytest.mark.parametrize(
    "target, at",
    [
        ("bob@exam ple.org", 8),
        ("sip:bob@", 8),
        ("sip:bob@host:notaport", 13),
        ("sip:bob@host:65536", 13),
        ("sip:bob@[::1", 8),
        ("<sip:bob@127.0.0.1", None),
        ("sip:bob@127.0.0.1>", None),
        ("http://example.org/", None),
        ("sip:", None),
        ("sip:bob@exa\x1bmple.org", None),
        ("sip:b\u00f6b@example.org", 5),
        ('"B\u00f6b \u6f22" <sip:bob@exam ple.org>', None),
    ],
)
def test_a_bad_target_has_a_caret_under_the_place(target, at):
    words = refused(*SOUND, "--", target)
    assert "\x1b" not in words
    lines = words.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r" *\^", lines[2])
    assert lines[1].startswith("  ")
    if at is not None:
        assert lines[1] == "  " + target
        assert lines[2].index("^") - 2 == at


def test_an_empty_target_has_no_place_to_point_at():
    assert refused(*SOUND, "").count("\n") == 1


def test_a_huge_target_is_shown_around_the_place():
    lines = refused(*SOUND, "sip:bob@" + "a" * 500 + " " + "b" * 100000).splitlines()
    assert max(map(len, lines)) < 140 and len(lines[2]) <= len(lines[1])


def test_a_file_is_not_both_heard_and_written(tmp_path):
    path = tmp_path / "sp.wav"
    path.write_bytes((DATA / "speech.wav").read_bytes())
    assert "--mic" in refused("-i", f"file:{path}", "-o", f"file:{path}", NOBODY)
    assert path.read_bytes() == (DATA / "speech.wav").read_bytes()


def test_codecs_in_plain_ascii():
    code, process = run("--list-codecs", env=environment(LC_ALL="C"))
    assert code == 0 and process.out.bytes.isascii()


def test_a_bad_target_is_the_same_with_json():
    words = refused("--json", *SOUND, "bob@exam ple.org")
    assert words.splitlines()[2].index("^") == 10


class Silent:
    """A peer that must not hear a word."""

    def __init__(self):
        self.peer = Peer()
        self.uri = self.peer.uri()

    def was_not_called(self):
        self.peer.nothing(0.05)


def test_a_file_that_cannot_be_heard_is_named_before_anything_is_sent(tmp_path):
    far = Silent()
    empty, text, secret = tmp_path / "empty.wav", tmp_path / "text.wav", tmp_path / "secret.wav"
    soundless, cut = tmp_path / "soundless.wav", tmp_path / "cut.wav"
    empty.touch()
    text.write_text("this is no sound at all, but it is long enough to be taken for some\n" * 9)
    soundless.write_bytes((DATA / "speech.wav").read_bytes()[:40] + bytes(4))
    cut.write_bytes((DATA / "speech.wav").read_bytes()[:20])
    for path in (tmp_path / "none.wav", empty, text, tmp_path, cut, soundless):
        words = refused("-i", f"file:{path}", "-o", "null", far.uri, code=9)
        assert path.name in words and words.count("\n") == 1
    secret.write_bytes((DATA / "speech.wav").read_bytes())
    secret.chmod(0)
    words = refused("-i", f"file:{secret}", "-o", "null", far.uri, code=9, powerless=True)
    assert "secret.wav: permission denied" in words
    far.was_not_called()


def test_a_file_that_cannot_be_written_is_named_before_anything_is_sent(tmp_path):
    far = Silent()
    for option in ("-o", "--record"):
        path = tmp_path / "no" / "such" / "folder.wav"
        value = f"file:{path}" if option == "-o" else str(path)
        sound = ["-i", "silence"] + ([] if option == "-o" else ["-o", "null"])
        assert path.name in refused(*sound, option, value, far.uri, code=9)
    far.was_not_called()


def test_a_missing_file_is_an_error_before_waiting_for_calls_too(tmp_path):
    path = tmp_path / "none.wav"
    words = refused("--answer", "-l", HERE, "-i", f"file:{path}", "-o", "null", code=9)
    assert path.name in words


def test_version():
    code, process = run("--version")
    assert code == 0
    assert re.fullmatch(r"sipcall \d+\.\d+(\.\d+)?\S*\n", process.out.text)
    assert process.err.bytes == b""


def test_list_codecs():
    code, process = run("--list-codecs")
    assert code == 0
    names = [line.split()[0] for line in process.out.lines]
    assert names == ["opus", "g722", "pcmu", "pcma", "gsm", "l16", "l16-8k", "lpc10"]
    assert process.err.bytes == b""


def test_help_fits_a_screen():
    code, process = run("-h")
    assert code == 0 and process.err.bytes == b""
    assert len(process.out.lines) <= 24
    assert max(map(len, process.out.lines)) <= 80


def test_all_of_the_help_has_every_option():
    code, process = run("--help=all")
    assert code == 0 and process.err.bytes == b""
    assert max(map(len, process.out.lines)) <= 80
    for option in """--answer --listen --mic --speaker --record --codecs --duration --timeout
            --header --answer-code --calls --max-calls --json --trace --verbose --quiet --version
            --list-codecs""".split():
        assert re.search(rf"(^|\s){option}\b", process.out.text), option


@pytest.mark.parametrize("asking", ["--version", "--list-codecs", "--help", "--help=all"])
def test_an_answer_that_nobody_can_get_is_an_error(asking):
    code, process = run(asking, preexec_fn=lambda: os.close(1))
    assert code == 9
    assert process.err.text == "sipcall: cannot write to standard output: it is closed\n"


@pytest.mark.parametrize("asking", ["--version", "--list-codecs", "--help", "--help=all"])
def test_an_answer_that_cannot_be_written_is_an_error(asking):
    with open("/dev/full", "w") as full:
        code, process = run(asking, stdout=full)
    assert code != 0
    assert process.err.text.startswith("sipcall: ")


def test_the_program_is_not_set_to_run_as_somebody_else():
    assert not os.stat(SIPCALL).st_mode & (stat.S_ISUID | stat.S_ISGID)
