#!/usr/bin/python3
"""bench mouth2ear [CODEC]: how long a sound takes from one phone's microphone to the other's
loudspeaker, both devices of a PulseAudio of our own. Prints one JSON line.

Once a second a click goes into the microphone's sink; the delay is from there to the sink of the
loudspeaker, both recorded by one server.
"""

import json
import math
import os
import signal
import statistics
import struct
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "tests/e2e/phone.py").exists())
BESIDE = Path(__file__).resolve().parents[2] / "sipcall"  # of a copy below build/tests/bench
if BESIDE.exists():
    os.environ.setdefault("SIPCALL", str(BESIDE))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.dont_write_bytecode = True

from phone import answerer, caller, close_all  # noqa: E402
from sound import RATE, Sound  # noqa: E402

CLICKS = 20
SETTLED = 2  # reports of statistics, five seconds each
CLICK_HZ = 1000
CLICK_SAMPLES = RATE // 100
LOUD = 1500


def write_clicks(path):
    samples = [0] * (RATE * (CLICKS + 1))
    for n in range(CLICKS):
        at = n * RATE + RATE // 2
        for i in range(CLICK_SAMPLES):
            samples[at + i] = int(20000 * math.sin(2 * math.pi * CLICK_HZ * i / RATE))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", None))
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


class Recorder:
    """Records a sink, and knows when: two of them begin some ten milliseconds apart, which is as
    much as there is to be measured. A sample is there no sooner than the bytes that have it, so the
    piece that came the fastest tells when the first one was."""

    def __init__(self, sound, sink):
        argv = ["parec", "-d", f"{sink}.monitor", "--raw", "--format=s16le"]
        argv += [f"--rate={RATE}", "--channels=1", "--latency-msec=10"]
        self.data = b""
        self.began_s = math.inf
        self.begun = threading.Event()
        self.popen = subprocess.Popen(argv, stdout=subprocess.PIPE, env=sound.env)
        self.thread = threading.Thread(target=self.read, daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.begun.wait(5)
        return self

    def __exit__(self, *_):
        self.popen.terminate()
        self.thread.join()
        self.popen.wait()

    def read(self):
        while piece := os.read(self.popen.stdout.fileno(), 65536):
            now_s = time.monotonic()
            self.data += piece
            self.began_s = min(self.began_s, now_s - len(self.data) / 2 / RATE)
            self.begun.set()

    def onsets(self):
        """When sound began, in ms, at most twice a second."""
        samples = struct.unpack(f"<{len(self.data) // 2}h", self.data[: len(self.data) // 2 * 2])
        loud = max(LOUD, max(map(abs, samples), default=0) // 4)
        found, at = [], 0
        while at < len(samples):
            if abs(samples[at]) > loud:
                found.append((self.began_s + at / RATE) * 1000)
                at += RATE // 2
            else:
                at += 1
        return found


def measure(codec):
    sound = Sound("a", "b")
    devices = {"mic": "default", "speaker": "default"}
    far = answerer("-n", "1", env=sound.env_of("b"), **devices)
    near = caller(far.uri(), "--codecs", codec, env=sound.env_of("a"), **devices)
    far.event("call.stats", 20, nth=SETTLED)
    clicks = sound.folder / "clicks.wav"
    write_clicks(clicks)
    with Recorder(sound, "mic_a") as said, Recorder(sound, "spk_b") as heard:
        player = sound.play(clicks, "mic_a")
        assert player.exit(CLICKS + 10) == 0
    stats = far.having("call.stats")[-1]
    near.signal(signal.SIGINT)
    assert (near.exit(), far.exit()) == (0, 0)
    return said.onsets(), heard.onsets(), stats


def main():
    codec = sys.argv[1] if len(sys.argv) > 1 else "pcmu"
    said, heard, stats = measure(codec)
    delays = [min((b - a for b in heard if b > a), default=math.inf) for a in said]
    delays = [delay for delay in delays if delay < 900]
    print(json.dumps({
        "bench": "mouth2ear",
        "codec": codec,
        "clicks": len(said),
        "heard": len(delays),
        "median_ms": round(statistics.median(delays), 1) if delays else None,
        "min_ms": round(min(delays), 1) if delays else None,
        "max_ms": round(max(delays), 1) if delays else None,
        "buffer_ms": stats["buffer_ms"],
    }))  # fmt: skip
    close_all()


if __name__ == "__main__":
    main()
