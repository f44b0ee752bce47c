"""Standard input, output and error in every shape in which a script hands them over."""

import fcntl
import os
import re
import signal
import subprocess

import pytest

from phone import SIPCALL, Media, Peer, Process, answerer, caller, run, text_caller

F_SETPIPE_SZ = 1031


def full_pipe():
    """A pipe that takes not one byte more: (reading end, writing end)."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
        return reader, writer


@pytest.mark.parametrize("kind", ["closed", "null", "file", "pipe that ends", "pipe that stays"])
def test_standard_input_may_be_anything(kind, tmp_path):
    far = answerer("-n", "1")
    how = {}
    if kind == "closed":
        how = {"preexec_fn": lambda: os.close(0), "stdin": None}
    elif kind == "file":
        path = tmp_path / "input"
        path.write_text("hangup\nquit\n")
        how = {"stdin": path.open()}
    elif kind.startswith("pipe"):
        how = {"stdin": subprocess.PIPE}
    near = caller(far.uri(), "-d", "1", "--codecs", "pcmu", **how)
    if kind == "pipe that ends":
        near.popen.stdin.close()
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["sent"] >= 47  # it lasted as long as it should


@pytest.mark.parametrize("closed", [[0, 1, 2], [0], [1], [2], [1, 2]])
@pytest.mark.parametrize("json", [True, False])
def test_closed_descriptors_are_not_mistaken_for_sockets(closed, json):
    """What is opened next gets the number of what was closed, and must not be written to."""
    peer, media = Peer(), Media()

    def close():
        for fd in closed:
            os.close(fd)

    near = Process(
        [SIPCALL, "-i", "silence", "-o", "null", "-d", "0.5", "--codecs", "pcmu", "--trace"]
        + (["--json"] if json else [])
        + [peer.uri()],
        preexec_fn=close,
    )
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    bye = peer.expect("BYE")
    peer.respond(bye, 200)
    assert near.exit() == (9 if 1 in closed else 0)
    assert [message.kind for message in peer.log] == ["INVITE", "ACK", "BYE"]
    assert len(media.packets) >= 22 and not [p for p in media.packets if p.pt != 0]
    assert all(packet[1] in (200, 201, 202, 203) for packet in media.strange)


def test_a_reader_that_goes_away_does_not_end_the_call():
    far = answerer("-n", "1")
    reader, writer = os.pipe()
    near = text_caller(far.uri(), "-d", "1", "--codecs", "pcmu", stdout=writer)
    os.close(writer)
    os.close(reader)
    assert near.exit() == 0
    assert near.err.bytes == b""
    assert far.exit() == 0
    assert far.ended()["received"] >= 47


@pytest.mark.parametrize("json", [True, False])
def test_a_reader_that_never_reads_does_not_disturb_the_call(json):
    peer, media = Peer(), Media()
    reader, writer = full_pipe()
    near = Process(
        [SIPCALL, "-i", "silence", "-o", "null", "-d", "1", "--codecs", "pcmu"]
        + (["--json"] if json else [])
        + [peer.uri()],
        stdout=writer,
    )
    os.close(writer)
    invite = peer.expect("INVITE")
    peer.answer(invite, media.port)
    bye = peer.expect("BYE")
    peer.respond(bye, 200)
    assert 47 <= len(media.packets) <= 53
    gaps = [b.arrival - a.arrival for a, b in zip(media.packets, media.packets[1:])]
    assert max(gaps) < 0.15
    os.close(reader)  # it may wait for its reader, but not longer than there is one
    assert near.exit() == 0


def test_a_full_pipe_does_not_hold_ctrl_c_back():
    peer = Peer()
    reader, writer = full_pipe()
    near = Process([SIPCALL, "-i", "silence", "-o", "null", peer.uri()], stdout=writer)
    os.close(writer)
    invite = peer.expect("INVITE")
    peer.respond(invite, 180)
    peer.log.clear()
    near.signal(signal.SIGINT)
    peer.respond(peer.expect("CANCEL"), 200)
    peer.respond(invite, 487)
    peer.expect("ACK")
    near.signal(signal.SIGINT)
    assert near.exit() == 130
    os.close(reader)


def test_a_full_pipe_for_the_trace_does_not_disturb_the_call_either():
    far = answerer("-n", "1")
    reader, writer = full_pipe()
    near = caller(far.uri(), "-d", "1", "--codecs", "pcmu", "--trace", stderr=writer)
    os.close(writer)
    assert far.exit() == 0
    assert far.ended()["received"] >= 47
    os.close(reader)
    assert near.exit() == 0


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_full_disk_does_not_disturb_the_call_but_is_no_success(json):
    far = answerer("-n", "1")
    with open("/dev/full", "w") as full:
        near = text_caller(far.uri(), "-d", "0.5", "--codecs", "pcmu", *json, stdout=full)
    assert near.exit() == 9
    why = "No space left on device"
    assert near.err.text == f"sipcall: cannot write to standard output: {why}\n"
    assert far.exit() == 0
    assert far.ended()["received"] >= 22


def test_the_trace_goes_to_standard_error_with_every_message():
    far = answerer("-n", "1", "--trace")
    near = text_caller(far.uri(), "-d", "0.3", "--trace", "-H", "X-Test: yes")
    assert (near.exit(), far.exit()) == (0, 0)
    for trace in near.err.text, far.err.text:
        places = [
            re.search(pattern, trace, re.MULTILINE).start()
            for pattern in (r"^\s*INVITE sip:", r"SIP/2\.0 200", r"ACK sip:", r"BYE sip:")
        ]
        assert places == sorted(places)
        assert "X-Test: yes" in trace and "m=audio " in trace
        assert "\r" not in trace and "\x1b" not in trace
    assert "INVITE" not in near.out.text


def test_quiet_says_nothing_when_all_is_well_and_what_fails():
    far = answerer("-n", "1")
    near = text_caller(far.uri(), "-d", "0.2", "-q")
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.out.bytes + near.err.bytes == b""
    far = answerer("--answer-code", "486", "-n", "1")
    near = text_caller(far.uri(), "-q")
    assert (near.exit(), far.exit()) == (5, 0)
    assert "486" in near.out.text + near.err.text


def test_verbose_says_more_each_time():
    said = []
    for level in ([], ["-v"], ["-v", "-v"]):
        far = answerer("-n", "1")
        near = text_caller(far.uri(), "-d", "0.2", "--codecs", "pcmu", *level)
        assert (near.exit(), far.exit()) == (0, 0)
        said.append(near)
    assert said[0].err.bytes == b""
    sizes = [len(process.out.bytes + process.err.bytes) for process in said]
    assert sizes[0] < sizes[1] < sizes[2]


def test_no_escape_byte_is_ever_on_a_pipe():
    for more in ([], ["--trace"], ["-v", "-v"]):
        far = Process(
            [SIPCALL, "--answer", "-l", "udp:127.0.0.1:0", "-i", "loop", "-o", "null", "-n", "1"]
            + more
        )
        port = far.line(r"udp 127\.0\.0\.1:(\d+)")[1].decode()
        near = text_caller(f"sip:x@127.0.0.1:{port}", "-d", "1", *more)
        assert (near.exit(), far.exit()) == (0, 0)
        for process in near, far:
            said = process.out.bytes + process.err.bytes
            assert b"\x1b" not in said and b"\r" not in said and b"\b" not in said
            if not more:
                assert b" you " not in process.out.bytes  # of the live line


@pytest.mark.parametrize("asking", ["--version", "--list-codecs"])
def test_asking_needs_no_standard_input(asking):
    code, process = run(asking, preexec_fn=lambda: os.close(0), stdin=None)
    assert code == 0 and process.out.bytes
