#!/usr/bin/python3
"""Is what was heard the speech that was sent?

    speech.py [--channel N] SENT.wav HEARD.wav CODEC

An adaptive jitter buffer stretches and shrinks what it plays, so one correlation over the whole
is no measure. The speech is cut into windows of 100 ms; the loud ones are kept; each is looked for
in what was heard, at most 40 ms around the place where the whole fits best. The figure is the
median of their normalised correlations: 1 is the same wave; another voice, or the same with other
words, stays below 0.4. How much each codec must reach is in NEEDED. What holds less than half of
the speech counts as 0. After a vocoder (VOCODERS), which makes another wave, the same is done with
the pictures of spectrum.py.

Only the standard library: about a second for 8 s of speech. Exit code 0: it is the speech; 1: it
is not; 2: a file cannot be read.
"""

import argparse
import math
import statistics
import sys
import wave
from array import array
from collections import namedtuple
from operator import mul

import spectrum

NEEDED = {"pcmu": 0.95, "pcma": 0.95, "g722": 0.85, "gsm": 0.80, "opus": 0.75}
NEEDED.update({"l16": 0.95, "l16-8k": 0.95, "lpc10": 0.75})
VOCODERS = ("lpc10",)

RATE = 8000  # everything is compared in the band that all codecs carry
WINDOW_S = 0.1
REACH_S = 0.04  # how far a window may stand from the place of the whole
SHIFT_S = 3.0  # how far the whole may stand from where it was sent
BLOCK_S = 0.005  # of the envelope
GATE_DB = 20  # windows this far below the loudest ones are no speech
QUIETEST = 1e-3  # full scale is 1: below -60 dB there is nothing to compare

Sound = namedtuple("Sound", "rate samples")
Result = namedtuple("Result", "figure tenth windows voiced lag_ms")


def read(path, channel=0):
    """One channel of a WAV file as a Sound, full scale 1."""
    with wave.open(str(path), "rb") as file:
        channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
        data = file.readframes(file.getnframes())
    if channel >= channels:
        raise wave.Error(f"it has no channel {channel}")
    if width == 2:
        samples = array("h", data[: len(data) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
        return Sound(rate, [x / 32768 for x in samples[channel::channels]])
    if width == 1:
        return Sound(rate, [(x - 128) / 128 for x in data[channel::channels]])
    raise wave.Error(f"{8 * width} bits a sample are not understood")


def resample(samples, rate, to, delay=0.0):
    """A windowed sinc, evaluated at each phase that the two rates have in common; what comes out
    stands delay of its samples earlier."""
    common = math.gcd(rate, to)
    up, down = to // common, rate // common
    if up == down and delay == 0.0:
        return list(samples)
    scale = min(1.0, to / rate)  # the pass band against that of the input
    cutoff = 0.95 * scale
    half = math.ceil(16 / scale)

    def tap(distance):  # in input samples
        if abs(distance) >= half:
            return 0.0
        hann = 0.5 + 0.5 * math.cos(math.pi * distance / half)
        x = math.pi * cutoff * distance
        return cutoff * hann * (math.sin(x) / x if x else 1.0)

    shift = delay * rate / to
    whole, part = math.floor(shift), shift - math.floor(shift)
    phases = [
        [tap(k - half - phase / up - part) for k in range(2 * half + 2)] for phase in range(up)
    ]
    padded = [0.0] * (half + max(0, -whole)) + list(samples)
    padded += [0.0] * (half + 2 + max(0, whole))
    out = []
    for n in range(len(samples) * up // down):
        at, phase = divmod(n * down, up)
        at += whole + max(0, -whole)
        out.append(sum(map(mul, padded[at : at + 2 * half + 2], phases[phase])))
    return out


def energies(samples):
    """sums[b] - sums[a] is the energy of samples[a:b]."""
    sums, total = [0.0], 0.0
    for x in samples:
        total += x * x
        sums.append(total)
    return sums


def envelope(samples):
    size = int(RATE * BLOCK_S)
    sums = energies(samples)
    return [
        math.sqrt(max(0.0, sums[i + size] - sums[i]) / size)
        for i in range(0, len(samples) - size + 1, size)
    ]


def likeness(a, b):
    """The normalised correlation of two lists about their means."""
    n = len(a)
    mean_a, mean_b = sum(a) / n, sum(b) / n
    norm_a = sum(map(mul, a, a)) - n * mean_a * mean_a
    norm_b = sum(map(mul, b, b)) - n * mean_b * mean_b
    if norm_a <= 0 or norm_b <= 0:
        return 0.0
    return (sum(map(mul, a, b)) - n * mean_a * mean_b) / math.sqrt(norm_a * norm_b)


def likely_lags(sent, heard, count=4):
    """Where heard's loudness goes as sent's, best first, in samples; each well apart."""
    a, b = envelope(sent), envelope(heard)
    reach = int(SHIFT_S / BLOCK_S)
    least = max(1, min(len(a), len(b)) // 2)
    scored = []
    for lag in range(-reach, reach + 1):
        start, end = max(0, -lag), min(len(a), len(b) - lag)
        if end - start >= least:
            scored.append((likeness(a[start:end], b[start + lag : end + lag]), lag))
    scored.sort(reverse=True)
    found = []
    for _, lag in scored:
        if all(abs(lag - other) * BLOCK_S > REACH_S for other in found):
            found.append(lag)
            if len(found) == count:
                break
    return [int(lag * BLOCK_S * RATE) for lag in found]


class Side:
    """One of the two sounds, at one rate, with its energies."""

    def __init__(self, samples, rate):
        self.samples = samples
        self.rate = rate
        self.sums = energies(samples)

    def energy(self, start, size):
        return max(0.0, self.sums[start + size] - self.sums[start])


def match(sent, heard, start, lags):
    """How well sent's window at start fits heard at each lag, all in samples: (figure, lag)s."""
    size = int(sent.rate * WINDOW_S)
    window = sent.samples[start : start + size]
    own = sent.energy(start, size)
    quiet = QUIETEST * QUIETEST * size
    out = []
    for lag in lags:
        at = start + lag
        if at < 0 or at + size > len(heard.samples):
            continue
        energy = heard.energy(at, size)
        if energy < quiet:
            out.append((0.0, lag))
            continue
        both = sum(map(mul, window, heard.samples[at : at + size]))
        out.append((both / math.sqrt(own * energy), lag))
    return out


def voiced_windows(sent):
    """Where the windows with speech start."""
    size = int(sent.rate * WINDOW_S)
    starts = range(0, len(sent.samples) - size + 1, size)
    loud = sorted(sent.energy(start, size) for start in starts)
    if not loud:
        return []
    # The loudest twentieth is left out of account, so that a click does not set the gate.
    gate = loud[int(0.95 * (len(loud) - 1))] * 10 ** (-GATE_DB / 10)
    gate = max(gate, QUIETEST * QUIETEST * size)
    return [start for start in starts if sent.energy(start, size) >= gate]


def place(sent, heard, voiced, candidates):
    """The lag, at the coarse rate, at which a few loud windows fit best together."""
    size = int(sent.rate * WINDOW_S)
    loudest = sorted(voiced, key=lambda start: sent.energy(start, size), reverse=True)
    some = loudest[: max(8, len(loudest) // 4) : 2]
    reach = int(REACH_S * sent.rate)
    best = (-1.0, 0)
    for candidate in candidates:
        found = []
        for start in some:
            fits = match(sent, heard, start, range(candidate - reach, candidate + reach + 1, 1))
            if fits:
                found.append(max(fits))
        if len(found) >= max(1, len(some) // 2):
            score = statistics.fmean(figure for figure, _ in found)
            lag = statistics.median_low(lag for _, lag in found)
            best = max(best, (score, lag))
    return best[1]


def fits(sent, heard, start, lags):
    """How well sent's piece at start fits heard at each lag, all in rows of pictures."""
    size = round(WINDOW_S / spectrum.HOP_S)
    piece = sum(sent[start : start + size], [])
    for lag in lags:
        other = heard[max(0, start + lag) : start + lag + size]
        if start + lag >= 0 and len(other) * spectrum.BANDS == len(piece):
            yield likeness(piece, sum(other, [])), lag


def compare_pictures(sent, heard, voiced):
    """The Result for two Sides after a vocoder. Its figure is that which three windows of four
    reach, as pictures know a moment from its neighbours less well than waves do."""
    lags = [lag // spectrum.HOP for lag in likely_lags(sent.samples, heard.samples)]
    starts = [start // spectrum.HOP for start in voiced]
    sent, heard = spectrum.picture(sent.samples), spectrum.picture(heard.samples)
    reach = round(REACH_S / spectrum.HOP_S)
    best = Result(0.0, 0.0, 0, len(voiced), 0.0)
    for middle in lags:
        around = range(middle - reach, middle + reach + 1)
        found = [max(fit) for start in starts if (fit := list(fits(sent, heard, start, around)))]
        if len(found) * 2 < len(voiced):
            continue
        figures, places = sorted(figure for figure, _ in found), [lag for _, lag in found]
        lag_ms = statistics.median(places) * spectrum.HOP_S * 1000
        tenth = figures[len(figures) // 10]
        figure = figures[len(figures) // 4]
        best = max(best, Result(figure, tenth, len(found), len(voiced), lag_ms))
    return best


def compare(sent_path, heard_path, codec="pcmu", channel=0):
    """The Result for two files; of codec it matters only whether it is a vocoder. Raises OSError,
    wave.Error or EOFError for a file that cannot be read."""
    if codec not in NEEDED:
        raise KeyError(codec)
    sent_sound, heard_sound = read(sent_path), read(heard_path, channel)
    sent = Side(resample(sent_sound.samples, sent_sound.rate, RATE), RATE)
    voiced = voiced_windows(sent)
    # Half a sample in between: the far end's clock need not stand on our grid.
    grids = [
        Side(resample(heard_sound.samples, heard_sound.rate, RATE, delay), RATE)
        for delay in (0.0, 0.5)
    ]
    heard = grids[0]
    nothing = Result(0.0, 0.0, 0, len(voiced), 0.0)
    if not voiced or heard.energy(0, len(heard.samples)) < QUIETEST**2 * RATE * WINDOW_S:
        return nothing
    if codec in VOCODERS:
        return compare_pictures(sent, heard, voiced)

    coarse_rate = RATE // 2
    coarse_sent = Side(resample(sent.samples, RATE, coarse_rate), coarse_rate)
    coarse_heard = Side(resample(heard.samples, RATE, coarse_rate), coarse_rate)
    coarse_voiced = [start // 2 for start in voiced]
    candidates = [lag // 2 for lag in likely_lags(sent.samples, heard.samples)]
    middle = place(coarse_sent, coarse_heard, coarse_voiced, candidates)

    reach = int(REACH_S * coarse_rate)
    figures, lags = [], []
    for start in voiced:
        fits = match(
            coarse_sent, coarse_heard, start // 2, range(middle - reach, middle + reach + 1)
        )
        fits.sort(reverse=True)
        best = (-1.0, 0)
        for _, lag in fits[:3]:
            for grid in grids:
                for fit in match(sent, grid, start, range(2 * lag - 2, 2 * lag + 3)):
                    best = max(best, fit)
        if fits:
            figures.append(best[0])
            lags.append(best[1])
    if len(figures) * 2 < len(voiced):
        return nothing
    tenth = sorted(figures)[len(figures) // 10]
    return Result(
        statistics.median(figures),
        tenth,
        len(figures),
        len(voiced),
        statistics.median(lags) * 1000 / RATE,
    )


def main():
    parser = argparse.ArgumentParser(
        description="Tells whether HEARD holds the speech of SENT: the figure first, then why."
    )
    parser.add_argument("--channel", type=int, default=0, help="of HEARD: 0 is left, 1 is right")
    parser.add_argument("sent")
    parser.add_argument("heard")
    parser.add_argument("codec", choices=sorted(NEEDED))
    args = parser.parse_args()
    try:
        result = compare(args.sent, args.heard, args.codec, args.channel)
    except (OSError, EOFError, wave.Error) as error:
        print(f"speech.py: {args.sent}, {args.heard}: {error or 'cut short'}", file=sys.stderr)
        return 2
    needed = NEEDED[args.codec]
    print(
        f"{result.figure:.3f}  {args.codec} needs {needed:.2f}; {result.windows} of"
        f" {result.voiced} windows of speech, {result.lag_ms:.1f} ms later"
    )
    return 0 if result.figure >= needed else 1


if __name__ == "__main__":
    sys.exit(main())
