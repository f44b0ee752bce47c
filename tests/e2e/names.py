"""A name server that says what a test wants said (RFC 1035), over UDP on a free port."""

import select
import socket
import struct
import threading

from phone import alive

A, CNAME, AAAA, SRV, NAPTR = 1, 5, 28, 33, 35


def encoded(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def address(text):
    return A, socket.inet_aton(text)


def srv(priority, weight, port, target):
    return SRV, struct.pack("!HHH", priority, weight, port) + encoded(target)


def naptr(order, service, target, flags="s"):
    words = b"".join(bytes([len(word)]) + word.encode() for word in (flags, service, ""))
    return NAPTR, struct.pack("!HH", order, 1) + words + encoded(target)


class Names:
    """zone: for each name a list of records, or raw bytes to put behind the question. What is asked
    is noted in `asked`, as (name, type)."""

    def __init__(self):
        self.zone = {}
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.over, self.end = socket.socketpair()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        alive.append(self)

    def add(self, name, *records):
        self.zone[name] = list(records)

    def _serve(self):
        while True:
            ready, _, _ = select.select([self.socket, self.over], [], [])
            if self.over in ready:
                return
            question, source = self.socket.recvfrom(4096)
            self.socket.sendto(self._reply(question), source)

    def _reply(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, kind = ".".join(labels).lower(), struct.unpack_from("!H", question, at + 1)[0]
        self.asked.append((name, kind))
        records = self.zone.get(name)
        if isinstance(records, bytes):
            return self._head(question, 0, 1) + records
        found = [data for of, data in records or [] if of == kind]
        head = self._head(question, 3 if records is None else 0, len(found))
        return head + b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for data in found
        )

    @staticmethod
    def _head(question, code, count):
        flags = 0x8180 | code
        return question[:2] + struct.pack("!HHH", flags, 1, count) + question[8:]

    def close(self):
        self.end.close()
        self.thread.join(5)
        self.over.close()
        self.socket.close()

    def report(self):
        return "\n".join(f"  asked {name} of type {kind}" for name, kind in self.asked)
