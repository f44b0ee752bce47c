"""coturn as a STUN server, in a network of the test's own."""

import select
import shutil
import time

from phone import Late, Process

PROGRAM = shutil.which("turnserver") or "/usr/bin/turnserver"
UP_S = 5
BINDING = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"0123456789ab"  # RFC 8489, section 5


class Coturn(Process):
    """It answers at port 3478 of address, there, when this returns."""

    def __init__(self, net, address):
        self.net, self.address = net, address
        super().__init__(
            net.command(
                PROGRAM, "-n", "--stun-only", "--no-tls", "--no-dtls", "--no-cli",
                f"--listening-ip={address}", "--log-file=stdout", "--simple-log",
                "--pidfile=/dev/null", "--userdb=/dev/null",
            )
        )  # fmt: skip
        self._wait()

    def _wait(self):
        end = time.monotonic() + UP_S
        with self.net.socket() as probe:
            while time.monotonic() < end:
                probe.sendto(BINDING, (self.address, 3478))
                if select.select([probe], [], [], 0.05)[0]:
                    try:
                        probe.recv(1500)
                        return
                    except ConnectionRefusedError:
                        pass
        raise Late(f"no answer of coturn within {UP_S} s\n{self.report()}")
