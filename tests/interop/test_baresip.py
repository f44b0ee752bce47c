"""baresip, as Debian has it, at the other end of the line, with files in place of a sound card:
calls both ways over UDP and TCP with the sound compared, and what its commands do to a call."""

import json
import select
import socket
import subprocess
from collections import namedtuple

import pytest

import speech
from phone import SPEECH, Late, Process, answerer, caller
from sipp_end import free_ports

SPOKEN_S = 4  # of the speech, in each call that is compared

CONFIG = """\
sip_listen {address}:{port}
audio_source aufile,{spoken}
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
snd_path {folder}
module_path {modules}
module g711.so
module g722.so
module opus.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
statmode_default off
ctrl_tcp_listen 127.0.0.1:{control}
"""
MODULES = "/usr/lib/baresip/modules"

# What an account's list of codecs has, and the rate of the files.
Codec = namedtuple("Codec", "name rate")
CODECS = {
    "pcmu": Codec("PCMU/8000/1", 8000),
    "pcma": Codec("PCMA/8000/1", 8000),
    "g722": Codec("G722/16000/1", 16000),
    "opus": Codec("opus/48000/2", 48000),
}


class Baresip(Process):
    """One that says the speech to whom it is connected, writes down what both ends say, takes calls
    by itself and is told by its control socket what else to do."""

    def __init__(self, folder, spoken, codec):
        folder.mkdir()
        self.folder = folder
        self.port, self.control_port = free_ports()
        (folder / "accounts").write_text(
            f"<sip:baresip@127.0.0.1:{self.port}>;regint=0;answermode=auto"
            f";audio_codecs={CODECS[codec].name}\n"
        )
        (folder / "config").write_text(
            CONFIG.format(
                address="127.0.0.1", port=self.port, control=self.control_port, spoken=spoken,
                folder=folder, modules=MODULES, rate=CODECS[codec].rate,
            )  # fmt: skip
        )
        super().__init__(["baresip", "-f", folder], cwd=folder)
        self.control = self._connect()
        self.unread = b""

    def _connect(self):
        """Its control socket is the last thing that it opens."""
        for _ in range(250):
            try:
                return socket.create_connection(("127.0.0.1", self.control_port))
            except ConnectionRefusedError:
                ended, _, _ = select.select([self.handle], [], [], 0.02)
                assert not ended, self.report()
        raise Late(f"{self}: does not listen")

    def uri(self, transport):
        return f"sip:baresip@127.0.0.1:{self.port};transport={transport}"

    def command(self, name, params=""):
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))  # a netstring
        answer = self._until(lambda said: said.get("token") == name)
        assert answer["ok"], answer

    def event(self, kind):
        return self._until(lambda said: said.get("type") == kind)

    def _until(self, wanted, limit=5):
        while True:
            said = self._next(limit)
            if wanted(said):
                return said

    def _next(self, limit):
        while True:
            size, colon, rest = self.unread.partition(b":")
            if colon and len(rest) > int(size):
                self.unread = rest[int(size) + 1 :]
                return json.loads(rest[: int(size)])
            ready, _, _ = select.select([self.control], [], [], limit)
            if not ready:
                raise Late(f"{self}: nothing came by its control socket\n{self.report()}")
            more = self.control.recv(65536)
            assert more, f"its control socket was closed\n{self.report()}"
            self.unread += more

    def said_and_heard(self):
        """Its two recordings of the one call."""
        (said,), (heard,) = self.folder.glob("dump-*-enc.wav"), self.folder.glob("dump-*-dec.wav")
        return said, heard

    def leave(self):
        self.command("quit")
        return self.exit()

    def close(self):
        self.control.close()
        super().close()


def spoken_at(rate, folder):
    """The beginning of the speech at the rate that baresip's file source wants."""
    path = folder / f"spoken-{rate}.wav"
    subprocess.run(["sox", SPEECH, "-r", str(rate), path, "trim", "0", str(SPOKEN_S)], check=True)
    return path


class Way(namedtuple("Way", "who transport codec")):
    def __str__(self):
        return f"{self.who} over {self.transport} with {self.codec}"


class Calls:
    """All that are compared, at one time: over UDP and TCP, from us to it and from it to us."""

    WAYS = [
        Way(who, transport, codec)
        for who in ("we call", "it calls")
        for transport, codec in (("udp", "pcmu"), ("tcp", "pcma"), ("udp", "g722"), ("udp", "opus"))
    ]

    def __init__(self, folder):
        self.folder = folder
        self.spoken = {codec: spoken_at(CODECS[codec].rate, folder) for codec in CODECS}
        self.pairs = {}
        for number, way in enumerate(self.WAYS):
            far = Baresip(folder / f"baresip-{number}", self.spoken[way.codec], way.codec)
            self.pairs[way] = far, self.begin(way, far)
        self.codes = {way: near.exit(20) for way, (_, near) in self.pairs.items()}
        for far, _ in self.pairs.values():
            assert far.leave() == 0

    def begin(self, way, far):
        how = {"mic": f"file:{self.spoken[way.codec]}", "speaker": f"file:{self.heard(way)}"}
        args = ("--codecs", way.codec, "-d", SPOKEN_S - 0.2)
        if way.who == "we call":
            return caller(far.uri(way.transport), *args, **how)
        near = answerer("-n", "1", *args, listen=f"{way.transport}:127.0.0.1:0", **how)
        port = near.event("listening", transport=way.transport)["port"]
        far.command("dial", f"sip:x@127.0.0.1:{port};transport={way.transport}")
        return near

    def heard(self, way):
        return self.folder / f"{way}.wav".replace(" ", "-")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("baresip"))


@pytest.mark.parametrize("way", Calls.WAYS, ids=str)
def test_both_hear_each_other_when(way, calls):
    far, near = calls.pairs[way]
    assert calls.codes[way] == 0
    said, heard = far.said_and_heard()
    needed = speech.NEEDED[way.codec]
    spoken = calls.spoken[way.codec]
    assert speech.compare(spoken, heard, way.codec).figure >= needed
    assert speech.compare(spoken, calls.heard(way), way.codec).figure >= needed
    assert speech.compare(said, calls.heard(way), way.codec).figure >= needed


@pytest.mark.parametrize("way", Calls.WAYS, ids=str)
def test_the_call_is_as_both_agreed_when(way, calls):
    _, near = calls.pairs[way]
    begun = near.event("call.outgoing" if way.who == "we call" else "call.incoming")
    assert begun["transport"] == way.transport
    assert near.event("call.media")["codec"] == way.codec
    ended = near.ended()
    assert ended["cause"] == "local" and ended["code"] == 200
    assert ended["sent"] >= 180 and ended["received"] >= 170 and ended["lost"] == 0


@pytest.fixture
def far(tmp_path):
    return Baresip(tmp_path / "baresip", spoken_at(8000, tmp_path), "pcmu")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_holds_resumes_and_hangs_up(transport, far):
    near = caller(far.uri(transport), "--codecs", "pcmu")
    far.event("CALL_ESTABLISHED")
    far.command("hold")
    assert near.event("call.held")["by"] == "remote"
    far.command("resume")
    assert near.event("call.resumed")["by"] == "remote"
    far.command("hangup")
    assert near.exit() == 0
    assert near.ended()["cause"] == "remote"
    assert far.leave() == 0


def test_it_holds_a_call_of_its_own(far):
    near = answerer("-n", "1", "--codecs", "pcmu")
    far.command("dial", near.uri())
    far.event("CALL_ESTABLISHED")
    far.command("hold")
    assert near.event("call.held")["by"] == "remote"
    far.command("hangup")
    assert near.exit() == 0
    assert far.leave() == 0


def test_it_gives_up_while_we_ring(far):
    near = answerer("-n", "1", answer="--answer=30")
    far.command("dial", near.uri())
    near.event("call.incoming")
    far.event("CALL_RINGING")
    far.command("hangup")
    assert near.exit() == 0
    assert near.ended()["cause"] == "remote" and not near.ended()["answered"]
    assert far.leave() == 0


def test_it_is_told_that_we_are_busy(far):
    near = answerer("-n", "1", "--answer-code", "486")
    far.command("dial", near.uri())
    assert "486" in far.event("CALL_CLOSED")["param"]
    assert near.exit() == 0
    assert far.leave() == 0
