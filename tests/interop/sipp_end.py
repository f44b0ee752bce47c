"""SIPp, as Debian has it, as a far end that plays one of the scenarios in sipp/*.xml, each of which
begins with the rule that it shows. A scenario that does not go as it is written ends SIPp with
an error."""

import errno
import random
import re
import select
import signal
import socket
from pathlib import Path
from socket import SOCK_DGRAM, SOCK_STREAM

from phone import Late, Message, Process, answerer, caller

SCENARIOS = Path(__file__).resolve().parent / "sipp"


def taken(address, port, kind):
    """Whether somebody has that port of UDP or TCP, by kind."""
    with socket.socket(family(address), kind) as probe:
        try:
            probe.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def free_ports(address="127.0.0.1", count=2):
    """Even ones that nobody has, and that the kernel gives to nobody who asks for any."""
    ports = set()
    while len(ports) < count:
        port = random.randrange(10000, 32000, 2)
        if not any(taken(address, port, kind) for kind in (SOCK_DGRAM, SOCK_STREAM)):
            ports.add(port)
    return ports


def listens(transport, port):
    """Whether somebody waits at that port, without a socket of ours that might be in the way."""
    waits = {"udp": "07", "tcp": "0A"}[transport]  # the states of the kernel's table
    for name in transport, f"{transport}6":
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if int(local.rpartition(":")[2], 16) == port and state == waits:
                return True
    return False


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def in_uri(address):
    return f"[{address}]" if ":" in address else address


def changed(text, changes):
    for old, new in changes.items():
        assert old in text, f"the scenario has no {old!r}"
        text = text.replace(old, new)
    return text


class Sipp(Process):
    """One SIPp that makes or takes `calls` calls over udp or tcp. keys are what -key gives to the
    scenario; changes are texts of it and what is to stand in their place. Its messages are in a
    file, for counting."""

    started = 0

    def __init__(
        self, folder, scenario, *args, calls=1, limit=20, transport="udp", address="127.0.0.1",
        keys=None, changes=None,
    ):  # fmt: skip
        Sipp.started += 1
        self.scenario = scenario
        self.transport = transport
        self.address = address
        self.port, self.media = free_ports(address)
        self.messages_file = folder / f"{scenario}-{Sipp.started}.messages"
        self.errors_file = folder / f"{scenario}-{Sipp.started}.errors"
        file = SCENARIOS / f"{scenario}.xml"
        if changes:
            file = folder / f"{scenario}-{Sipp.started}.xml"
            file.write_text(changed((SCENARIOS / f"{scenario}.xml").read_text(), changes))
        known = ["-sn", scenario] if scenario in ("uac", "uas") else []
        given = [word for key, value in (keys or {}).items() for word in ("-key", key, value)]
        super().__init__(
            ["sipp", *args, *(known or ["-sf", file]), *given]
            + ["-t", {"udp": "u1", "tcp": "t1"}[transport], "-nostdin"]
            + ["-i", address, "-p", self.port, "-mi", address, "-mp", self.media]
            + ["-m", calls, "-timeout", f"{limit}s", "-timeout_error"]
            + ["-trace_msg", "-message_file", self.messages_file, "-message_overwrite", "true"]
            + ["-trace_err", "-error_file", self.errors_file, "-error_overwrite", "true"],
            cwd=folder,
        )

    def uri(self, user="sipp"):
        way = ";transport=tcp" if self.transport == "tcp" else ""
        return f"sip:{user}@{in_uri(self.address)}:{self.port}{way}"

    def ready(self):
        """Waits until its port is taken, as it prints nothing before it ends."""
        for _ in range(250):
            if listens(self.transport, self.port):
                return self
            ended, _, _ = select.select([self.handle], [], [], 0.02)
            assert not ended, self.report()
        raise Late(f"{self}: does not listen")

    def messages(self, way, kind=None):
        """All that it has "sent" or "received", of one kind only if it is given: a method, or the
        code of a response."""
        if not self.messages_file.exists():
            return []
        text = self.messages_file.read_bytes().replace(b"\r\n", b"\n")
        parts = re.split(rb"^-{40,} .*\n\w+ message (\w+) .*:\s*\n", text, flags=re.MULTILINE)
        found = []
        for said, part in zip(parts[1::2], parts[2::2]):
            if said.decode() == way:
                found.append(Message(part.strip(b"\n").replace(b"\n", b"\r\n")))
        return [message for message in found if kind is None or message.kind == kind]

    def received(self, start):
        """How many messages with that beginning of their first line came to it."""
        return sum(message.start.startswith(start) for message in self.messages("received"))

    def sent(self, start):
        return sum(message.start.startswith(start) for message in self.messages("sent"))

    def report(self):
        parts = [super().report()]
        for file in (self.errors_file, self.messages_file):
            if file.exists():
                text = file.read_text(errors="backslashreplace")
                parts += [f"  {file.suffix[1:]} | {line}" for line in text.splitlines()]
        return "\n".join(parts)


def at(phone, transport="udp"):
    """Where SIPp finds it."""
    listening = phone.event("listening", transport=transport)
    return f"{in_uri(listening['address'])}:{listening['port']}"


def they_call(
    folder, scenario, *sipp, phone=(), calls=1, answer="--answer", mic="silence", codecs="pcmu",
    keys=None, changes=None, transport="udp", address="127.0.0.1", limit=10,
):  # fmt: skip
    """SIPp plays a caller: (SIPp, phone), both at their good end. With calls=0 the phone takes as
    many as come, or none, and is ended by Ctrl-C when the scenario is over."""
    listen = f"{transport}:{in_uri(address)}:0"
    count = ("-n", str(calls)) if calls else ()
    far = answerer("--codecs", codecs, *count, *phone, answer=answer, mic=mic, listen=listen)
    near = Sipp(
        folder, scenario, at(far, transport), *sipp, transport=transport, address=address,
        keys=keys, changes=changes,
    )  # fmt: skip
    assert near.exit(limit) == 0
    if not calls:
        far.signal(signal.SIGINT)
    assert far.exit() == 0
    return near, far


def we_call(
    folder, scenario, *sipp, phone=("-d", "0.1"), code=0, codecs="pcmu", mic="silence", keys=None,
    changes=None, speaker="null", transport="udp", address="127.0.0.1", limit=10,
):  # fmt: skip
    """SIPp plays a called end: (SIPp, phone), SIPp at its good end and the phone with that exit
    code."""
    far = Sipp(
        folder, scenario, *sipp, transport=transport, address=address, keys=keys, changes=changes
    ).ready()
    near = caller(far.uri(), "--codecs", codecs, *phone, mic=mic, speaker=speaker)
    assert far.exit(limit) == 0  # first, as it gives up at once what goes wrong
    assert near.exit(limit) == code
    return far, near
