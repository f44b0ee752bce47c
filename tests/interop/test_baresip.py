"""baresip, as Debian has it, at the other end of the line, with files in place of a sound card:
calls both ways over UDP and TCP with the sound compared, and what its commands do to a call."""

import json
import select
import socket
import wave

import pytest

import speech
from phone import SPEECH, Late, Process, answerer, caller
from sipp_end import free_ports

SPOKEN_S = 4  # of the speech, in each call that is compared
RATE = 8000

CONFIG = """\
sip_listen {address}:{port}
audio_source aufile,{spoken}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path {folder}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
statmode_default off
ctrl_tcp_listen 127.0.0.1:{control}
"""
MODULES = "/usr/lib/baresip/modules"


class Baresip(Process):
    """One that says the speech to whom it is connected, writes down what both ends say, takes calls
    by itself and is told by its control socket what else to do."""

    def __init__(self, folder, spoken, codec):
        folder.mkdir()
        self.folder = folder
        self.port, self.control_port = free_ports()
        (folder / "accounts").write_text(
            f"<sip:baresip@127.0.0.1:{self.port}>;regint=0;answermode=auto"
            f";audio_codecs={codec.upper()}/8000/1\n"
        )
        (folder / "config").write_text(
            CONFIG.format(
                address="127.0.0.1", port=self.port, control=self.control_port, spoken=spoken,
                folder=folder, modules=MODULES,
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


def spoken_8k(path):
    """The beginning of the speech at the rate that baresip's file source wants."""
    sound = speech.read(SPEECH)
    samples = speech.resample(sound.samples[: SPOKEN_S * sound.rate], sound.rate, RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        for x in samples:
            x = int(32767 * max(-1.0, min(1.0, x)))
            file.writeframesraw(x.to_bytes(2, "little", signed=True))
    return path


class Calls:
    """All that are compared, at one time: over UDP and TCP, from us to it and from it to us."""

    WAYS = [(way, transport) for way in ("we call", "it calls") for transport in ("udp", "tcp")]
    CODECS = {"udp": "pcmu", "tcp": "pcma"}

    def __init__(self, folder, spoken):
        self.folder = folder
        self.spoken = spoken
        self.pairs = {}
        for number, way in enumerate(self.WAYS):
            far = Baresip(folder / f"baresip-{number}", self.spoken, self.CODECS[way[1]])
            self.pairs[way] = far, self.begin(way, far)
        self.codes = {way: near.exit(20) for way, (_, near) in self.pairs.items()}
        for far, _ in self.pairs.values():
            assert far.leave() == 0

    def begin(self, way, far):
        who, transport = way
        how = {"mic": f"file:{self.spoken}", "speaker": f"file:{self.heard(way)}"}
        args = ("--codecs", self.CODECS[transport], "-d", SPOKEN_S - 0.2)
        if who == "we call":
            return caller(far.uri(transport), *args, **how)
        near = answerer("-n", "1", *args, listen=f"{transport}:127.0.0.1:0", **how)
        port = near.event("listening", transport=transport)["port"]
        far.command("dial", f"sip:x@127.0.0.1:{port};transport={transport}")
        return near

    def heard(self, way):
        return self.folder / f"{'-'.join(way).replace(' ', '-')}.wav"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return spoken_8k(tmp_path_factory.mktemp("spoken") / "spoken.wav")


@pytest.fixture(scope="module")
def calls(tmp_path_factory, spoken):
    return Calls(tmp_path_factory.mktemp("baresip"), spoken)


@pytest.mark.parametrize("way", Calls.WAYS, ids=" over ".join)
def test_both_hear_each_other_when(way, calls):
    far, near = calls.pairs[way]
    assert calls.codes[way] == 0
    codec = Calls.CODECS[way[1]]
    said, heard = far.said_and_heard()
    assert speech.compare(calls.spoken, heard, codec).figure >= speech.NEEDED[codec]
    assert speech.compare(calls.spoken, calls.heard(way), codec).figure >= speech.NEEDED[codec]
    assert speech.compare(said, calls.heard(way), codec).figure >= speech.NEEDED[codec]


@pytest.mark.parametrize("way", Calls.WAYS, ids=" over ".join)
def test_the_call_is_as_both_agreed_when(way, calls):
    _, near = calls.pairs[way]
    begun = near.event("call.outgoing" if way[0] == "we call" else "call.incoming")
    assert begun["transport"] == way[1]
    assert near.event("call.media")["codec"] == Calls.CODECS[way[1]]
    ended = near.ended()
    assert ended["cause"] == "local" and ended["code"] == 200
    assert ended["sent"] >= 180 and ended["received"] >= 170 and ended["lost"] == 0


@pytest.fixture
def far(tmp_path, spoken):
    return Baresip(tmp_path / "baresip", spoken, "pcmu")


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
