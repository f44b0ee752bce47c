"""The server of a WebSocket for SIP (RFC 6455, RFC 7118), by bare sockets: it says what a test wants
said, and keeps what it was asked."""

import base64
import hashlib
import socket
import struct

from phone import Message, Peer

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(request):
    """What shows that an answer is to that question."""
    hashed = hashlib.sha1(request.get("sec-websocket-key").encode() + GUID)
    return base64.b64encode(hashed.digest()).decode()


class WebServer(Peer):
    """Takes connections, one after the other; the Peer that answers and asks goes by the last."""

    def __init__(self, context=None, path="/ws"):
        super().__init__()
        self.socket.close()
        self.context = context
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.port = self.socket.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.path = path
        self.connection = None

    def uri(self, user=None, host="127.0.0.1"):
        who = f"{user}@" if user else ""
        return f"{'wss' if self.context else 'ws'}://{who}{host}:{self.port}{self.path}"

    def contact(self):
        return f"Contact: <sip:x@{self.host};transport=ws>"

    def accept(self):
        """The question; nothing is said to it yet."""
        self.connection, _ = self.socket.accept()
        self.connection.settimeout(5)
        if self.context:
            self.connection = self.context.wrap_socket(self.connection, server_side=True)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = self.connection.recv(4096)
            assert more, "it hung up while asking"
            head += more
        return Message(head)

    def agree(self, request, protocol="sip", **changes):
        lines = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_of(request),
            "Sec-WebSocket-Protocol": protocol,
        }
        lines.update({name.replace("_", "-"): value for name, value in changes.items()})
        self.say("HTTP/1.1 101 Switching Protocols\r\n"
                 + "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None) + "\r\n")

    def take(self):
        """A connection that both agree on; the question."""
        request = self.accept()
        self.agree(request)
        return request

    def say(self, data):
        self.connection.sendall(data.encode() if isinstance(data, str) else data)

    def frame(self, opcode, data=b"", fin=True):
        size = len(data)
        head = bytes([opcode | (0x80 if fin else 0)])
        head += bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
        self.say(head + data)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            assert more, "it hung up amid a frame"
            data += more
        return data

    def next_frame(self):
        """(opcode, bytes) of the next whole frame, which has to be masked."""
        first, second = self.read(2)
        assert first & 0xF0 == 0x80 and second & 0x80
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        mask = self.read(4)
        data = self.read(size)
        return first & 0xF, bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))

    def send(self, data, _to=None):
        self.frame(TEXT, data.encode() if isinstance(data, str) else data)

    def receive(self, limit=5):
        self.connection.settimeout(limit)
        opcode, data = self.next_frame()
        assert opcode in (TEXT, BINARY), (opcode, data)
        message = Message(data, ("127.0.0.1", 0))
        self.log.append(message)
        return message

    def close(self):
        if self.connection:
            self.connection.close()
        self.socket.close()
