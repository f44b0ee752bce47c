"""Kamailio as the registrar and proxy of sip.test, on a free port of the loopback; or of another
domain, in a network of netns.py."""

import glob
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

CONFIG = Path(__file__).with_name("kamailio.cfg")
PROGRAM = shutil.which("kamailio") or "/usr/sbin/kamailio"
UP_S = 10
TLS = "enable_tls=yes\nlisten=tls:127.0.0.1:{}"
WEB = "listen=tcp:127.0.0.1:{}"
TLS_MODULE = 'loadmodule "tls.so"\nmodparam("tls", "config", "tls.cfg")'


def free_port():
    """A port that is free by UDP and TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))
        port = tcp.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
    return port


class Kamailio:
    """Runs until the end of its with block; restart() is what a crash of the machine would be."""

    config = CONFIG
    domain = "sip.test"
    address = "127.0.0.1"
    within = None  # the network in which it runs, if it is another

    def values(self):
        """More of what the configuration leaves open."""
        return {}

    def __init__(self, algorithm="MD5", nonce_s=300, min_expires_s=5, max_expires_s=3600,
                 certificate=None, memory_mb=16):
        self.port = free_port()
        self.algorithm = algorithm
        self.nonce_s = nonce_s
        self.min_expires_s = min_expires_s
        self.max_expires_s = max_expires_s
        self.memory_mb = memory_mb  # that it shares among its processes
        self.certificate = certificate  # path without .pem and .key: it speaks TLS, too
        self.tls_port = free_port() if certificate else None
        self.web_port = free_port()

    @property
    def secure_uri(self):
        return f"sip:localhost:{self.tls_port};transport=tls"

    @property
    def web_uri(self):
        return f"ws://127.0.0.1:{self.web_port}/ws"

    @property
    def secure_web_uri(self):
        return f"wss://localhost:{self.tls_port}/ws"

    @property
    def uri(self):
        return f"sip:127.0.0.1:{self.port}"

    def __enter__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="sipcall-kamailio-"))
        text = self.config.read_text()
        for name, value in {
            "PORT": self.port,
            "ALGORITHM": self.algorithm,
            "NONCE_S": self.nonce_s,
            "MIN_EXPIRES": self.min_expires_s,
            "MAX_EXPIRES": self.max_expires_s,
            "WEB": WEB.format(self.web_port),
            "TLS": TLS.format(self.tls_port) if self.certificate else "",
            "TLS_MODULE": TLS_MODULE if self.certificate else "",
            "OUTBOUND": "",
            "BY_FLOW": "",
            "MODULES": glob.glob("/usr/lib/*/kamailio/modules")[0] + "/",
            **self.values(),
        }.items():
            text = text.replace(f"@{name}@", str(value))
        (self.dir / "kamailio.cfg").write_text(text)
        (self.dir / "tls.cfg").write_text(
            "[server:default]\nmethod = TLSv1.2+\n"
            f"certificate = {self.certificate}.pem\nprivate_key = {self.certificate}.key\n"
        )
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        argv = [PROGRAM, "-DD", "-E", "-f", str(self.dir / "kamailio.cfg"), "-m",
                str(self.memory_mb), "-M", "4", "-w", str(self.dir), "-Y", str(self.dir), "-P",
                str(self.dir / "pid")]  # fmt: skip
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.within.command(*argv) if self.within else argv, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_up()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    def wait_up(self):
        """Asks by OPTIONS until it answers."""
        limit = time.monotonic() + UP_S
        with self.within.socket() if self.within else socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind((self.address, 0))
            sock.settimeout(0.05)
            here = sock.getsockname()[1]
            ask = (
                f"OPTIONS sip:{self.domain} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.address}:{here};branch=z9hG4bKup;rport\r\n"
                f"Max-Forwards: 5\r\nFrom: <sip:up@{self.domain}>;tag=1\r\n"
                f"To: <sip:{self.domain}>\r\n"
                f"Call-ID: up{here}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            ).encode()
            while time.monotonic() < limit:
                try:
                    sock.sendto(ask, (self.address, self.port))
                    if sock.recv(4096).startswith(b"SIP/2.0 200"):
                        return
                except (TimeoutError, ConnectionError):
                    pass
                assert self.process.poll() is None, (self.dir / "log").read_text()
        raise AssertionError("kamailio does not answer: " + (self.dir / "log").read_text())
