"""What a person hears of a call besides the far end: ring-back, busy, failure, and the ring."""

import math
import signal
import struct
import time
import wave

import pytest

from phone import Media, Peer, answerer, caller, environment, sdp
from sound import Sound
from tones import bursts

HEARD = {"speaker": "default"}
RING = (800, 1000)


# A second device, which is a sink of the same daemon.
BELL = """
pcm.bell {{ type pulse server "unix:{socket}" device spk_bell hint {{ show on description bell }} }}
"""


@pytest.fixture
def sound():
    return Sound()


def spans(found, tone):
    return [burst.length for burst in found if burst.hz == tone]


def pauses(found, tone):
    own = [burst for burst in found if burst.hz == tone]
    return [b.start - (a.start + a.length) for a, b in zip(own, own[1:])]


def near_to(lengths, expected):
    return all(abs(length - expected) <= 0.06 for length in lengths)


def tone_file(path, hz, seconds):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        turn = 2 * math.pi * hz / 16000
        for i in range(int(16000 * seconds)):
            file.writeframes(struct.pack("<h", int(8000 * math.sin(turn * i))))
    return path


def test_ring_back_until_the_answer(sound):
    peer, media = Peer(), Media()
    with sound.record("spk") as heard:
        near = caller(peer.uri(), "--country", "es", env=sound.env, **HEARD)
        invite = peer.expect("INVITE")
        peer.respond(invite, 180, peer.contact())
        near.event("call.ringing")
        peer.nothing(6)
        peer.answer(invite, media.port)
        near.event("call.answered")
        media.wait(40)
        near.signal(signal.SIGINT)
        peer.respond(peer.expect("BYE"), 200)
        assert near.exit() == 0
    found = bursts(heard, [425])
    assert {burst.hz for burst in found} == {425}
    assert len(found) == 2  # the second maybe cut by the answer
    assert near_to(spans(found, 425)[:1], 1.5) and near_to(pauses(found, 425), 3.0)
    assert found[1].length < 1.7


def test_ring_back_gives_way_to_early_media(sound):
    peer, media = Peer(), Media()
    with sound.record("spk") as heard:
        near = caller(peer.uri(), "--country", "de", env=sound.env, **HEARD)
        invite = peer.expect("INVITE")
        peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
        near.event("call.media")
        peer.respond(invite, 180, peer.contact())
        near.event("call.ringing")
        media.wait(100)
        near.signal(signal.SIGINT)
        peer.respond(peer.expect("CANCEL"), 200)
        peer.respond(invite, 487)
        assert near.exit() == 130
    assert bursts(heard, [425]) == []


@pytest.mark.parametrize(
    "code, exits, country, tone, on, off",
    [
        (486, 5, "us", (480, 620), 0.5, 0.5),
        (603, 5, "gb", 400, 0.375, 0.375),
        (500, 4, "de", 425, 0.24, 0.24),
        (503, 3, "us", (480, 620), 0.25, 0.25),
    ],
)
def test_what_tells_of_the_end(sound, code, exits, country, tone, on, off):
    peer = Peer()
    with sound.record("spk") as heard:
        near = caller(peer.uri(), "--country", country, env=sound.env, **HEARD)
        peer.respond(peer.expect("INVITE"), code)
        peer.expect("ACK")
        near.event("call.ended", code=code)
        assert near.exit(8) == exits
    found = bursts(heard, [tone])
    assert {burst.hz for burst in found} == {tone}
    assert near_to(spans(found, tone)[:-1], on) and near_to(pauses(found, tone), off)
    assert 2.2 < found[-1].start + found[-1].length - found[0].start < 3.2


def test_nobody_of_that_name(sound):
    peer = Peer()
    with sound.record("spk") as heard:
        near = caller(peer.uri(), env=dict(sound.env, LC_ALL="de_DE.UTF-8"), **HEARD)
        peer.respond(peer.expect("INVITE"), 404)
        peer.expect("ACK")
        assert near.exit(8) == 4
    found = bursts(heard, [950, 1400, 1800])
    assert [burst.hz for burst in found[:4]] == [950, 1400, 1800, 950]
    assert near_to([burst.length for burst in found[:3]], 0.33)


def test_ctrl_c_cuts_the_tone_and_keeps_the_exit_code(sound):
    peer = Peer()
    near = caller(peer.uri(), env=sound.env, **HEARD)
    peer.respond(peer.expect("INVITE"), 486)
    peer.expect("ACK")
    near.event("call.ended")
    before = time.monotonic()
    near.signal(signal.SIGINT)
    assert near.exit() == 5
    assert time.monotonic() - before < 2


def test_files_instead(sound, tmp_path):
    busy = tone_file(tmp_path / "busy.wav", 700, 1)
    ringback = tone_file(tmp_path / "ringback.wav", 1100, 0.3)
    peer = Peer()
    with sound.record("spk") as heard:
        near = caller(
            peer.uri(),
            *("--busy-tone", busy, "--ringback-tone", ringback),
            env=sound.env,
            **HEARD,
        )
        invite = peer.expect("INVITE")
        peer.respond(invite, 180, peer.contact())
        peer.nothing(1.5)
        peer.respond(invite, 486)
        peer.expect("ACK")
        assert near.exit() == 5
    found = bursts(heard, [700, 1100, 425])
    assert {burst.hz for burst in found} == {700, 1100}
    assert sum(spans(found, 1100)) > 1.0  # again and again
    assert near_to(spans(found, 700), 1.0)


def test_silence_instead(sound):
    peer = Peer()
    with sound.record("spk") as heard:
        near = caller(peer.uri(), "--busy-tone", "none", env=sound.env, **HEARD)
        peer.respond(peer.expect("INVITE"), 486)
        peer.expect("ACK")
        before = time.monotonic()
        assert near.exit() == 5
        assert time.monotonic() - before < 2
    assert bursts(heard, [425]) == []


def test_a_call_rings_where_it_is_to(tmp_path):
    sound = Sound("ear", "bell")
    config = tmp_path / "asound.conf"
    alsa = (sound.folder / "asound.conf").read_text()
    config.write_text(alsa + BELL.format(socket=sound.socket))
    with sound.record("spk_bell") as bell, sound.record("spk_ear") as speaker:
        far = answerer(
            *("-n", "1", "--ring-device", "device:bell", "--country", "gb"),
            answer="--answer=2",
            speaker="default",
            env=dict(sound.env, ALSA_CONFIG_PATH=str(config)),
        )
        near = caller(far.uri(), "-d", "1")
        assert near.exit(8) == 0
        assert far.exit() == 0
    rings = bursts(bell, [RING])
    assert [burst.hz for burst in rings] == [RING] * 2  # twice 0.4 s, and then a pause
    assert near_to(spans(rings, RING), 0.4) and near_to(pauses(rings, RING), 0.2)
    assert bursts(speaker, [RING]) == []


def test_a_call_that_is_answered_at_once_does_not_ring(sound):
    with sound.record("spk") as heard:
        far = answerer("-n", "1", speaker="default", env=sound.env)
        near = caller(far.uri(), "-d", "1")
        assert near.exit() == 0
        assert far.exit() == 0
    assert bursts(heard, [RING]) == []


def test_a_bell_that_is_not_there(sound):
    far = answerer(
        *("-n", "1", "--ring-device", "device:nobody"),
        answer="--answer=1",
        env=sound.env,
    )
    assert far.exit() == 9
    assert "--ring-device" in far.err.text and "nobody" in far.err.text


def test_no_tone_gets_into_a_file(tmp_path):
    peer, media = Peer(), Media()
    speaker = tmp_path / "heard.wav"
    near = caller(peer.uri(), "--country", "de", speaker=f"file:{speaker}")
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    peer.respond(invite, 180, peer.contact())
    media.wait(50)
    peer.respond(invite, 486)
    before = time.monotonic()
    assert near.exit() == 5
    assert time.monotonic() - before < 2  # nor is one waited for
    assert bursts(speaker, [425]) == []


def test_a_machine_without_devices_ends_at_once(tmp_path):
    config = tmp_path / "asound.conf"
    config.write_text("pcm.nothing { type hw card 99 }\n")
    peer = Peer()
    near = caller(peer.uri(), speaker="default", env=environment(ALSA_CONFIG_PATH=str(config)))
    peer.respond(peer.expect("INVITE"), 486)
    peer.expect("ACK")
    near.event("call.ended")
    before = time.monotonic()
    assert near.exit() == 5
    assert time.monotonic() - before < 2
    assert not near.having("error")
