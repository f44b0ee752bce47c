"""A whole call between two of the program, with the sound that comes out of it."""

import re
import shlex
import socket
import wave
from collections import namedtuple

import pytest

import speech
from phone import (
    DATA,
    HERE,
    ROOT,
    SIPCALL,
    SPEECH,
    Process,
    answerer,
    caller,
    closed_port,
    text_caller,
)

OTHER = DATA / "speech-other.wav"
Codec = namedtuple("Codec", "payload_type rate ptime_ms mos")  # the file's rate; the least MOS
CODECS = {
    "pcmu": Codec(0, 8000, 20, 4),
    "pcma": Codec(8, 8000, 20, 4),
    "opus": Codec(None, 48000, 20, 4),
    "g722": Codec(9, 16000, 20, 4),
    "gsm": Codec(3, 8000, 20, 3.5),
    "l16": Codec(None, 16000, 20, 4),
    "l16-8k": Codec(None, 8000, 20, 4),
    "lpc10": Codec(7, 8000, 45, 2),
}


def knows(host):
    try:
        return bool(socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM))
    except socket.gaierror:
        return False


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def readme_commands():
    """The first two lines of README.md that run the program: who waits, who calls. Only their port is
    another, as somebody may be following README.md on this very machine."""
    lines = (ROOT / "README.md").read_text().replace("5070", str(closed_port())).splitlines()
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("$ sipcall ")]
    assert "--answer" in commands[0] and "file:tests/data/speech.wav" in commands[1]
    return commands[:2]


def readme_screens():
    """What both showed, who calls first: the words before the lines, that which is redrawn aside."""
    text = (ROOT / "README.md").read_text()
    blocks = [block.splitlines() for block in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)]
    calls = next(index for index, block in enumerate(blocks) if "speech.wav" in block[0])
    return [
        [line.split()[0] for line in lines if not line.startswith(" ")]
        for lines in (blocks[calls][1:], blocks[calls + 1])
    ]


class Calls:
    """Eight seconds of several calls side by side: one a codec against an echo (a vocoder, which
    bears itself badly, against the speech), one between two voices that is recorded, and the one
    that README.md shows."""

    def __init__(self, folder):
        self.folder = folder
        self.pairs = {}
        for codec in CODECS:
            vocoder = codec in speech.VOCODERS
            far = answerer("-n", "1", mic=f"file:{SPEECH}" if vocoder else "loop")
            heard = self.path(codec)
            near = caller(
                far.uri(), "-d", "8", "--codecs", codec, mic=f"file:{SPEECH}",
                speaker=f"file:{heard}",
            )  # fmt: skip
            self.pairs[codec] = near, far
        far = answerer("-n", "1", mic=f"file:{OTHER}")
        near = caller(
            far.uri(), "-d", "8", "--codecs", "pcmu", "--record", folder / "both.wav",
            mic=f"file:{SPEECH}",
        )  # fmt: skip
        self.pairs["voices"] = near, far
        self.pairs["readme"] = self.from_readme()
        self.codes = {}
        for name, (near, far) in self.pairs.items():
            self.codes[name] = near.exit(20), far.exit(5)

    def from_readme(self):
        waits, calls = readme_commands()
        (self.folder / "tests").symlink_to(ROOT / "tests")
        far = Process([SIPCALL, *waits], cwd=self.folder)
        far.line("^listening ")
        return Process([SIPCALL, *calls], cwd=self.folder), far

    def path(self, codec):
        return self.folder / f"{codec}.wav"


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("calls"))


@pytest.mark.parametrize("codec", CODECS)
def test_speech_comes_back_from_the_far_end(codec, calls):
    assert calls.codes[codec] == (0, 0)
    result = speech.compare(SPEECH, calls.path(codec), codec)
    assert result.figure >= speech.NEEDED[codec]
    assert result.windows >= 0.85 * result.voiced  # of 8.6 s, 8 were talked
    assert 0 < result.lag_ms < 500


def test_the_two_commands_of_the_readme_do_what_it_says(calls):
    assert calls.codes["readme"] == (0, 0)
    result = speech.compare(SPEECH, calls.folder / "heard.wav", "opus")
    assert result.figure >= speech.NEEDED["opus"]
    near, far = calls.pairs["readme"]
    shown = [[line.split()[0] for line in end.out.lines] for end in (near, far)]
    assert shown == readme_screens()


@pytest.mark.parametrize("codec", CODECS)
def test_what_was_heard_is_written_at_the_codec_s_rate_and_as_long_as_the_call(codec, calls):
    with wave.open(str(calls.path(codec))) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, CODECS[codec].rate)
        assert 7.7 < file.getnframes() / file.getframerate() < 8.3


@pytest.mark.parametrize("codec", CODECS)
def test_both_ends_agree_on_the_codec(codec, calls):
    for end in calls.pairs[codec]:
        media = end.event("call.media")
        assert media["codec"] == codec
        if CODECS[codec].payload_type is not None:
            assert media["payload_type"] == CODECS[codec].payload_type
        assert media["rate"] == CODECS[codec].rate
        assert media["address"].startswith("127.0.0.1:")


@pytest.mark.parametrize("codec", CODECS)
def test_eight_seconds_are_so_many_packets_each_way_and_none_is_lost(codec, calls):
    near, far = calls.pairs[codec]
    packets = 8000 // CODECS[codec].ptime_ms  # 400 of 20 ms
    for end in near, far:
        ended = end.ended()
        assert packets - 10 <= ended["sent"] <= packets + 5  # the first waits for its codec
        assert packets - 10 <= ended["received"] <= packets + 5
        assert ended["lost"] == 0
        assert ended["mos"] > CODECS[codec].mos
        assert 7.9 < ended["duration_s"] < 8.5
    assert near.ended()["cause"] == "local"
    assert far.ended()["cause"] == "remote"


def test_statistics_come_every_five_seconds_and_at_the_end(calls):
    known = []
    for name in (*CODECS, "voices"):
        for end in calls.pairs[name]:
            first, last = end.having("call.stats")
            assert 0.5 < first["sent"] / last["sent"] < 0.75
            known.append(last["rtt_ms"])
    # two reports have to cross for it, and chance has some go first after more than these seconds
    known = [rtt_ms for rtt_ms in known if rtt_ms is not None]
    assert known and all(0 <= rtt_ms < 100 for rtt_ms in known)


def test_the_recording_has_the_near_end_left_and_the_far_end_right(calls):
    assert calls.codes["voices"] == (0, 0)
    path = calls.folder / "both.wav"
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        assert 7.7 < file.getnframes() / file.getframerate() < 8.5
    assert speech.compare(SPEECH, path, "pcmu", channel=0).figure >= 0.95
    assert speech.compare(OTHER, path, "pcmu", channel=1).figure >= 0.95
    assert speech.compare(OTHER, path, "pcmu", channel=0).figure < 0.75
    assert speech.compare(SPEECH, path, "pcmu", channel=1).figure < 0.75


@pytest.mark.parametrize(
    "form", ["sip:x@{}", "x@{}", "<sip:x@{}>", "sip:{}", "sip:x@{};transport=udp", "SIP:x@{}"]
)
def test_a_target_may_be_written_in_several_ways(form):
    far = answerer("-n", "1")
    near = caller(form.format(f"127.0.0.1:{far.port()}"), "-d", "0.2")
    assert (near.exit(), far.exit()) == (0, 0)


def test_a_host_may_have_a_name():
    if not knows("localhost"):
        pytest.skip("this machine does not know localhost")
    far = answerer("-n", "1")
    near = caller(f"sip:x@localhost:{far.port()}", "-d", "0.2")
    assert (near.exit(), far.exit()) == (0, 0)


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
def test_a_call_goes_over_ipv6():
    far = answerer("-n", "1", listen="udp:[::1]:0")
    listening = far.event("listening")
    near = caller(f"sip:x@[::1]:{listening['port']}", "-d", "0.5")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.event("call.media")["address"].startswith("[::1]:")
    assert far.ended()["received"] > 15


def test_each_end_prefers_its_own_codecs_and_they_agree():
    far = answerer("-n", "1", "--codecs", "pcma,opus")
    near = caller(far.uri(), "-d", "0.2", "--codecs", "opus,pcmu,pcma")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.event("call.media")["codec"] == far.event("call.media")["codec"]
    assert near.event("call.media")["codec"] in ("opus", "pcma")


def test_a_tone_is_heard(tmp_path):
    heard = tmp_path / "heard.wav"
    far = answerer("-n", "1", "--codecs", "pcmu", mic="tone:500")
    near = caller(far.uri(), "-d", "1", speaker=f"file:{heard}")
    assert (near.exit(), far.exit()) == (0, 0)
    sound = speech.read(heard)
    middle = sound.samples[sound.rate // 2 : sound.rate * 3 // 4]
    crossings = sum(a < 0 <= b for a, b in zip(middle, middle[1:]))
    assert 123 <= crossings <= 127


def test_a_source_that_ends_is_followed_by_silence(tmp_path):
    short = tmp_path / "short.wav"
    with wave.open(str(short), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", None))
        file.writeframes(bytes(1600))
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "1", "--codecs", "pcmu", mic=f"file:{short}")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["sent"] >= 48


def test_what_a_person_sees():
    far = answerer("-n", "1", "--codecs", "pcmu")
    near = text_caller(far.uri("bob"), "-d", "1")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.err.bytes == b""
    words = [line.split() for line in near.out.lines]
    assert [line[0] for line in words] in (
        ["calling", "answered", "ended"],
        ["calling", "ringing", "answered", "ended"],
    )
    assert words[0][1:] == [f"bob@127.0.0.1:{far.port()}", "udp"] or words[0][2] == "udp"
    answered, ended = near.out.lines[-2:]
    assert "pcmu" in answered and "8 kHz" in answered and "127.0.0.1:" in answered
    assert "lost 0 of " in ended and "mos 4." in ended and "0:01" in ended
    # The same first column everywhere.
    assert {len(line) - len(line.split(None, 1)[1]) for line in near.out.lines} == {10}


def test_what_a_person_who_waits_sees():
    far = Process([SIPCALL, "--answer", "-l", HERE, "-i", "loop", "-o", "null", "-n", "1"])
    port = far.line(r"^listening udp 127\.0\.0\.1:(\d+)$")[1].decode()
    near = caller(f"sip:x@127.0.0.1:{port}", "-d", "1", "--codecs", "pcma")
    assert (near.exit(), far.exit()) == (0, 0)
    assert [line.split()[0] for line in far.out.lines] == [
        "listening", "incoming", "answered", "ended",
    ]  # fmt: skip
    assert "tester@127.0.0.1" in far.out.lines[1]
    assert "pcma 8 kHz" in far.out.lines[2]
    assert "lost 0 of " in far.out.lines[3]
    assert far.err.bytes == b""


def test_the_answer_waits_as_long_as_asked():
    far = answerer("-n", "1", answer="--answer=0.6")
    near = caller(far.uri(), "-d", "0.2")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.event("call.ringing")["code"] == 180
    order = [event["event"] for event in near.events]
    assert order.index("call.ringing") < order.index("call.answered")
