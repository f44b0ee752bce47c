#!/usr/bin/python3
"""bench registrations [ACCOUNTS [SECONDS [EXPIRES]]]: many accounts of one process, kept registered
at Kamailio, by UDP and with passwords. Prints one JSON line; before that, each minute, one to
standard error of how it stands.

EXPIRES is what the registrar gives each of them, in seconds. all_s is the time until the last of
them was registered; from there on, for SECONDS, cpu_pct is that of one core, and refresh_ms what a
refresh costs of it (REGISTER and 200, and now and then a 401 between, as nonces grow old).
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = next(p for p in Path(__file__).resolve().parents if (p / "tests/e2e/phone.py").exists())
BESIDE = Path(__file__).resolve().parents[2] / "sipcall"  # of a copy below build/tests/bench
if BESIDE.exists():
    os.environ.setdefault("SIPCALL", str(BESIDE))
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "interop")]
sys.dont_write_bytecode = True

from kamailio import Kamailio  # noqa: E402
from phone import SIPCALL, environment  # noqa: E402

ACCOUNTS, SECONDS, EXPIRES = 1000, 15, 20
MINUTE = 60
ARGS = ["--json", "-q", "--answer", "-l", "udp:127.0.0.1:0", "-i", "silence", "-o", "null"]


def configuration(path, count, registrar):
    """With a password for each of them."""
    section = (
        "[account u{0}]\naddress = u{0}@sip.test\nregistrar = {1}\npassword = secret\n"
        "expires = 86400\n"
    )
    path.touch(0o600)
    path.write_text("".join(section.format(i, registrar) for i in range(count)))


class Usage:
    """CPU seconds and memory of a process, as the system counts them."""

    def __init__(self, pid):
        proc = Path("/proc") / str(pid)
        ticks = (proc / "stat").read_text().rpartition(")")[2].split()
        self.cpu_s = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        rows = dict(row.split(":", 1) for row in (proc / "status").read_text().splitlines())
        self.rss_kb = int(rows["VmRSS"].split()[0])


class Run:
    def __init__(self, process, accounts):
        self.process = process
        self.accounts = accounts
        self.rest = b""  # of a line that is not whole yet
        self.begin = time.monotonic()
        self.counts = Counter()
        self.known = set()
        self.words = Counter()  # of what failed
        self.told_s = 0
        self.all_s = None

    def count(self, line):
        event = json.loads(line)
        name = event["event"]
        self.counts[name] += 1
        if name == "registration.ok":
            self.known.add(event["account"])
        elif name != "listening":
            self.words[f"{name} {event.get('code')} {event.get('reason')}"] += 1
        now_s = time.monotonic() - self.begin
        if self.all_s is None and len(self.known) == self.accounts:
            self.all_s = now_s
            self.first = (now_s, Usage(self.process.pid), self.counts.copy())

    def sample(self, now_s):
        usage = Usage(self.process.pid)
        return {
            "s": round(now_s, 1),
            "registered": len(self.known),
            "ok": self.counts["registration.ok"],
            "failed": self.counts["registration.failed"],
            "lost": self.counts["registration.lost"],
            "cpu_s": usage.cpu_s,
            "rss_kb": usage.rss_kb,
            "words": dict(self.words),
        }

    def tell(self):
        now_s = time.monotonic() - self.begin
        if now_s - self.told_s >= MINUTE:
            self.told_s = now_s
            print(json.dumps(self.sample(now_s)), file=sys.stderr, flush=True)

    def read(self, limit_s):
        """Counts what comes within that time."""
        ready, _, _ = select.select([self.process.stdout], [], [], limit_s)
        if not ready:
            return
        more = os.read(self.process.stdout.fileno(), 1 << 16)
        assert more, f"it ended: {self.sample(time.monotonic() - self.begin)}"
        *lines, self.rest = (self.rest + more).split(b"\n")
        for line in lines:
            self.count(line)

    def follow(self, seconds):
        """Until all are registered, and seconds more."""
        while self.all_s is None or time.monotonic() - self.begin < self.all_s + seconds:
            self.read(1)
            self.tell()

    def result(self):
        now_s = time.monotonic() - self.begin
        from_s, before, counts = self.first
        after = Usage(self.process.pid)
        cpu_s = after.cpu_s - before.cpu_s
        refreshes = self.counts["registration.ok"] - counts["registration.ok"]
        return {
            "bench": "registrations",
            "accounts": self.accounts,
            "all_s": round(self.all_s, 2),
            "all_cpu_s": before.cpu_s,
            "first_failed": counts["registration.failed"],
            "seconds": round(now_s - from_s),
            "refreshes": refreshes,
            "failed": self.counts["registration.failed"] - counts["registration.failed"],
            "lost": self.counts["registration.lost"],
            "cpu_pct": round(100 * cpu_s / (now_s - from_s), 2),
            "refresh_ms": round(1000 * cpu_s / refreshes, 3) if refreshes else None,
            "rss_first_kb": before.rss_kb,
            "rss_kb": after.rss_kb,
        }


def main():
    given = [int(word) for word in sys.argv[1:]]
    accounts, seconds, expires = given + [ACCOUNTS, SECONDS, EXPIRES][len(given):]
    memory_mb = 16 + accounts // 250
    with tempfile.TemporaryDirectory() as folder, \
            Kamailio(max_expires_s=expires, memory_mb=memory_mb) as server:
        path = Path(folder) / "sipcall.conf"
        configuration(path, accounts, server.uri)
        process = subprocess.Popen(
            [SIPCALL, *ARGS, "-c", str(path)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, env=environment())
        try:
            run = Run(process, accounts)
            run.follow(seconds)
            print(json.dumps(run.result()), flush=True)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


if __name__ == "__main__":
    main()
