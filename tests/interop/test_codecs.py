"""Our codecs and those of others, both ways: what we send is decoded by their tools, and what those
have encoded is played to us by SIPp."""

import os
import subprocess

import pytest

import foreign
import speech
from phone import SPEECH, Media, Peer, answerer, caller
from sipp_end import Sipp, at

SPOKEN_S = 4
CODECS = list(foreign.FORMS)


class Calls:
    """All at one time: for each codec one to a far end that keeps our packets, and one from SIPp."""

    def __init__(self, folder, spoken):
        self.folder = folder
        self.sent = {codec: self.listen(codec, spoken) for codec in CODECS}
        self.played = {codec: self.play(codec, spoken) for codec in CODECS}
        self.payloads = {codec: self.hang_up(*self.sent[codec]) for codec in CODECS}
        self.codes = {codec: [end.exit(20) for end in self.played[codec]] for codec in CODECS}

    def listen(self, codec, spoken):
        """We call: (phone, peer, media), talking."""
        peer, media = Peer(), Media()
        near = caller(peer.uri(), "--codecs", codec, "-d", SPOKEN_S, mic=f"file:{spoken}")
        peer.answer(peer.expect("INVITE"), media.port, [codec])
        return near, peer, media

    def hang_up(self, near, peer, media):
        peer.respond(peer.expect("BYE", 20), 200)
        assert near.exit() == 0
        return [packet.payload for packet in media.packets]

    def play(self, codec, spoken):
        """SIPp calls: (SIPp, phone)."""
        form = foreign.FORMS[codec]
        payloads = foreign.encode(codec, spoken, self.folder)
        capture = self.folder / f"{codec}.pcap"
        capture.write_bytes(foreign.capture(form, payloads))
        far = answerer("-n", "1", "--codecs", codec, speaker=f"file:{self.heard(codec)}")
        near = Sipp(
            self.folder, "plays-a-capture", at(far),
            keys={"number": form.payload_type, "name": form.name},
            changes={"CAPTURE": str(capture), "LENGTH": str(len(payloads) * form.packet_ms + 200)},
        )  # fmt: skip
        return near, far

    def heard(self, codec):
        return self.folder / f"{codec}-heard.wav"


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    path = tmp_path_factory.mktemp("spoken") / "spoken.wav"
    subprocess.run(["sox", SPEECH, path, "trim", "0", str(SPOKEN_S)], check=True)
    return path


@pytest.fixture(scope="module")
def calls(tmp_path_factory, spoken):
    if os.geteuid() != 0:
        pytest.skip("SIPp plays a capture through a raw socket, which only root may open")
    return Calls(tmp_path_factory.mktemp("codecs"), spoken)


@pytest.mark.parametrize("codec", CODECS)
def test_they_understand_us(codec, calls, spoken, tmp_path):
    wav = tmp_path / "heard.wav"
    foreign.decode(codec, calls.payloads[codec], wav)
    assert speech.compare(spoken, wav, codec).figure >= speech.NEEDED[codec]


@pytest.mark.parametrize("codec", CODECS)
def test_we_understand_them(codec, calls, spoken):
    assert calls.codes[codec] == [0, 0]
    result = speech.compare(spoken, calls.heard(codec), codec)
    assert result.figure >= speech.NEEDED[codec]
    _, near = calls.played[codec]
    assert near.event("call.media")["codec"] == codec
    assert near.ended()["lost"] == 0 and near.ended()["received"] > SPOKEN_S * 1000 / 45 - 5
