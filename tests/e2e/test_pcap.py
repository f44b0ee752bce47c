"""--pcap: what is in the file is what went over the wire, as tshark reads it."""

import os
import re
import resource
import shutil
import signal

import pytest

from phone import Media, Peer, Process, answerer, caller, run, text_caller

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


class Packets:
    """A file as tshark reads it, with its own checks of sums switched on: it starts at once, and is
    waited for when something is asked."""

    FIELDS = ["sip.Method", "sip.Status-Code", "rtcp.pt", "tcp.seq"]
    BAD = ["ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "_ws.malformed"]
    STREAM = re.compile(
        r" +[\d.]+ +[\d.]+ +\S+ +(\d+) +\S+ +(\d+) +0x\S+ +.+? +(\d+) +(-?\d+) \(.*"
    )

    def __init__(self, path):
        argv = ["tshark", "-n", "-r", str(path), "-z", "rtp,streams", "-T", "fields"]
        argv += [word for name in self.FIELDS + self.BAD for word in ("-e", name)]
        for protocol in ("ip", "udp", "tcp"):
            argv += ["-o", f"{protocol}.check_checksum:TRUE"]
        self.process = Process(argv)

    def rows(self):
        assert self.process.exit(20) == 0
        assert "cut short" not in self.process.err.text
        lines = [line.split("\t") for line in self.process.out.text.split("\n")]
        rows = [row for row in lines if len(row) == len(self.FIELDS + self.BAD)]
        assert all(set(row[len(self.FIELDS) :]) <= {"", "1"} for row in rows), rows
        return rows

    def sip(self):
        """What tshark understands of it."""
        return [row[0] or row[1] for row in self.rows() if row[0] or row[1]]

    def having(self, name):
        return [row for row in self.rows() if row[self.FIELDS.index(name)]]

    def streams(self):
        """RTP as tshark counts it: {(source port, target port): (packets, lost)}."""
        self.rows()
        found = (self.STREAM.fullmatch(line) for line in self.process.out.lines)
        return {(int(m[1]), int(m[2])): (int(m[3]), int(m[4])) for m in found if m}


CALL = ["INVITE", "180", "200", "ACK", "BYE", "200"]


@needs_tshark
@pytest.mark.parametrize(
    "listen, way",
    [("udp:127.0.0.1:0", ""), ("udp:[::1]:0", ""), ("tcp:127.0.0.1:0", ";transport=tcp")],
)
def test_tshark_and_our_counts_agree(tmp_path, listen, way):
    near_file, far_file = tmp_path / "near.pcap", tmp_path / "far.pcap"
    far = answerer("-n", "1", "--pcap", far_file, answer="--answer=0.02", listen=listen)
    near = caller(far.uri() + way, "-d", "0.4", "--pcap", near_file, "--codecs", "pcmu")
    assert (near.exit(), far.exit()) == (0, 0)
    media_port = int(near.event("call.media")["address"].rsplit(":", 1)[1])
    for phone, packets in (near, Packets(near_file)), (far, Packets(far_file)):
        assert packets.sip() == CALL
        assert packets.having("rtcp.pt")
        assert bool(packets.having("tcp.seq")) == bool(way)
        counts = packets.streams()
        ended = phone.ended()
        assert len(counts) == 2
        for (_, to), count in counts.items():
            if (to == media_port) == (phone is near):
                assert count == (ended["sent"], 0)
            else:
                assert count == (ended["received"], ended["lost"])


@needs_tshark
def test_what_is_lost_is_lost_in_both(tmp_path):
    path = tmp_path / "a.pcap"
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--pcap", path, "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    to = ("127.0.0.1", invite.media_port())
    media.wait(1)
    for seq in range(40):
        if seq % 10 != 5:
            media.send(to, bytes([255] * 160), seq, seq * 160)
    media.wait(20)
    peer.hang_up(invite, invite.source)
    assert near.exit() == 0
    ended = near.ended()
    assert ended["lost"] == 4 and ended["received"] == 36
    counts = Packets(path).streams()
    assert counts[media.port, to[1]] == (36, 4)
    assert counts[to[1], media.port] == (ended["sent"], 0)


@needs_tshark
def test_a_long_message_over_tcp_is_whole(tmp_path):
    path = tmp_path / "a.pcap"
    far = answerer("-n", "1", "--answer-code", "486", listen="tcp:127.0.0.1:0")
    more = [word for i in range(12) for word in ("-H", f"X-{i}: " + "x" * 300)]
    near = caller(far.uri() + ";transport=tcp", "--pcap", path, *more)
    assert (near.exit(), far.exit()) == (5, 0)
    packets = Packets(path)
    assert packets.sip() == ["INVITE", "486", "ACK"]
    assert len(packets.having("tcp.seq")) > 4  # the INVITE takes several


def test_ctrl_c_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.pcap"
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--pcap", path, "--codecs", "pcmu")
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    media.wait(5)
    near.signal(signal.SIGINT)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    data = path.read_bytes()
    assert data.count(b"SIP/2.0 200 OK") == 2 and b"BYE sip:" in data
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~umask()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_that_is_there_stays_and_nobody_is_called(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_text("mine")
    peer = Peer()
    code, process = run("-i", "silence", "-o", "null", "--pcap", path, peer.uri())
    assert code == 9
    assert " exists already, and is not overwritten;" in process.err.text
    assert process.out.text == ""
    assert path.read_text() == "mine"
    peer.nothing(0)
    code, process = run("-i", "silence", "-o", "null", "--pcap", tmp_path / "no" / "a", peer.uri())
    assert code == 9
    assert process.err.text.endswith("no/a: there is no such folder\n")


def test_a_full_disk_is_told_and_is_no_success(tmp_path):
    path = tmp_path / "a.pcap"
    far = answerer("-n", "1")
    near = text_caller(
        far.uri(), "-d", "0.3", "--codecs", "pcmu", "--pcap", path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, -1)),
    )  # fmt: skip
    assert (near.exit(), far.exit()) == (9, 0)
    missing = r"a\.pcap: \d+ of \d+ packets are missing, as File too large$"
    assert re.search(missing, near.out.text, re.M)
    assert 24 < path.stat().st_size <= 3000
