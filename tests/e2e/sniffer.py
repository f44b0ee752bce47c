"""All datagrams that come to a network of netns.py, as the kernel hands them over."""

import socket
import struct
import time
from collections import namedtuple

from phone import Gatherer, Late, Message

ALL = 3  # ETH_P_ALL
FOR_US = 0  # PACKET_HOST; what is sent is seen where it arrives
UDP = 17

METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "UPDATE", "PRACK", "REFER",
           "NOTIFY", "SUBSCRIBE", "PUBLISH", "MESSAGE", "INFO"]  # fmt: skip

STARTS = (b"SIP/2.0 ", *(f"{method} sip".encode() for method in METHODS))

Datagram = namedtuple("Datagram", "source destination data time")  # addresses as "host:port"


def parse(frame):
    """The Datagram of an Ethernet frame of IPv4 and UDP; None if it is of another kind."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != UDP:
        return None
    head = 14 + 4 * (frame[14] & 15)
    source, destination = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    ports = struct.unpack("!HH", frame[head : head + 4])
    data = frame[head + 8 : 14 + struct.unpack("!H", frame[16:18])[0]]
    return Datagram(f"{source}:{ports[0]}", f"{destination}:{ports[1]}", data, time.monotonic())


class Sniffer(Gatherer):
    """Everything so far is in `datagrams`, in order."""

    def __init__(self, net, device="lo"):
        self.datagrams = []
        with net.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((device, ALL))
        super().__init__()

    def _take(self, data, source):
        _, _, kind, *_ = source
        datagram = parse(data) if kind == FOR_US else None
        if datagram:
            self.datagrams.append(datagram)

    def until(self, found, limit=5):
        """Waits until found(datagrams) is true."""
        with self.changed:
            if not self.changed.wait_for(lambda: found(self.datagrams), limit):
                raise Late(f"not within {limit} s\n{self.report()}")

    @property
    def sip(self):
        """(Datagram, Message) of each that is SIP."""
        with self.changed:
            return [(it, Message(it.data)) for it in self.datagrams if it.data.startswith(STARTS)]

    @property
    def rtp(self):
        """Those that look like RTP (and are no RTCP: RFC 5761, section 4), and come from no name
        server."""
        with self.changed:
            return [
                it for it in self.datagrams
                if len(it.data) >= 12 and it.data[0] >> 6 == 2 and not 192 <= it.data[1] <= 223
                and not any(end.endswith(":53") for end in it[:2])
            ]  # fmt: skip

    def report(self):
        return "\n".join(
            f"  {it.source} > {it.destination} {message.start!r}" for it, message in self.sip
        )
