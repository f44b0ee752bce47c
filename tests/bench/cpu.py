#!/usr/bin/python3
"""bench cpu: what a second of a call costs, PCMU and Opus, each end apart. Prints one JSON line.

CPU ms per second of call, of the one that calls with speech and of the one that sends back what it
hears. A short call runs beside the long one and is subtracted, so that start and end do not count.
base_ms is what a megabyte of SHA-256 costs here; ratios are call-seconds in these.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "tests/e2e/phone.py").exists())
BESIDE = Path(__file__).resolve().parents[2] / "sipcall"  # of a copy below build/tests/bench
if BESIDE.exists():
    os.environ.setdefault("SIPCALL", str(BESIDE))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.dont_write_bytecode = True

from phone import SIPCALL, SPEECH, environment  # noqa: E402

SHORT_S, LONG_S = 1, 11


class End:
    """One sipcall whose CPU time is known when it has ended."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [SIPCALL, "--json", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment(),
        )

    def port(self):
        return json.loads(self.process.stdout.readline())["port"]

    def cpu_ms(self):
        """Waits for its end."""
        events = [json.loads(line) for line in self.process.stdout]
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode == 0, events
        assert events[-1]["received"] > 0
        return (usage.ru_utime + usage.ru_stime) * 1000


def call(codec, seconds):
    sound = ["-o", "null", "--codecs", codec]
    far = End("--answer", "-n", "1", "-l", "udp:127.0.0.1:0", "-i", "loop", *sound)
    uri = f"sip:x@127.0.0.1:{far.port()}"
    near = End("-i", f"file:{SPEECH}", "-d", str(seconds), *sound, uri)
    return near, far


def costs(codec):
    """(calling end, sending-back end) in CPU ms per second of call."""
    long, short = call(codec, LONG_S), call(codec, SHORT_S)
    few = [end.cpu_ms() for end in short]
    many = [end.cpu_ms() for end in long]
    return [(b - a) / (LONG_S - SHORT_S) for a, b in zip(few, many)]


def base():
    megabyte, times = bytes(1 << 20), []
    for _ in range(30):
        before = time.process_time()
        hashlib.sha256(megabyte).digest()
        times.append((time.process_time() - before) * 1000)
    return statistics.median(times)


def main():
    base_ms = base()
    result = {"bench": "cpu", "seconds": LONG_S - SHORT_S, "base_ms": round(base_ms, 3)}
    for codec in ("pcmu", "opus"):
        calling, back = costs(codec)
        result[f"{codec}_calling_ms"] = round(calling, 2)
        result[f"{codec}_loop_ms"] = round(back, 2)
        result[f"{codec}_ratio"] = round((calling + back) / 2 / base_ms, 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
