"""Which tones are in a recording, and when: bursts of one of some frequencies, with their times."""

import math
import wave
from array import array
from collections import namedtuple

BLOCK_S = 0.02
GATE = 10 ** (-35 / 20)  # of full scale: what is softer is a pause
BREAK_S = 0.07  # a device of a busy machine runs dry for less, and no tone pauses so shortly
SHARE = 0.5  # of a block's power that a tone has to have
BROKEN_S = 0.2  # a device that runs dry again and again breaks a tone into what is none for as long

Burst = namedtuple("Burst", "hz start length")


def read(path):
    """(rate, samples of the first channel, full scale 1)."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        samples = array("h", file.readframes(file.getnframes()))[:: file.getnchannels()]
        return file.getframerate(), [sample / 32768 for sample in samples]


def power(block, hz, rate):
    """The power of hz in a block (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hz / rate)
    last = before = 0.0
    for sample in block:
        last, before = sample + turn * last - before, last
    return 2 * (last * last + before * before - turn * last * before) / len(block) ** 2


def of_block(block, tones, rate):
    """The one of tones (each one frequency, or several at once) that a block is, or None."""
    whole = sum(sample * sample for sample in block) / len(block)
    if whole < GATE * GATE / 2:
        return None
    shares = {}
    for tone in tones:
        frequencies = tone if isinstance(tone, tuple) else (tone,)
        shares[tone] = sum(power(block, hz, rate) for hz in frequencies) / whole
    best = max(shares, key=shares.get)
    return best if shares[best] >= SHARE else 0


def bursts(path, tones):
    """The bursts in a recording, in order; of hz 0 what is loud and none of tones."""
    rate, samples = read(path)
    step = 4 if rate >= 32000 else 1  # tones lie far below; what lies above is no matter
    samples, rate = samples[::step], rate // step
    size = int(rate * BLOCK_S)
    found = []
    for i in range(len(samples) // size):
        tone = of_block(samples[i * size : (i + 1) * size], tones, rate)
        if tone is None:
            continue
        start = begin = i * BLOCK_S
        while found and found[-1].hz == 0 and tone and found[-1].length < BROKEN_S:
            broken = found.pop()
            if begin - (broken.start + broken.length) < BREAK_S:
                begin = broken.start
        last = found[-1] if found else None
        if last and last.hz == tone and begin - (last.start + last.length) < BREAK_S:
            found[-1] = Burst(tone, last.start, start + BLOCK_S - last.start)
        else:
            found.append(Burst(tone, start, BLOCK_S))
    # at its edges, and where it breaks, a burst is neither loud nor pure
    return [burst for burst in found if burst.length > (2.5 * BLOCK_S if burst.hz else BROKEN_S)]
