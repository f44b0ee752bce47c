"""The measure itself: it must know the speech after every codec, delay and stretch, and nothing
else."""

import ctypes
import math
import struct
import subprocess
import sys
import wave

import pytest

import speech
from phone import DATA, SPEECH

OTHER = DATA / "speech-other.wav"


def sox(*args):
    subprocess.run(["sox", "-D", *map(str, args)], check=True, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    """Four seconds of the speech, at the rate at which it is compared."""
    path = tmp_path_factory.mktemp("some") / "some.wav"
    sox(SPEECH, "-r", 8000, path, "trim", 0, 4)
    return path


def write(path, samples, rate):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        whole = [max(-32768, min(32767, round(x * 32768))) for x in samples]
        file.writeframes(struct.pack(f"<{len(whole)}h", *whole))


def through_sox(encoding):
    def coded(tmp_path, path):
        middle, out = tmp_path / "middle.wav", tmp_path / "coded.wav"
        sox(path, "-r", 8000, "-c", 1, "-e", encoding, middle)
        sox(middle, "-e", "signed", "-b", 16, out)
        return out

    return coded


def through_a_file(kind, rate=8000):
    """By way of a file that sox writes as samples of that kind, without a header."""

    def coded(tmp_path, path):
        middle, out = tmp_path / "middle", tmp_path / "coded.wav"
        sox(path, "-c", 1, "-t", *kind, "-r", rate, middle)
        sox("-t", *kind, "-r", rate, "-c", 1, middle, "-e", "signed", "-b", 16, out)
        return out

    return coded


L16 = ("raw", "-e", "signed", "-b", 16, "-B")


def through_opus(tmp_path, path):
    """20 ms frames at the rate that libopus itself chooses for speech, by the library itself."""
    raw, out = tmp_path / "opus.raw", tmp_path / "coded.wav"
    sox(path, "-r", 48000, "-c", 1, "-e", "signed", "-b", 16, raw)
    opus = ctypes.CDLL("libopus.so.0")
    for make in (opus.opus_encoder_create, opus.opus_decoder_create):
        make.restype = ctypes.c_void_p
    error = ctypes.c_int()
    voip = 2048
    encoder = ctypes.c_void_p(opus.opus_encoder_create(48000, 1, voip, ctypes.byref(error)))
    decoder = ctypes.c_void_p(opus.opus_decoder_create(48000, 1, ctypes.byref(error)))
    assert encoder.value and decoder.value
    data, heard = raw.read_bytes(), b""
    packet, frame = ctypes.create_string_buffer(1500), ctypes.create_string_buffer(1920)
    for at in range(0, len(data) - 1919, 1920):
        size = opus.opus_encode(encoder, data[at : at + 1920], 960, packet, 1500)
        assert size > 0
        assert opus.opus_decode(decoder, packet, size, frame, 960, 0) == 960
        heard += frame.raw
    opus.opus_encoder_destroy(encoder)
    opus.opus_decoder_destroy(decoder)
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(heard)
    return out


def through_g722(tmp_path, path):
    raw, out = tmp_path / "g722.raw", tmp_path / "coded.wav"
    sox(path, "-r", 16000, "-c", 1, "-e", "signed", "-b", 16, raw)
    spandsp = ctypes.CDLL("libspandsp.so.2")
    for make in (spandsp.g722_encode_init, spandsp.g722_decode_init):
        make.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(spandsp.g722_encode_init(None, 64000, 0))
    decoder = ctypes.c_void_p(spandsp.g722_decode_init(None, 64000, 0))
    data = raw.read_bytes()
    count = len(data) // 2 // 2 * 2
    packed, heard = ctypes.create_string_buffer(count), ctypes.create_string_buffer(2 * count + 64)
    size = spandsp.g722_encode(encoder, packed, data, count)
    got = spandsp.g722_decode(decoder, heard, packed, size)
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(heard.raw[: 2 * got])
    return out


CODERS = {
    "pcmu": through_sox("mu-law"),
    "pcma": through_sox("a-law"),
    "gsm": through_sox("gsm-full-rate"),
    "g722": through_g722,
    "opus": through_opus,
    "l16": through_a_file(L16, 16000),
    "l16-8k": through_a_file(L16),
    "lpc10": through_a_file(("lpc10",)),
}


def passes(sent, heard, codec="pcmu"):
    return speech.compare(sent, heard, codec).figure >= speech.NEEDED[codec]


@pytest.mark.parametrize("codec", sorted(speech.NEEDED))
def test_speech_after_each_codec_and_a_delay_is_known(codec, tmp_path):
    coded, late = CODERS[codec](tmp_path, SPEECH), tmp_path / "late.wav"
    sox(coded, late, "pad", 0.73371, 0.3)
    result = speech.compare(SPEECH, late, codec)
    assert result.figure >= speech.NEEDED[codec]
    assert result.windows == result.voiced > 20
    # Opus and G.722 add a little of their own, and LPC-10 several frames
    assert 733 < result.lag_ms < (900 if codec == "lpc10" else 760)


@pytest.mark.parametrize("codec", sorted(speech.NEEDED))
def test_another_voice_is_not_the_speech_after_any_codec(codec, tmp_path):
    assert not passes(SPEECH, CODERS[codec](tmp_path, OTHER), codec)


@pytest.mark.parametrize("rate", [11025, 16000, 44100, 48000])
def test_both_files_may_have_any_rate(rate, some, tmp_path):
    other = tmp_path / "other.wav"
    sox(some, "-r", rate, other, "pad", 0.1)
    assert speech.compare(some, other).figure > 0.98
    assert speech.compare(other, some).figure > 0.98


def test_resampling_keeps_the_wave_and_its_place():
    for rate in (8000, 16000, 22050, 48000):
        tone = [math.sin(2 * math.pi * 700 * n / rate) for n in range(rate // 2)]
        for delay in (0.0, 0.5):
            made = speech.resample(tone, rate, 8000, delay)
            assert len(made) == 4000
            for n in range(200, 3800):
                wanted = math.sin(2 * math.pi * 700 * (n + delay) / 8000)
                assert abs(made[n] - wanted) < 0.01, (rate, delay, n)


def test_what_8_khz_cannot_carry_is_filtered_away():
    tone = [math.sin(2 * math.pi * 5500 * n / 48000) for n in range(12000)]
    assert max(map(abs, speech.resample(tone, 48000, 8000)[100:-100])) < 0.01


STRETCHES = {
    "a fifth of a sample late": ["pad", 0.200025],
    "a clock 200 ppm fast": ["speed", 1.0002],
    "20 ms cut out in the middle": None,
    "the first 300 ms missing": ["trim", 0.3],
    "half as loud": ["vol", 0.5],
    "four times as quiet, two seconds late": ["vol", 0.25, "pad", 2.0],
}


@pytest.mark.parametrize("how", STRETCHES)
def test_what_a_jitter_buffer_does_is_forgiven(how, some, tmp_path):
    heard = tmp_path / "heard.wav"
    if STRETCHES[how]:
        sox(some, heard, *STRETCHES[how])
    else:
        sound = speech.read(some)
        middle, cut = len(sound.samples) // 2, sound.rate // 50
        write(heard, sound.samples[:middle] + sound.samples[middle + cut :], sound.rate)
    assert passes(some, heard)


WRECKS = {
    "silence": ["vol", 0],
    "nearly silence": ["vol", 0.0005],
    "backwards": ["reverse"],
    "another pitch": ["pitch", 300],
    "another tempo": ["tempo", 1.1],
    "only its first third": ["trim", 0, 1.3],
    "a faster clock": ["speed", 1.05],
}


@pytest.mark.parametrize("how", WRECKS)
def test_what_is_not_the_speech_fails(how, some, tmp_path):
    heard = tmp_path / "heard.wav"
    sox(some, heard, *WRECKS[how])
    assert not passes(some, heard, "opus")
    if how != "another pitch":  # which a vocoder sends apart from what makes the words
        assert not passes(some, heard, "lpc10")


def test_the_same_voice_with_other_words_fails(some, tmp_path):
    rest = tmp_path / "rest.wav"
    sox(SPEECH, "-r", 8000, rest, "trim", 4)
    for codec in ("opus", "lpc10"):
        assert not passes(some, rest, codec)
        assert not passes(rest, some, codec)


NOISES = {"a tone": ["sine", 440], "noise": ["pinknoise"], "a sweep": ["sine", "200-2000"]}


@pytest.mark.parametrize("how", NOISES)
def test_other_sounds_fail(how, some, tmp_path):
    heard = tmp_path / "heard.wav"
    sox("-R", "-n", "-r", 8000, "-b", 16, heard, "synth", 8, *NOISES[how], "vol", 0.3)
    assert not passes(some, heard, "opus")
    assert not passes(some, heard, "lpc10")


@pytest.mark.parametrize(["codec", "packet_ms"], [("opus", 20), ("lpc10", 45)])
def test_speech_with_every_second_packet_lost_fails(codec, packet_ms, some, tmp_path):
    sound = speech.read(some)
    frame = sound.rate * packet_ms // 1000
    holes = [x if n // frame % 2 else 0.0 for n, x in enumerate(sound.samples)]
    write(tmp_path / "holes.wav", holes, sound.rate)
    assert not passes(some, tmp_path / "holes.wav", codec)


def test_speech_under_noise_is_good_enough_for_no_codec(some, tmp_path):
    noise, heard = tmp_path / "noise.wav", tmp_path / "heard.wav"
    sox("-R", some, noise, "synth", "whitenoise", "vol", 0.2)
    sox("-m", "-v", 1, some, "-v", 1, noise, heard)
    assert 0.1 < speech.compare(some, heard).figure < min(speech.NEEDED.values())


def test_the_right_channel_is_heard_on_its_own(tmp_path):
    both = tmp_path / "both.wav"
    shorter, other = tmp_path / "speech.wav", tmp_path / "other.wav"
    sox(SPEECH, "-r", 8000, shorter, "trim", 0, 5)
    sox(OTHER, "-r", 8000, other, "trim", 0, 5)
    sox("-M", other, shorter, both)
    assert speech.compare(shorter, both, channel=1).figure > 0.95
    assert speech.compare(shorter, both, channel=0).figure < 0.7
    with pytest.raises(wave.Error):
        speech.compare(shorter, both, channel=2)


def command(*args):
    done = subprocess.run(
        [sys.executable, speech.__file__, *map(str, args)], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_prints_the_figure_and_its_exit_code_judges(tmp_path):
    code, out, err = command(SPEECH, SPEECH, "pcmu")
    assert (code, err) == (0, "")
    assert float(out.split()[0]) > 0.99
    code, out, err = command(SPEECH, OTHER, "opus")
    assert (code, err) == (1, "")
    assert float(out.split()[0]) < 0.75


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    empty = tmp_path / "empty.wav"
    empty.touch()
    for path in (tmp_path / "none.wav", empty):
        code, out, err = command(SPEECH, path, "pcmu")
        assert (code, out) == (2, "")
        assert path.name in err and "Traceback" not in err
