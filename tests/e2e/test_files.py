"""Sound files: each format in and out, what a killed program leaves, and a disk that hangs."""

import ctypes
import os
import signal
import subprocess
import time

import pytest

import speech
from phone import (
    SPEECH,
    Media,
    Peer,
    Terminal,
    SIPCALL,
    Late,
    answerer,
    caller,
    environment,
)

FORMATS = ["wav", "flac", "ogg", "opus"]
# By the rate of the file: a page of Vorbis lasts too long at a low one. The figures that files have
# to reach are those of Opus, for what the files' own coding takes away.
CODECS = {"wav": "pcmu", "flac": "pcma", "ogg": "opus", "opus": "pcmu"}


class Info(ctypes.Structure):
    """SF_INFO of sndfile.h"""

    _fields_ = [
        ("frames", ctypes.c_int64),
        ("rate", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("format", ctypes.c_int),
        ("sections", ctypes.c_int),
        ("seekable", ctypes.c_int),
    ]


def decode(path, to):
    """Plays a file by libsndfile into a WAV file; returns (seconds, channels)."""
    library = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_readf_short.restype = ctypes.c_int64
    info = Info()
    file = library.sf_open(str(path).encode(), 0x10, ctypes.byref(info))
    assert file, f"{path} does not play"
    piece = (ctypes.c_short * (4096 * info.channels))()
    data = bytearray()
    while True:
        got = library.sf_readf_short(ctypes.c_void_p(file), piece, ctypes.c_int64(4096))
        if got <= 0:
            break
        data += bytes(piece)[: got * 2 * info.channels]
    library.sf_close(ctypes.c_void_p(file))
    raw = to.with_suffix(".raw")
    raw.write_bytes(data)
    argv = ["sox", "-t", "raw", "-r", info.rate, "-e", "signed", "-b", 16, "-c", info.channels]
    subprocess.run([*map(str, argv), raw, to], check=True)
    return len(data) / 2 / info.channels / info.rate, info.channels


def until(found, limit, what):
    """Waits for what happens on a disk, which nobody tells."""
    end = time.monotonic() + limit
    while not found():
        if time.monotonic() > end:
            raise Late(f"{what}: not within {limit} s")
        time.sleep(0.01)


def spacing(packets):
    """The longest time between two packets, seconds; none of them may be missing."""
    for a, b in zip(packets, packets[1:]):
        assert (b.seq - a.seq) & 0xFFFF == 1 and (b.ts - a.ts) & 0xFFFFFFFF == 160
    return max(b.arrival - a.arrival for a, b in zip(packets, packets[1:]))


class Calls:
    """A call a format, side by side: all to their end, or all killed in the midst."""

    def __init__(self, folder, killed):
        self.folder = folder
        self.codes = {}
        pairs = {form: self.call(form) for form in FORMATS}
        for near, far in pairs.values():
            if killed:
                far.event("call.stats", 10)  # five seconds
                near.signal(signal.SIGKILL)
        for form, (near, far) in pairs.items():
            if killed:
                far.signal(signal.SIGTERM)
            self.codes[form] = near.exit(20), far.exit()

    def path(self, form, name):
        return self.folder / f"{name}.{form}"

    def call(self, form):
        said = SPEECH if form == "opus" else self.path(form, "said")  # sox does not write it
        if form != "opus":
            subprocess.run(["sox", SPEECH, said], check=True)
        far = answerer("-n", "1", mic=f"file:{SPEECH}")
        near = caller(
            far.uri(), "--hangup-at-eof", "--codecs", CODECS[form],
            "--record", self.path(form, "both"), mic=f"file:{said}",
            speaker=f"file:{self.path(form, 'heard')}",
        )  # fmt: skip
        return near, far


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("calls"), False)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    return Calls(tmp_path_factory.mktemp("killed"), True)


@pytest.mark.parametrize("form", FORMATS)
def test_speech_in_each_format_both_ways(form, calls, tmp_path):
    """Said from one, heard into one, and both recorded in one."""
    assert calls.codes[form] == (0, 0)
    wav = tmp_path / "plain.wav"
    seconds, channels = decode(calls.path(form, "heard"), wav)
    assert channels == 1 and speech.compare(SPEECH, wav, "opus").figure >= speech.NEEDED["opus"]
    seconds, channels = decode(calls.path(form, "both"), wav)
    assert channels == 2 and 8 < seconds < 11
    assert speech.compare(SPEECH, wav, "opus").figure >= speech.NEEDED["opus"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_killed_program_leaves_a_file_that_plays(form, killed, tmp_path):
    assert killed.codes[form][0] == -signal.SIGKILL
    wav, short = tmp_path / "plain.wav", tmp_path / "short.wav"
    least = 2 if form == "ogg" else 3
    heard, both = killed.path(form, "heard"), killed.path(form, "both")
    assert least < decode(both, wav)[0] < 6
    assert least < decode(heard, wav)[0] < 6
    subprocess.run(["sox", SPEECH, "-r", "8000", short, "trim", "0", str(least - 0.5)], check=True)
    assert speech.compare(short, wav, "opus").figure >= speech.NEEDED["opus"]
    if form != "opus":  # nor does it play it
        said = subprocess.run(["sox", heard, "-n", "stat"], capture_output=True, text=True)
        assert said.returncode == 0 and "Length" in said.stderr


def test_samples_without_a_header_are_refused_with_words(tmp_path):
    path = tmp_path / "speech.raw"
    subprocess.run(
        ["sox", SPEECH, "-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", path], check=True
    )
    near = caller("sip:x@127.0.0.1:9", mic=f"file:{path}")
    assert near.exit() == 9
    assert "speech.raw: not an audio file that libsndfile can read" in near.err.text


HANG = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A disk that hangs: writing below $HANG_BELOW waits for as long as the file $HANG_WHILE is there;
 * that one waits, it tells by the file $HANG_SEEN. */
ssize_t write(int fd, const void *bytes, size_t count)
{
	ssize_t (*real)(int, const void *, size_t);
	const char *below = getenv("HANG_BELOW");
	char link[64], path[4096];
	ssize_t len;

	*(void **)&real = dlsym(RTLD_NEXT, "write");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len > 0 && strncmp(path, below, strlen(below)) == 0 && access(getenv("HANG_WHILE"), F_OK) == 0) {
		close(open(getenv("HANG_SEEN"), O_CREAT | O_WRONLY, 0600));
		while (access(getenv("HANG_WHILE"), F_OK) == 0)
			usleep(5000);
	}
	return real(fd, bytes, count);
}
"""


@pytest.fixture(scope="module")
def hang(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hang")
    (folder / "hang.c").write_text(HANG)
    library = folder / "hang.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, folder / "hang.c", "-ldl"], check=True
    )
    return library


def test_a_disk_that_hangs_costs_no_sample(hang, tmp_path):
    """Three seconds without it: what is sent goes on in time, and in the end all is on it."""
    disk, flag, seen = tmp_path / "disk", tmp_path / "flag", tmp_path / "seen"
    disk.mkdir()
    asan = os.environ.get("ASAN_OPTIONS", "")
    env = environment(
        LD_PRELOAD=str(hang), HANG_BELOW=str(disk), HANG_WHILE=str(flag), HANG_SEEN=str(seen),
        ASAN_OPTIONS=f"{asan}:verify_asan_link_order=0",
    )  # fmt: skip
    peer, media = Peer(), Media()
    near = caller(
        peer.uri(), "--codecs", "pcmu", "--record", disk / "both.wav", mic="tone:400",
        speaker=f"file:{disk / 'heard.flac'}", env=env,
    )  # fmt: skip
    peer.answer(peer.expect("INVITE"), media.port)
    media.wait(1)
    flag.touch()
    until(seen.exists, 5, "the disk hangs")
    before = len(media.packets)
    media.wait(before + 150)
    flag.unlink()
    end = len(media.packets) + 50
    packets = media.wait(end)
    near.signal(signal.SIGINT)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    assert spacing(packets) < 0.08
    assert near.having("error") == []
    lasted = len(packets) * 0.02
    for name in ("both.wav", "heard.flac"):
        seconds, _ = decode(disk / name, tmp_path / "plain.wav")
        assert seconds >= lasted - 0.05


def test_a_terminal_that_is_stopped_costs_no_sample():
    """Ctrl-S for three seconds, while a live line wants to be drawn five times in each."""
    peer, media = Peer(), Media()
    argv = [SIPCALL, "-v", "--trace", "--codecs", "pcmu", "-i", "tone:400", "-o", "null", peer.uri()]
    terminal = Terminal(argv)
    peer.answer(peer.expect("INVITE"), media.port)
    terminal.shows("answered")
    terminal.shows("0:01")
    terminal.type(b"\x13")
    before = len(media.packets)
    media.wait(before + 25)  # what was on its way is shown by now
    shown = len(terminal.screen.bytes)
    media.wait(before + 175)
    assert len(terminal.screen.bytes) == shown  # it does stand still
    terminal.type(b"\x11")
    terminal.shows("0:05")
    terminal.type(b"\x03")
    peer.respond(peer.expect("BYE"), 200)
    assert terminal.exit() == 0
    assert spacing(media.packets) < 0.08
