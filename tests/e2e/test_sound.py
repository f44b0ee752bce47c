"""Speech through sound devices: a PulseAudio of our own stands in for the cards."""

import contextlib
import signal
import socket

import pytest

import speech
from phone import (
    DATA,
    HERE,
    SIPCALL,
    SPEECH,
    Process,
    answerer,
    caller,
    environment,
    run,
    text_caller,
)
from screen import Screen
from sound import ALSA, Sound

OTHER = DATA / "speech-other.wav"
TOGETHER = [("opus", "pcmu"), ("g722", "pcma"), ("gsm", "l16"), ("lpc10",)]
CODECS = [codec for group in TOGETHER for codec in group]


class Calls:
    """A call a codec, several at once: speech goes into the microphone of the one and is recorded
    from the loudspeaker of the other, and another voice goes back."""

    def __init__(self):
        self.ends, self.codes, self.results = {}, {}, {}
        for codecs in TOGETHER:
            self._run(codecs)

    def _run(self, codecs):
        sound = Sound(*[side + codec for codec in codecs for side in "ab"])
        ends = {codec: self._call(sound, codec) for codec in codecs}
        for pair in ends.values():
            for end in pair:  # its devices are open, and what they need in hand is known
                end.event("call.stats", 15)
        heard = self._talk(sound, codecs)
        for near, _ in ends.values():
            near.signal(signal.SIGINT)
        self.codes.update({codec: (a.exit(10), b.exit(10)) for codec, (a, b) in ends.items()})
        self.results.update({codec: self._compare(codec, heard) for codec in codecs})
        self.ends.update(ends)
        sound.close()

    @staticmethod
    def _call(sound, codec):
        devices = {"mic": "default", "speaker": "default"}
        far = answerer("-n", "1", env=sound.env_of("b" + codec), **devices)
        near = caller(far.uri(), "--codecs", codec, env=sound.env_of("a" + codec), **devices)
        return near, far

    @staticmethod
    def _talk(sound, codecs):
        with contextlib.ExitStack() as stack:
            heard = {
                side + codec: stack.enter_context(sound.record(f"spk_{side}{codec}"))
                for codec in codecs
                for side in "ab"
            }
            players = [sound.play(SPEECH, f"mic_a{codec}") for codec in codecs]
            players += [sound.play(OTHER, f"mic_b{codec}") for codec in codecs]
            for player in players:
                assert player.exit(20) == 0
        return heard

    @staticmethod
    def _compare(codec, heard):
        return {
            "there": speech.compare(SPEECH, heard["b" + codec], codec),
            "back": speech.compare(OTHER, heard["a" + codec], codec),
            "crossed": speech.compare(OTHER, heard["b" + codec], codec),
        }


@pytest.fixture(scope="module")
def calls():
    return Calls()


@pytest.mark.limit(120)
@pytest.mark.parametrize("codec", CODECS)
def test_speech_into_a_microphone_is_heard_from_the_far_loudspeaker(codec, calls):
    assert calls.codes[codec] == (0, 0)
    for way in ("there", "back"):
        result = calls.results[codec][way]
        assert result.figure >= speech.NEEDED[codec], (way, result)
        assert result.windows >= 0.8 * result.voiced
    assert calls.results[codec]["crossed"].figure < 0.6


@pytest.mark.parametrize("codec", CODECS)
def test_devices_lose_nothing_and_say_nothing(codec, calls):
    for end in calls.ends[codec]:
        words = [notice["words"] for notice in end.having("notice")]
        assert all("cannot keep up" in line for line in words)  # a machine may have much to do
        assert end.ended()["lost"] == 0
        assert end.err.bytes == b""


@pytest.fixture
def sound():
    return Sound()


def nowhere(tmp_path):
    """The environment of a machine without any sound device."""
    (tmp_path / "asound.conf").write_text("pcm.default { type hw card 31 }\n")
    return environment(HOME=str(tmp_path), ALSA_CONFIG_PATH=str(tmp_path / "asound.conf"))


def test_a_device_that_is_gone_is_told_and_used_again_when_it_is_back(sound):
    far = answerer("-n", "1", mic="loop")
    near = caller(far.uri(), mic="default", speaker="default", env=sound.env)
    near.event("call.stats", 10)
    sound.stop()
    gone = [near.event("notice", 10, nth=n)["words"] for n in (1, 2)]
    assert sorted(gone) == [
        "the loudspeaker default is gone; the call goes on without it",
        "the microphone default is gone; the call goes on without it",
    ]
    sound.start()
    back = [near.event("notice", 15, nth=n)["words"] for n in (3, 4)]
    assert sorted(back) == ["the loudspeaker default is back", "the microphone default is back"]
    with sound.record() as heard:
        assert sound.play(SPEECH).exit(20) == 0
    near.signal(signal.SIGINT)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.err.bytes == b""
    assert near.ended()["lost"] == 0
    assert speech.compare(SPEECH, heard, "opus").figure >= speech.NEEDED["opus"]


def test_a_person_reads_of_it_in_a_line(sound):
    far = answerer("-n", "1", mic="loop")
    near = text_caller(far.uri(), mic="silence", speaker="default", env=sound.env)
    near.line("^answered ")
    far.event("call.stats", 10)
    sound.stop()
    near.line("^note      the loudspeaker default is gone; the call goes on without it$", 10)
    near.signal(signal.SIGINT)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.err.bytes == b""


@pytest.mark.parametrize("options", [(), ("-i", "default", "-o", "default")])
def test_a_machine_without_devices_says_so_in_one_line_and_goes_on(options, tmp_path):
    far = answerer("-n", "1")
    near = Process([SIPCALL, far.uri(), "-d", "1", *options], env=nowhere(tmp_path))
    assert (near.exit(15), far.exit()) == (0, 0)
    assert near.err.lines == [
        "sipcall: this machine has no sound device: silence is sent (--mic), "
        "what comes is not heard (--speaker)"
    ]
    assert [line.split()[0] for line in near.out.lines] == ["calling", "answered", "ended"]
    assert far.ended()["received"] > 25


def test_it_says_so_also_if_it_is_over_before_the_machine_is_looked_at(tmp_path):
    code, process = run("-e", "quit", env=nowhere(tmp_path))
    assert (code, process.out.bytes) == (0, b"")
    assert process.err.lines == [
        "sipcall: this machine has no sound device: silence is sent (--mic), "
        "what comes is not heard (--speaker)"
    ]


def test_a_sound_server_that_does_not_answer_keeps_nobody(tmp_path):
    """It takes connections and says nothing, as one does that was stopped."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "native"))
        server.listen()
        (tmp_path / "asound.conf").write_text(
            ALSA.format(socket=tmp_path / "native", name="sick")
        )
        env = environment(
            HOME=str(tmp_path), ALSA_CONFIG_PATH=str(tmp_path / "asound.conf"),
            PULSE_CLIENTCONFIG="/dev/null", XDG_RUNTIME_DIR=str(tmp_path),
        )  # fmt: skip
        code, process = run("-e", "quit", env=env, limit=10)
        assert (code, process.out.bytes, process.err.bytes) == (0, b"", b"")
        server.settimeout(1)
        server.accept()[0].close()  # it was asked indeed


def test_what_is_missing_is_named(tmp_path):
    far = answerer("-n", "1")
    near = Process([SIPCALL, far.uri(), "-d", "1", "-i", "silence"], env=nowhere(tmp_path))
    assert (near.exit(15), far.exit()) == (0, 0)
    assert near.err.lines == [
        "sipcall: this machine has no sound device: what comes is not heard (--speaker)"
    ]


def test_devices_are_listed_and_nothing_else_is_said(sound, tmp_path):
    code, process = run("--list-devices", env=sound.env)
    assert (code, process.err.bytes) == (0, b"")
    assert process.out.lines == ["default  mic  speaker  default"]
    code, process = run("--list-devices", env=nowhere(tmp_path))
    assert (code, process.out.bytes) == (9, b"")
    assert process.err.lines == ["sipcall: this machine has no sound device"]


def test_devices_are_completed_once_they_are_known(sound):
    screen = Screen([SIPCALL, "-l", HERE], env=sound.env)
    screen.until(lambda rows: rows and rows[-1] == ">", "the prompt")
    screen.type("set speaker device:d")

    def completed(rows):
        screen.press("Tab")  # the first has them looked for, and waits for nothing
        return rows[-1] == "> set speaker device:default"

    screen.until(completed, "the device's name")
    screen.press("C-d", "C-u", "C-d")
    assert screen.exit() == 0


def test_a_sound_system_without_a_configuration_is_no_device(sound):
    env = dict(sound.env, ALSA_CONFIG_PATH="/nonexistent")
    code, process = run("--list-devices", env=env)
    assert (code, process.err.lines) == (9, ["sipcall: this machine has no sound device"])


@pytest.mark.parametrize(
    "option, words",
    [
        ("--mic", "sipcall: --mic: no microphone has usb in its name; there are: default"),
        ("--speaker", "sipcall: --speaker: no loudspeaker has usb in its name; there are: default"),
    ],
)
def test_a_device_that_is_not_there_is_said_before_anybody_is_called(option, words, sound):
    code, process = run(option, "device:usb", "sip:x@127.0.0.1:9", env=sound.env)
    assert code == 9
    assert process.out.bytes == b""
    assert process.err.lines == [words]


def test_a_part_of_a_device_s_name_is_enough(sound):
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "1", mic="device:DEF", speaker="device:fault", env=sound.env)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.err.bytes == b""
    assert near.having("notice") == []
