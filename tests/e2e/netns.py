"""Networks that a test makes for itself: namespaces with nothing in them but their own loopback, and
what joins them. Each is held by a process that ends with the test, so that nothing stays behind
whatever happens. Root is needed for them; without, the test is skipped.
"""

import contextlib
import ctypes
import os
import socket
import subprocess

import phone
import pytest

UP_S = 5
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def _names(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def _enter(file):
    if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Net(phone.Process):
    """One network namespace, as a host: its loopback is up. It has mounts of its own, too."""

    def __init__(self):
        if os.geteuid() != 0:
            pytest.skip("only root makes networks")
        # cat ends when the pipe to it does: with us, at the latest
        super().__init__(
            ["unshare", "--net", "--mount", "sh", "-c", "echo up; exec cat"],
            stdin=subprocess.PIPE,
        )
        try:
            self.line("^up$", UP_S)
        except phone.Late:
            pytest.skip(f"no network can be made here: {self.err.text}")
        assert _names(self.pid) != _names("self")
        self.ip("link set lo up")

    @property
    def enter(self):
        """What a command begins with that is to run in it."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--wd=."]

    def command(self, *argv):
        """A command that runs in it."""
        return [*self.enter, *argv]

    def run(self, *argv, text=None):
        """Runs a command in it to its end; its output. text: what it reads."""
        done = subprocess.run(
            self.command(*argv), input=text, capture_output=True, text=True, timeout=UP_S,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def ip(self, words):
        """One command of ip(8)."""
        return self.run("ip", *words.split())

    def join(self, name, other, other_name):
        """A cable from here, where its end has that name, to another one."""
        self.ip(f"link add {name} type veth peer name {other_name} netns {other.pid}")
        for net, end in ((self, name), (other, other_name)):
            # without it an address of IPv6 is looked for in vain for a second, and told
            net.run("sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
            net.ip(f"link set {end} up")

    def file(self, path, mine):
        """There, path is the file mine."""
        self.run("mount", "--bind", str(mine), path)

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes within are there."""
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self.pid}/ns/net") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)

    def socket(self, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
        with self.inside():
            return socket.socket(family, kind)


class Phone(phone.Phone):
    """sipcall in a network, read as events."""

    def __init__(self, net, *args, **how):
        super().__init__(*args, within=net, **how)
