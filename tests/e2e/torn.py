"""A bad way to a server: it takes a connection and passes what goes either way in pieces, each a
little late, as a seed says; after so many bytes it may break."""

import random
import select
import socket
import threading

from phone import alive


class Torn:
    def __init__(self, port, seed, cut_at=None):
        self.target = ("127.0.0.1", port)
        self.chance = random.Random(seed)
        self.left = cut_at  # bytes of both directions that pass before it breaks; None: all
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.stop, self.stopped = socket.socketpair()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        alive.append(self)

    def run(self):
        while self.wait(self.server):
            near, _ = self.server.accept()
            with near, socket.create_connection(self.target) as far:
                self.carry({near: far, far: near})

    def wait(self, *sockets, timeout=None):
        """Those that can be read, or none if it is stopped."""
        ready, _, _ = select.select([self.stopped, *sockets], [], [], timeout)
        return [] if self.stopped in ready else ready

    def carry(self, ways):
        held = {way: b"" for way in ways}
        while True:
            waits = 0.0002 * self.chance.random() if any(held.values()) else None
            ready, _, _ = select.select([self.stopped, *ways], [], [], waits)
            if self.stopped in ready:
                return
            for way in ready:
                more = way.recv(65536)
                if not more:
                    return
                held[way] += more
            for way, data in held.items():
                size = self.chance.choice([1, 7, 50, 200, 2000])
                piece = data[:size] if self.left is None else data[:min(size, self.left)]
                ways[way].sendall(piece)
                held[way] = data[len(piece):]
                if self.left is not None:
                    self.left -= len(piece)
            if self.left == 0:
                return

    def close(self):
        self.stop.close()
        self.thread.join(5)
        self.stopped.close()
        self.server.close()

    def report(self):
        return f"  a bad way from {self.port} to {self.target[1]}"
