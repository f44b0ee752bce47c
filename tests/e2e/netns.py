"""Networks of a test's own: hosts that are namespaces of the kernel, and cables between them.

A host is there as long as a process that holds it, which ends with the test, also when the test is
killed; nothing of it is seen outside. It takes root.
"""

import contextlib
import ctypes
import itertools
import os
import socket
import subprocess

import pytest

from phone import Process

CLONE_NEWNET = 0x40000000
HOLD = "ip link set lo up && mount --make-rprivate / && echo held && exec cat"

libc = ctypes.CDLL(None, use_errno=True)
cables = itertools.count(1)


def _enter(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Host(Process):
    """A machine with a network, and mounts, of its own; only its loopback is there, and up."""

    def __init__(self):
        if os.getuid() != 0:
            pytest.skip("only root may make networks")
        super().__init__(["unshare", "--net", "--mount", "sh", "-c", HOLD], stdin=subprocess.PIPE)
        self.line("^held$")

    def command(self, *argv):
        """argv that runs there."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--wd=.", "--", *argv]

    def run(self, *argv, stdin=None):
        """Runs a program there to its end; what it printed."""
        done = subprocess.run(
            self.command(*map(str, argv)), input=stdin, capture_output=True, text=True, timeout=10
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def address(self, cidr, device="lo"):
        # without waiting for an IPv6 address to be found free
        self.run("ip", "address", "add", cidr, "dev", device, *["nodad"] * (":" in cidr))

    def route(self, gateway, where="default"):
        self.run("ip", "route", "add", where, "via", gateway)

    def file(self, path, mine):
        """There, path is the file mine."""
        self.run("mount", "--bind", mine, path)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes within are that host's."""
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self.pid}/ns/net") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def socket(self, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
        with self.inside():
            return socket.socket(family, kind)


def cable(one, other, cidr_one, cidr_other):
    """Joins two hosts by a device of each, with these addresses; the names of the devices."""
    number = next(cables)
    names = [f"a{number}", f"b{number}"]
    one.run("ip", "link", "add", names[0], "type", "veth", "peer", "name", names[1], "netns",
            other.pid)  # fmt: skip
    for host, name, cidr in zip((one, other), names, (cidr_one, cidr_other)):
        host.address(cidr, name)
        host.run("ip", "link", "set", name, "up")
    return names
