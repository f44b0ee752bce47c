"""The codec and the length of packets change in mid-call: one phone speaks, another hears, and what
stands between them passes their packets on and says to each what a test wants said."""

import itertools
from concurrent import futures

import pytest

import speech
from phone import SPEECH, Media, Peer, answerer, caller, sdp

MUX = "a=rtcp-mux\r\n"
BYE = 203  # RTCP


class Relay(Media):
    """A port to which one phone sends; what comes there is sent on to the other."""

    def __init__(self):
        self.pass_on = lambda data: None
        super().__init__()

    def _take(self, data, source):
        super()._take(data, source)
        self.pass_on(data)


class Between:
    """The speaker sends the speech and was called by us; the hearer has called us, and plays into
    a file. Each has a dialog of its own with us."""

    def __init__(self, heard, offered, agreed, spoken, more=""):
        """The hearer offers these codecs and agrees on those; the speaker begins with the one
        spoken, as more describes it."""
        self.heard = heard
        self.relays = Relay(), Relay()
        self.to_speaker, self.to_hearer = Peer(), Peer()
        self.numbers = itertools.count(2)
        speaker = answerer("-n", "1", mic=f"file:{SPEECH}")
        self.hearer = caller(
            self.to_hearer.uri(), "--codecs", ",".join(offered), speaker=f"file:{heard}"
        )
        self.speaker = speaker
        self.answer_hearer(agreed)
        self.call_speaker(spoken, more)

    def answer_hearer(self, agreed):
        invite = self.to_hearer.expect("INVITE")
        there = "127.0.0.1", invite.media_port()
        self.relays[0].pass_on = lambda data: self.relays[1].socket.sendto(data, there)
        body = sdp(self.relays[1].port, agreed, more=MUX)
        self.to_hearer.respond(invite, 200, self.to_hearer.contact(), body=body)
        ack = self.to_hearer.expect("ACK")
        self.hearer_dialog = ack.source, invite.contact_uri, {
            "from": f"{invite.get('to')};tag={self.to_hearer.tag}",
            "to": invite.get("from"), "call_id": invite.get("call-id"),
        }  # fmt: skip

    def call_speaker(self, spoken, more):
        to = "127.0.0.1", self.speaker.port()
        invite = self.to_speaker.request(
            "INVITE", to, body=sdp(self.relays[0].port, [spoken], more=MUX + more)
        )
        ok = self.to_speaker.expect(200)
        there = "127.0.0.1", ok.media_port()
        self.relays[1].pass_on = lambda data: self.relays[0].socket.sendto(data, there)
        self.to_speaker.ack(invite, ok, to)
        self.speaker_dialog = to, ok.contact_uri, {
            "from": invite.get("from"), "to": ok.get("to"), "call_id": invite.get("call-id"),
        }  # fmt: skip

    def change(self, peer, dialog, body):
        where, uri, ends = dialog
        number = next(self.numbers)
        request = peer.request("INVITE", where, uri, body=body, dialog=dict(ends, cseq=f"{number} INVITE"))
        ok = peer.expect(200)
        peer.ack(request, ok, where)
        return ok

    def change_speaker(self, codec, more=""):
        """It speaks on by codec."""
        body = sdp(self.relays[0].port, [codec], more=MUX + more)
        return self.change(self.to_speaker, self.speaker_dialog, body)

    def change_hearer(self, codec):
        body = sdp(self.relays[1].port, [codec], more=MUX)
        return self.change(self.to_hearer, self.hearer_dialog, body)

    def spoken(self, count):
        """Waits until the speaker has sent so many packets more; those."""
        before = len(self.relays[0].packets)
        return self.relays[0].wait(before + count)[before:]

    def finish(self):
        """How it was for the hearer."""
        for peer, dialog in (
            (self.to_speaker, self.speaker_dialog), (self.to_hearer, self.hearer_dialog),
        ):  # fmt: skip
            where, uri, ends = dialog
            number = next(self.numbers)
            peer.request("BYE", where, uri, dialog=dict(ends, cseq=f"{number} BYE"), contact=None)
            peer.expect(200)
        assert (self.speaker.exit(), self.hearer.exit()) == (0, 0)
        assert not self.hearer.having("error") and not self.speaker.having("error")
        return self.hearer.ended()

    def likeness(self, codec):
        return speech.compare(SPEECH, self.heard, codec).figure


def in_rows(packets):
    """The payload type, SSRC and count of each row of packets that have them in common."""
    return [
        (*key, len(list(row))) for key, row in itertools.groupby(packets, lambda p: (p.pt, p.ssrc))
    ]


def goodbyes(relay):
    """The SSRCs of which RTCP has said BYE, by the last packet of each compound."""
    found = []
    for data in relay.strange:
        at = 0
        while at + 8 <= len(data):
            if data[at + 1] == BYE:
                found.append(int.from_bytes(data[at + 4 : at + 8]))
            at += 4 * (int.from_bytes(data[at + 2 : at + 4]) + 1)
    return found


def to_another_rate_and_back(heard):
    between = Between(heard, ["pcmu", "opus"], ["pcmu"], "pcmu")
    between.spoken(100)
    for codec in "opus", "pcmu":
        between.change_hearer(codec)
        between.change_speaker(codec)
        between.spoken(130)
    return between, between.finish()


def by_choice_of_theirs(heard, offered, spoken, other):
    between = Between(heard, offered, offered, spoken)
    between.spoken(100)
    for now in other, spoken:
        between.change_speaker(now)
        between.spoken(130)
    return between, between.finish()


def by_all_lengths(heard, codec):
    between = Between(heard, [codec], [codec], codec, more=f"a=ptime:{LENGTHS[0]}\r\n")
    between.spoken(2000 // LENGTHS[0])
    for ms in LENGTHS[1:]:
        between.change_speaker(codec, more=f"a=ptime:{ms}\r\n")
        between.spoken(2000 // ms)
    return between, between.finish()


LENGTHS = [60, 10, 30, 40]  # ms
CHOICES = [
    (["pcmu", "pcma"], "pcmu", "pcma", "pcmu"),
    (["pcmu", "opus"], "pcmu", "opus", "opus"),
    (["g722", "pcma"], "g722", "pcma", "g722"),
    (["opus", "pcma"], "opus", "pcma", "opus"),
]


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """All at once, as each takes the time that the speech does: what came of each, by name."""
    folder = tmp_path_factory.mktemp("heard")
    made = {"rate": (to_another_rate_and_back,)}
    for number, (offered, spoken, other, _) in enumerate(CHOICES):
        made[f"choice {number}"] = by_choice_of_theirs, offered, spoken, other
    for codec in "pcmu", "opus":
        made[codec] = by_all_lengths, codec
    with futures.ThreadPoolExecutor(len(made)) as pool:
        return {
            name: pool.submit(make, folder / f"{name}.wav", *args)
            for name, (make, *args) in made.items()
        }


@pytest.mark.limit(60)
def test_to_a_codec_of_another_rate_and_back(calls):
    """By re-INVITE, to both. The file has the rate of the beginning; RFC 7160, section 4.1: with
    each clock what is sent is another source, and goodbye is said to the one before."""
    between, ended = calls["rate"].result()
    rows = in_rows(between.relays[0].packets)
    assert [row[0] for row in rows] == [0, 96, 0]
    ssrcs = [row[1] for row in rows]
    assert len(set(ssrcs)) == 3
    assert goodbyes(between.relays[0]) == ssrcs
    assert ended["lost"] == 0 and ended["concealed_pct"] < 2
    for phone in between.speaker, between.hearer:
        codecs = [event["codec"] for event in phone.having("call.media")]
        assert codecs == ["pcmu", "opus", "pcmu"]
        assert not [event for event in phone.having("call.media") if event["received"]]
    with speech.wave.open(str(between.heard)) as file:
        assert file.getframerate() == 8000
    assert between.likeness("pcmu") >= speech.NEEDED["opus"]


@pytest.mark.limit(60)
@pytest.mark.parametrize("number", range(len(CHOICES)))
def test_the_far_end_chooses_among_what_was_agreed_on(calls, number):
    """Without a word to the hearer, who is told by what comes."""
    between, ended = calls[f"choice {number}"].result()
    _, spoken, other, codec = CHOICES[number]
    assert ended["lost"] == 0 and ended["concealed_pct"] < 2
    told = [(event["codec"], event["received"]) for event in between.hearer.having("call.media")]
    assert told == [(spoken, None), (spoken, other), (spoken, None)]
    assert between.likeness(codec) >= speech.NEEDED[codec]


@pytest.mark.limit(60)
@pytest.mark.parametrize("codec, octets_a_ms", [("pcmu", 8), ("opus", None)])
def test_packets_of_any_length(calls, codec, octets_a_ms):
    """What the hearer sends has 20 ms all the time."""
    between, ended = calls[codec].result()
    assert ended["lost"] == 0 and ended["concealed_pct"] < 2
    clock = 48 if codec == "opus" else 8
    steps = [(b.ts - a.ts) // clock for a, b in itertools.pairwise(between.relays[0].packets)]
    made = [60, 10, 20, 40] if codec == "opus" else LENGTHS  # Opus has no packet of 30 ms
    assert [key for key, row in itertools.groupby(steps) if len(list(row)) > 2] == made
    if octets_a_ms:
        sizes = [len(packet.payload) // octets_a_ms for packet in between.relays[0].packets]
        assert [key for key, _ in itertools.groupby(sizes)] == made
    back = between.relays[1].packets
    assert {b.ts - a.ts for a, b in itertools.pairwise(back)} == {20 * clock}
    assert between.likeness(codec) >= speech.NEEDED[codec]


def test_what_is_offered_is_heard_before_it_is_answered():
    """RFC 3264, section 5.1: who has our offer may send any of it at once."""
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu,pcma")
    invite = peer.expect("INVITE")
    ack = peer.answer(invite, media.port, ["pcmu"])
    end = {
        "from": f"{invite.get('to')};tag={peer.tag}", "to": invite.get("from"),
        "call_id": invite.get("call-id"),
    }  # fmt: skip

    def send(first):
        for i in range(first, first + 20):
            media.send(("127.0.0.1", invite.media_port()), b"\x10\x90" * 80, i, 160 * i, pt=8)

    send(0)  # by what was not agreed on
    media.wait(len(media.packets) + 10)
    peer.request("INVITE", ack.source, invite.contact_uri, dialog=dict(end, cseq="1 INVITE"))
    ok = peer.expect(200)
    assert not [event for event in near.having("call.media") if event["received"]]
    send(20)
    near.event("call.media", codec="pcmu", received="pcma")
    peer.request(
        "ACK", ack.source, ok.contact_uri, body=sdp(media.port, ["pcma"]),
        dialog=dict(end, cseq="1 ACK"), contact=None,
    )  # fmt: skip
    near.event("call.media", codec="pcma", received=None)
    peer.request(
        "BYE", ack.source, invite.contact_uri, dialog=dict(end, cseq="2 BYE"), contact=None
    )
    peer.expect(200)
    assert near.exit() == 0


def test_no_packet_is_longer_than_they_take():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    body = sdp(media.port, more="a=ptime:60\r\na=maxptime:30\r\n")
    peer.respond(invite, 200, peer.contact(), body=body)
    ack = peer.expect("ACK")
    assert {len(packet.payload) for packet in media.wait(5)} == {240}
    peer.hang_up(invite, ack.source)
    peer.expect(200)
    assert near.exit() == 0


def loudness(path):
    """The mean level of a file, in dB of full scale."""
    sound = speech.read(path)
    energy = sum(x * x for x in sound.samples) / len(sound.samples)
    return 10 * speech.math.log10(energy)


@pytest.mark.parametrize("option, side", [("--mic-volume", "near"), ("--volume", "far")])
def test_volume(tmp_path, option, side):
    """As loud as asked for, either way; what is too loud stays at the loudest."""
    levels = {}
    for db in "0", "-12", "+20":
        far = answerer(
            "-n", "1", "-d", "1", *([option, db] if side == "far" else []),
            speaker=f"file:{tmp_path / db}.wav",
        )  # fmt: skip
        near = caller(
            far.uri(), "--codecs", "pcmu", *([option, db] if side == "near" else []),
            mic="tone:440",
        )  # fmt: skip
        assert (near.exit(), far.exit()) == (0, 0)
        levels[db] = loudness(tmp_path / f"{db}.wav")
    assert abs(levels["-12"] - levels["0"] + 12) < 0.5
    assert -3 <= levels["+20"] <= 0  # a square, nearly
