#!/usr/bin/python3
"""bench start: from exec to `listening`, and what is in memory then; and to the prompt. Prints one
JSON line.

Medians of RUNS starts; base_ms is what /bin/true takes from exec to its end, and ratio says how
many of them a start is worth. empty_ms is the same of a program that does nothing, but has all the
libraries that the prompt has when it stands; prompt_ratio how many of those a prompt is worth.
"""

import json
import os
import pty
import signal
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

from phone import SIPCALL, environment  # noqa: E402

RUNS = 20
ARGS = ["--json", "--answer", "-l", "udp:127.0.0.1:0", "-i", "silence", "-o", "null"]


def start():
    """One start: (ms to `listening`, RSS in kB, shared objects)."""
    before = time.monotonic()
    process = subprocess.Popen([SIPCALL, *ARGS], stdout=subprocess.PIPE, env=environment())
    line = process.stdout.readline()
    ms = (time.monotonic() - before) * 1000
    try:
        assert json.loads(line)["event"] == "listening", line
        proc = Path("/proc") / str(process.pid)
        rss = next(row for row in (proc / "status").read_text().splitlines() if "VmRSS" in row)
        maps = (proc / "maps").read_text().splitlines()
        objects = {row.split()[-1] for row in maps if ".so" in row.split()[-1]}
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 0
    return ms, int(rss.split()[1]), len(objects)


def prompt():
    """ms until the prompt stands in a terminal."""
    ours, theirs = pty.openpty()
    args = ["-l", "udp:127.0.0.1:0", "-i", "silence", "-o", "null", "-q"]
    before = time.monotonic()
    process = subprocess.Popen(
        [SIPCALL, *args], stdin=theirs, stdout=theirs, stderr=theirs, env=environment()
    )
    shown = b""
    while b"> " not in shown:
        shown += os.read(ours, 4096)
    ms = (time.monotonic() - before) * 1000
    os.write(ours, b"quit\n")
    process.wait()
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    return ms


def run(program):
    """ms from exec to its end."""
    before = time.monotonic()
    with subprocess.Popen([program], env=environment()) as process:
        process.wait()
    return (time.monotonic() - before) * 1000


def main():
    empty = Path(__file__).resolve().parent / "empty"
    starts, bases, prompts, empties = [], [], [], []
    for _ in range(RUNS):
        starts.append(start())
        bases.append(run("/bin/true"))
        prompts.append(prompt())
        empties.append(run(empty))
    ready_ms, rss_kb, objects = map(statistics.median, zip(*starts))
    base_ms = statistics.median(bases)
    prompt_ms, empty_ms = statistics.median(prompts), statistics.median(empties)
    result = {
        "bench": "start",
        "runs": RUNS,
        "listening_ms": round(ready_ms, 2),
        "rss_kb": int(rss_kb),
        "shared_objects": int(objects),
        "base_ms": round(base_ms, 2),
        "ratio": round(ready_ms / base_ms, 2),
        "prompt_ms": round(prompt_ms, 2),
        "empty_ms": round(empty_ms, 2),
        "prompt_ratio": round(prompt_ms / empty_ms, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
