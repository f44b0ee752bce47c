"""What the tests hold in their hands: the program as a process, in a pipe or in a terminal, and a
far end made of bare sockets that says exactly what a test wants said.

Nothing here sleeps: every wait is for something and has a limit, and fails as Late with what was
seen instead. Each process and each peer is noted in `alive`, which conftest.py closes after each
test and prints if it failed.
"""

import errno
import fcntl
import json
import os
import pty
import random
import re
import select
import shlex
import socket
import struct
import subprocess
import termios
import threading
import time
from collections import namedtuple
from pathlib import Path

import schema

ROOT = Path(__file__).resolve().parents[2]
SIPCALL = os.path.abspath(os.environ.get("SIPCALL") or ROOT / "build" / "sipcall")
DATA = ROOT / "tests" / "data"
SPEECH = DATA / "speech.wav"

alive = []


class Late(AssertionError):
    """Something did not happen within its limit."""


class Stream:
    """What comes out of a descriptor, gathered by a thread until its end."""

    def __init__(self, fd):
        self.fd = fd
        self.bytes = b""
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._gather, daemon=True)
        self.thread.start()

    def _gather(self):
        while True:
            try:
                more = os.read(self.fd, 65536)
            except OSError:  # a terminal whose other side is gone
                more = b""
            with self.changed:
                self.bytes += more
                self.ended = not more
                self.changed.notify_all()
                if self.ended:
                    os.close(self.fd)
                    return

    def until(self, found, limit, what):
        """Waits until found(bytes) is true, and returns it."""
        with self.changed:
            end = time.monotonic() + limit
            while True:
                result = found(self.bytes)
                if result:
                    return result
                left = end - time.monotonic()
                if self.ended or left <= 0:
                    why = "it ended" if self.ended else f"not within {limit} s"
                    raise Late(f"{what}: {why}; there was:\n{self.text}")
                self.changed.wait(left)

    @property
    def text(self):
        return self.bytes.decode("utf-8", "backslashreplace")

    @property
    def lines(self):
        return self.text.splitlines()


def environment(**changes):
    """A plain one, whatever the machine's: no account, no configuration, no colour settings."""
    env = {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}
    env.update(PATH=os.environ["PATH"], HOME="/nonexistent", USER="tester", TERM="xterm-256color")
    env.update(LC_ALL="C.UTF-8", TZ="UTC", XDG_STATE_HOME="/dev/null")  # where nothing can be kept
    # No sound device: whoever ends a program inside libjack leaves its locks to all others.
    env.update(ALSA_CONFIG_PATH="/dev/null")
    env.update(changes)
    return {key: value for key, value in env.items() if value is not None}


class Process:
    """A program that runs. Without a pipe (out, err) its stream is None."""

    def __init__(
        self, argv, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=None, cwd=None, **more
    ):
        self.argv = [str(arg) for arg in argv]
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(
            self.argv,
            stdin=stdin,
            stdout=pipe if stdout is None else stdout,
            stderr=pipe if stderr is None else stderr,
            env=environment() if env is None else env,
            cwd=cwd,
            **more,
        )
        self.pid = self.popen.pid
        self.handle = os.pidfd_open(self.pid)
        self.out = self._stream(self.popen.stdout)
        self.err = self._stream(self.popen.stderr)
        alive.append(self)

    @staticmethod
    def _stream(file):
        return Stream(os.dup(file.fileno())) if file else None

    def __str__(self):
        return shlex.join([os.path.basename(self.argv[0])] + self.argv[1:])

    def signal(self, number):
        self.popen.send_signal(number)

    def exit(self, limit=5):
        """Waits for its end and for all that it printed; its exit code."""
        ready, _, _ = select.select([self.handle], [], [], limit)
        if not ready:
            raise Late(f"{self}: still runs after {limit} s\n{self.report()}")
        code = self.popen.wait()
        for stream in (self.out, self.err):
            if stream:
                stream.thread.join(5)
        return code

    def line(self, pattern, limit=5, stream=None):
        """Waits until a line of its output (out, unless another is given) has pattern, a regular
        expression; the match."""
        regex = re.compile(pattern.encode(), re.MULTILINE)
        return (stream or self.out).until(regex.search, limit, f"{self}: a line with {pattern!r}")

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        for file in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if file and not file.closed:
                try:
                    file.close()
                except OSError:  # what was buffered for a reader that is gone
                    pass

    def report(self):
        code = self.popen.poll()
        parts = [f"$ {self}    # " + ("still runs" if code is None else f"exit code {code}")]
        for name, stream in (("out", self.out), ("err", self.err)):
            if stream and stream.bytes:
                parts.append("\n".join(f"  {name} | {line}" for line in stream.lines))
        return "\n".join(parts)


class Phone(Process):
    """sipcall with --json, read as events; within: in a network of netns.py."""

    def __init__(self, *args, within=None, **how):
        argv = [SIPCALL, "--json", *args]
        super().__init__(within.command(*argv) if within else argv, **how)
        self.read = 0  # bytes of its output
        self.known = []

    @property
    def events(self):
        """All so far. Whole lines only; one that is no event of the schema is an error of its
        own."""
        end = self.out.bytes.rfind(b"\n") + 1
        for line in self.out.bytes[self.read : end].splitlines():
            event = json.loads(line)
            schema.check(event)
            self.known.append(event)
        self.read = end
        return list(self.known)

    def having(self, name, **fields):
        """The events of that name that have these fields."""
        wanted = dict(fields, event=name)
        return [
            event
            for event in self.events
            if all(key in event and event[key] == value for key, value in wanted.items())
        ]

    def event(self, name, limit=5, nth=1, **fields):
        """Waits for the nth event of that name with these fields."""
        what = f"{self}: event {name} {fields or ''} number {nth}"

        def found(_):
            events = self.having(name, **fields)
            return events[nth - 1] if len(events) >= nth else None

        return self.out.until(found, limit, what)

    def port(self):
        return self.event("listening")["port"]

    def uri(self, user="x"):
        listening = self.event("listening")
        address = listening["address"]
        host = f"[{address}]" if ":" in address else address
        return f"sip:{user}@{host}:{listening['port']}"

    def ended(self, limit=5, **fields):
        return self.event("call.ended", limit, **fields)


HERE = "udp:127.0.0.1:0"


def answerer(*args, answer="--answer", mic="silence", speaker="null", listen=HERE, **how):
    """A phone that waits on a free port, with its events."""
    return Phone(answer, "-l", listen, "-i", mic, "-o", speaker, *args, **how)


def caller(target, *args, mic="silence", speaker="null", **how):
    """A phone that calls, with its events."""
    return Phone("-i", mic, "-o", speaker, *args, target, **how)


def text_caller(target, *args, mic="silence", speaker="null", **how):
    """The same for a person: lines instead of events."""
    return Process([SIPCALL, "-i", mic, "-o", speaker, *args, target], **how)


# Root may read every file, but for one who has given up that right.
POWERLESS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def run(*args, limit=5, powerless=False, **how):
    """Runs sipcall to its end: (exit code, Process)."""
    before = POWERLESS if powerless and os.getuid() == 0 else []
    process = Process([*before, SIPCALL, *args], **how)
    return process.exit(limit), process


class Terminal:
    """A program in a pseudo-terminal that is its controlling one: keys in, everything it shows
    out (err too, unless it is given a way of its own)."""

    def __init__(self, argv, env=None, rows=24, columns=100, stderr=None):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.keys = os.dup(master)
        self.screen = Stream(master)
        self.process = Process(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave if stderr is None else stderr,
            env=environment() if env is None else env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        alive.append(self)

    def resize(self, rows, columns):
        fcntl.ioctl(self.keys, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.keys, keys)

    def shows(self, pattern, limit=5):
        regex = re.compile(pattern.encode(), re.MULTILINE)
        return self.screen.until(regex.search, limit, f"{self.process}: shows {pattern!r}")

    def exit(self, limit=5):
        code = self.process.exit(limit)
        self.screen.thread.join(5)
        return code

    def close(self):
        self.process.close()
        if self.keys >= 0:
            os.close(self.keys)
            self.keys = -1

    def report(self):
        return "\n".join(f"  tty | {line!r}" for line in self.screen.bytes.split(b"\n"))


COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}
COMPACT.update({"l": "content-length", "c": "content-type", "s": "subject", "k": "supported"})


class Message:
    """A SIP message as it came: its start line, its headers in order, its body."""

    def __init__(self, data, source=None):
        self.bytes = data
        self.source = source
        self.arrival = time.monotonic()
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "backslashreplace").split("\r\n")
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((COMPACT.get(name, name), value.strip()))

    def __str__(self):
        return self.bytes.decode("utf-8", "backslashreplace")

    @property
    def kind(self):
        """The method of a request as text, the code of a response as a number."""
        words = self.start.split(" ")
        return int(words[1]) if words[0] == "SIP/2.0" else words[0]

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        values = self.all(name)
        assert len(values) == 1, f"{len(values)} headers {name} in:\n{self}"
        return values[0]

    @property
    def cseq(self):
        number, method = self.get("cseq").split()
        return int(number), method

    def tag(self, name):
        found = re.search(r";\s*tag=([^;,\s]+)", self.get(name))
        return found[1] if found else None

    @property
    def branch(self):
        return re.search(r";\s*branch=([^;,\s]+)", self.all("via")[0])[1]

    @property
    def contact_uri(self):
        return re.search(r"<([^>]+)>", self.get("contact"))[1]

    def media_port(self):
        return int(re.search(rb"^m=audio (\d+)", self.body, re.MULTILINE)[1])


REASONS = {100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 302: "Moved"}
REASONS.update({305: "Use Proxy", 401: "Unauthorized", 404: "Not Found", 408: "Request Timeout"})
REASONS.update({480: "Temporarily Unavailable", 486: "Busy Here", 487: "Request Terminated"})
REASONS.update({403: "Forbidden", 407: "Proxy Authentication Required"})
REASONS.update({481: "Call/Transaction Does Not Exist"})
REASONS.update({488: "Not Acceptable Here", 500: "Server Internal Error"})
REASONS.update({503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline"})

PAYLOADS = {"pcmu": (0, "PCMU/8000"), "gsm": (3, "GSM/8000"), "pcma": (8, "PCMA/8000")}
PAYLOADS.update({"g722": (9, "G722/8000"), "lpc10": (7, "LPC/8000")})
PAYLOADS.update({"opus": (96, "opus/48000/2"), "l16": (97, "L16/16000"), "l16-8k": (98, "L16/8000")})


def sdp(port, codecs=("pcmu",), address="127.0.0.1", direction="sendrecv", more=""):
    """A session description for one stream of sound."""
    family = "IP6" if ":" in address else "IP4"
    numbers = " ".join(str(PAYLOADS[codec][0]) for codec in codecs)
    maps = "".join("a=rtpmap:%d %s\r\n" % PAYLOADS[codec] for codec in codecs)
    return (
        f"v=0\r\no=- 1 1 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {numbers}\r\n{maps}a={direction}\r\n{more}"
    ).encode()


class Peer:
    """A far end over UDP that says what it is told to. Everything received is in `log`."""

    def __init__(self, address="127.0.0.1"):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address = address
        self.port = self.socket.getsockname()[1]
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.log = []
        self.tag = f"peer{random.getrandbits(32):08x}"
        alive.append(self)

    def uri(self, user="x"):
        return f"sip:{user}@{self.host}"

    def send(self, data, to):
        self.socket.sendto(data.encode() if isinstance(data, str) else data, to)

    def receive(self, limit=5):
        """The next message; Late if none comes."""
        ready, _, _ = select.select([self.socket], [], [], max(0, limit))
        if not ready:
            raise Late(f"no message within {limit} s\n{self.report()}")
        data, source = self.socket.recvfrom(65536)
        message = Message(data, source)
        self.log.append(message)
        return message

    def expect(self, kind, limit=5):
        """The next message of that method or status; what comes before it (a repeated INVITE, say)
        is only noted."""
        end = time.monotonic() + limit
        while True:
            try:
                message = self.receive(end - time.monotonic())
            except Late as late:
                raise Late(f"{kind} did not come within {limit} s\n{self.report()}") from late
            if message.kind == kind:
                return message

    def nothing(self, limit):
        """Fails if anything at all comes within limit seconds."""
        try:
            message = self.receive(limit)
        except Late:
            return
        raise AssertionError(f"came though nothing should:\n{message}")

    def contact(self):
        return f"Contact: <sip:peer@{self.host}>"

    def respond(self, request, code, *headers, reason=None, body=b"", tag=None):
        """Answers a request as RFC 3261, section 8.2.6 asks; headers are whole lines."""
        to = request.get("to")
        if code > 100 and ";tag=" not in to:
            to += f";tag={tag or self.tag}"
        lines = [f"SIP/2.0 {code} {REASONS[code] if reason is None else reason}"]
        lines += [f"Via: {via}" for via in request.all("via")]
        lines += [f"From: {request.get('from')}", f"To: {to}"]
        lines += [f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}"]
        lines += list(headers)
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
        self.send(data, request.source)
        return data

    def answer(self, invite, media_port, codecs=("pcmu",), limit=5):
        """200 with a description, then its ACK."""
        body = sdp(media_port, codecs, self.address)
        self.respond(invite, 200, self.contact(), body=body)
        return self.expect("ACK", limit)

    def request(
        self, method, where, uri="sip:x@127.0.0.1", *headers, body=b"", dialog=None, **changes
    ):
        """Sends a request to an address, outside a dialog or in one, and returns it as a Message.
        changes replace what a header says (call_id="..."); None leaves it out."""
        number = random.getrandbits(32)
        fields = {
            "via": f"SIP/2.0/UDP {self.host};rport;branch=z9hG4bK{random.getrandbits(64):016x}",
            "max_forwards": "70",
            "from": f'"Peer" <sip:peer@{self.host}>;tag={self.tag}',
            "to": f"<{uri}>",
            "call_id": f"{number:08x}@peer",
            "cseq": f"1 {method}",
            "contact": f"<sip:peer@{self.host}>",
        }
        if dialog:
            fields.update(dialog)
        fields.update(changes)
        lines = [f"{method} {uri} SIP/2.0"]
        for key, value in fields.items():
            if value is not None:
                lines.append(f"{key.replace('_', '-').title()}: {value}")
        lines += list(headers)
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
        self.send(data, where)
        return Message(data)

    def call(self, to, media_port, codecs=("pcmu",), uri="sip:x@127.0.0.1", **changes):
        """INVITE, 200, ACK: the (INVITE, 200) of a call that stands."""
        body = sdp(media_port, codecs, self.address)
        invite = self.request("INVITE", to, uri, body=body, **changes)
        ok = self.expect(200)
        self.ack(invite, ok, to)
        return invite, ok

    def ack(self, invite, final, to):
        """Of a 2xx in a transaction of its own, of other answers in the INVITE's (RFC 3261, section
        17.1.1.3)."""
        dialog = {"from": invite.get("from"), "to": final.get("to")}
        dialog.update(call_id=invite.get("call-id"), cseq=f"{invite.cseq[0]} ACK", contact=None)
        if final.kind < 300:
            return self.request("ACK", to, final.contact_uri, dialog=dialog)
        uri = invite.start.split(" ")[1]
        return self.request("ACK", to, uri, dialog=dialog, via=invite.get("via"))

    def bye(self, invite, ok, to, **changes):
        """Ends a call that this end began."""
        dialog = {"from": invite.get("from"), "to": ok.get("to"), "contact": None}
        dialog.update(call_id=invite.get("call-id"), cseq=f"{invite.cseq[0] + 1} BYE")
        return self.request("BYE", to, ok.contact_uri, dialog=dialog, **changes)

    def hang_up(self, invite, to):
        """Ends a call that this end answered."""
        end = invite.get("to")
        dialog = {"from": f"{end};tag={self.tag}", "to": invite.get("from"), "cseq": "1 BYE"}
        dialog.update(call_id=invite.get("call-id"), contact=None)
        return self.request("BYE", to, invite.contact_uri, dialog=dialog)

    def close(self):
        self.socket.close()

    def report(self):
        return "\n".join(f"  peer {self.port} < {str(message)!r}" for message in self.log)


class Gatherer:
    """A thread that gives everything that comes to `socket` to _take(data, source), of whoever is
    one, which has all that these two need before this begins."""

    def __init__(self):
        self.changed = threading.Condition()
        self.stop, self.stopped = os.pipe()
        self.thread = threading.Thread(target=self._gather, daemon=True)
        self.thread.start()
        alive.append(self)

    def _gather(self):
        while True:
            ready, _, _ = select.select([self.socket, self.stop], [], [])
            if self.stop in ready:
                return
            data, source = self.socket.recvfrom(65536)
            with self.changed:
                self._take(data, source)
                self.changed.notify_all()

    def close(self):
        if self.stopped >= 0:
            os.close(self.stopped)  # the thread sees the pipe's end
            self.thread.join(5)
            os.close(self.stop)
            self.socket.close()
            self.stopped = -1


Packet = namedtuple("Packet", "arrival marker pt seq ts ssrc payload source")


class Media(Gatherer):
    """The far end's RTP socket, which keeps every packet that comes."""

    def __init__(self, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.packets = []
        self.strange = []  # whatever is no RTP
        super().__init__()

    def _take(self, data, source):
        if len(data) < 12 or data[0] >> 6 != 2 or data[0] & 0x3F:
            self.strange.append(data)
            return
        _, second, seq, ts, ssrc = struct.unpack("!BBHII", data[:12])
        self.packets.append(
            Packet(
                time.monotonic(), second >> 7, second & 127, seq, ts, ssrc, data[12:], source
            )
        )

    def wait(self, count, limit=5):
        """Waits until count packets have come; all so far."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.packets) >= count, limit):
                raise Late(f"{len(self.packets)} of {count} RTP packets within {limit} s")
            return list(self.packets)

    def send(self, to, payload, seq, ts, pt=0, ssrc=0x1234, marker=0):
        head = struct.pack("!BBHII", 0x80, marker << 7 | pt, seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc)
        self.socket.sendto(head + payload, to)

    def report(self):
        strange = f", {len(self.strange)} other datagrams" if self.strange else ""
        return f"  rtp {self.port} < {len(self.packets)} packets{strange}"


def taken(port):
    """Whether somebody listens on that UDP port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def closed_port():
    """A UDP port of 127.0.0.1 on which nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def close_all():
    while alive:
        alive.pop().close()
