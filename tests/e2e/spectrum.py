"""Is what a vocoder made the speech that it was given?

A vocoder keeps no wave: it sends pitch, loudness and the shape of the mouth, and the other end
builds a voice from them. What it must keep is how the spectrum's shape goes on from moment to
moment, by which words are known. So each sound becomes a picture, BANDS decibels every HOP_S, less
what each band has on the whole, as that tells the voice, the line and not the words; and pieces of
the two pictures are correlated as speech.py does with waves.
"""

import cmath
import math

RATE = 8000  # of all samples here
HOP_S = 0.01
HOP = int(RATE * HOP_S)
SIZE = 256  # samples of a spectrum; a power of two
LOW_HZ, HIGH_HZ, BANDS = 200, 3400, 16
RANGE_DB = 50  # what is further below the loudest moment is silence

WINDOW = [0.5 - 0.5 * math.cos(2 * math.pi * n / SIZE) for n in range(SIZE)]
TURNS = [cmath.exp(-2j * math.pi * n / SIZE) for n in range(SIZE // 2)]
EDGES = [
    round((LOW_HZ + (HIGH_HZ - LOW_HZ) * n / BANDS) * SIZE / RATE) for n in range(BANDS + 1)
]


def transform(samples):
    """The discrete Fourier transform of 2, 4, ... SIZE samples."""
    size = len(samples)
    if size == 1:
        return samples
    even, odd = transform(samples[0::2]), transform(samples[1::2])
    step = SIZE // size
    turned = [x * TURNS[n * step] for n, x in enumerate(odd)]
    return [a + b for a, b in zip(even, turned)] + [a - b for a, b in zip(even, turned)]


def picture(samples):
    """A row of BANDS decibels for each HOP."""
    rows = []
    for start in range(0, len(samples) - SIZE + 1, HOP):
        piece = samples[start : start + SIZE]
        bins = transform([x * w for x, w in zip(piece, WINDOW)])
        power = [x.real * x.real + x.imag * x.imag for x in bins[: EDGES[-1]]]
        rows.append([sum(power[a:b]) for a, b in zip(EDGES, EDGES[1:])])
    if not rows:
        return []
    floor = max(max(map(max, rows)) * 10 ** (-RANGE_DB / 10), 1e-12)
    rows = [[10 * math.log10(power + floor) for power in row] for row in rows]
    means = [sum(band) / len(rows) for band in zip(*rows)]
    return [[level - mean for level, mean in zip(row, means)] for row in rows]
