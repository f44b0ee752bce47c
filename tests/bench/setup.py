#!/usr/bin/python3
"""bench setup: INVITE → 200 → first RTP, as the one who is called and as the one who calls.
Prints one JSON line.

Medians of RUNS calls in ms, by the kernel's arrival times, against a far end of bare sockets.
base_ms is the way of one datagram to an echo in another process and back; ratio is INVITE → 200 in
these.
"""

import json
import os
import select
import socket
import statistics
import struct
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

import phone  # noqa: E402

RUNS = 20
SOUND = {"mic": "tone:440", "speaker": "null"}
SO_TIMESTAMPNS = 35

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    data, source = s.recvfrom(2048); s.sendto(data, source)
"""


def receive(sock, limit=5):
    """(bytes, source, when the kernel got it in s)."""
    if not select.select([sock], [], [], limit)[0]:
        raise phone.Late(f"nothing came within {limit} s")
    data, extra, _, source = sock.recvmsg(65536, 256)
    for level, kind, value in extra:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, ns = struct.unpack("@qq", value[:16])
            return data, source, seconds + ns / 1e9
    return data, source, time.time()


def stamped(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return sock


class Far(phone.Peer):
    """A peer with a media socket of its own thread: both are read in turn, by kernel time."""

    def __init__(self):
        super().__init__()
        stamped(self.socket)
        self.rtp = stamped(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.rtp.bind(("127.0.0.1", 0))
        self.sdp = phone.sdp(self.rtp.getsockname()[1])

    def next(self, kind):
        """The next message of that kind, and when it came."""
        while True:
            data, source, when = receive(self.socket)
            message = phone.Message(data, source)
            if message.kind == kind:
                return message, when

    def first_sound(self):
        return receive(self.rtp)[2]

    def close(self):
        super().close()
        self.rtp.close()


def called(answerer):
    """One call to it: (INVITE → 200, 200 → first RTP)."""
    far, to = Far(), ("127.0.0.1", answerer.port())
    before = time.time()
    invite = far.request("INVITE", to, body=far.sdp)
    ok, answered = far.next(200)
    far.ack(invite, ok, to)
    heard = far.first_sound()
    far.bye(invite, ok, to)
    far.next(200)
    far.close()
    return answered - before, heard - answered


def calls():
    """One call by it: (exec → INVITE, 200 → first RTP)."""
    far = Far()
    before = time.time()
    near = phone.caller(far.uri(), "--codecs", "pcmu", "-d", "0.1", **SOUND)
    invite, came = far.next("INVITE")
    answered = time.time()
    far.respond(invite, 200, far.contact(), body=far.sdp)
    heard = far.first_sound()
    far.respond(far.next("BYE")[0], 200)
    assert near.exit() == 0
    far.close()
    return came - before, heard - answered


def base():
    """The way of a datagram to another process and back."""
    args = [sys.executable, "-c", ECHO]
    with subprocess.Popen(args, stdout=subprocess.PIPE) as echo:
        to = ("127.0.0.1", int(echo.stdout.readline()))
        with stamped(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.bind(("127.0.0.1", 0))
            ways = []
            for _ in range(RUNS):
                before = time.time()
                sock.sendto(bytes(500), to)
                ways.append(receive(sock)[2] - before)
        echo.kill()
    return ways


def ms(values):
    return round(statistics.median(values) * 1000, 3)


def main():
    try:
        answerer = phone.answerer("--codecs", "pcmu", **SOUND)
        invite_200, to_called = zip(*(called(answerer) for _ in range(RUNS)))
        exec_invite, to_calling = zip(*(calls() for _ in range(RUNS)))
        base_ms = ms(base())
        result = {
            "bench": "setup",
            "runs": RUNS,
            "invite_to_200_ms": ms(invite_200),
            "called_200_to_rtp_ms": ms(to_called),
            "calling_200_to_rtp_ms": ms(to_calling),
            "exec_to_invite_ms": ms(exec_invite),
            "base_ms": base_ms,
            "ratio": round(ms(invite_200) / base_ms, 2),
        }
    finally:
        phone.close_all()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
