"""Sound from other programs and to them: standard input and output, and commands that run beside
the call."""

import fcntl
import os
import re
import signal
import subprocess
import threading
import wave

import pytest

import speech
from phone import (
    DATA,
    HERE,
    ROOT,
    SIPCALL,
    SPEECH,
    Media,
    Peer,
    Process,
    Terminal,
    answerer,
    caller,
    closed_port,
    environment,
    sdp,
)

OTHER = DATA / "speech-other.wav"
RAW = ["-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", "-c", "1"]


def raw_of(path, rate=16000):
    """The samples of a file as a pipe has them."""
    argv = ["sox", str(path), *RAW, "-"]
    argv[argv.index("16000")] = str(rate)
    return subprocess.run(argv, check=True, capture_output=True).stdout


def wav_of(path, data, rate=16000):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(data[: len(data) // 2 * 2])
    return path


def is_speech(sent, heard, codec="pcmu"):
    result = speech.compare(sent, heard, codec)
    return result.figure >= speech.NEEDED[codec] and result.windows >= 0.85 * result.voiced


def feed(data):
    """A pipe's end to read from, that gives data as fast as it is read."""
    source = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def write():
        with source.stdin:
            source.stdin.write(data)

    threading.Thread(target=write, daemon=True).start()
    return source.stdout


def listening_into_stdout(*args):
    argv = [SIPCALL, "--json", "--answer", "-l", HERE, "-n", "1", "-i", "silence", "-o", "stdout"]
    return [*argv, *args]


def uri_of(far):
    """Of one whose standard output has the sound, and standard error the events."""
    found = far.line(r'"port": ?(\d+)', stream=far.err)
    return f"sip:x@127.0.0.1:{int(found[1])}"


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("rate", [8000, 48000])
def test_speech_goes_in_by_stdin_and_comes_out_by_stdout(rate, tmp_path):
    """One end hears what the other says, each with its own pipe, and nobody but the pipe tells
    when it is over."""
    far = Process(listening_into_stdout("--pipe-rate", str(rate)))
    near = caller(
        uri_of(far), "--codecs", "pcmu", "--hangup-at-eof", "--pipe-rate", str(rate),
        mic="stdin", stdin=feed(raw_of(SPEECH, rate)),
    )  # fmt: skip
    assert near.exit(20) == 0 and far.exit() == 0
    heard = wav_of(tmp_path / "heard.wav", far.out.bytes, rate)
    assert is_speech(SPEECH, heard)
    assert near.having("call.ended")[0]["cause"] == "local"
    assert near.err.bytes == b""
    assert b'"call.ended"' in far.err.bytes


def test_a_filter_sends_one_way_what_it_hears_from_the_other(tmp_path):
    """-i stdin and -o stdout at once, of one call."""
    far = answerer("-n", "1", mic=f"file:{OTHER}", speaker=f"file:{tmp_path / 'far.wav'}")
    near = Process(
        [SIPCALL, "--codecs", "pcmu", "-i", "stdin", "-o", "stdout", "-d", "6", far.uri()],
        stdin=feed(raw_of(SPEECH)),
    )
    assert near.exit(20) == 0 and far.exit() == 0
    short = tmp_path / "short.wav"
    for sent, heard in ((SPEECH, tmp_path / "far.wav"), (OTHER, None)):
        subprocess.run(["sox", sent, "-r", "8000", short, "trim", "0", "5.5"], check=True)
        heard = heard or wav_of(tmp_path / "near.wav", near.out.bytes)
        assert is_speech(short, heard)
    assert re.search(r"^answered ", near.err.text, re.MULTILINE)


def test_what_the_readme_shows(tmp_path):
    """The line as it stands there, but for the port."""
    (line,) = [
        line for line in (ROOT / "README.md").read_text().splitlines() if "espeak-ng" in line
    ]
    port = closed_port()
    heard = tmp_path / "heard.wav"
    far = answerer("-n", "1", listen=f"udp:127.0.0.1:{port}", speaker=f"file:{heard}")
    far.event("listening")
    env = environment(PATH=f"{os.path.dirname(SIPCALL)}:{os.environ['PATH']}")
    assert "5070" in line
    line = line.replace("sipcall ", "sipcall -o null ").replace("5070", str(port))
    assert Process(["sh", "-c", line], env=env).exit(20) == 0 and far.exit() == 0
    said = tmp_path / "said.wav"
    subprocess.run(["espeak-ng", "-w", said, "hello"], check=True)
    with wave.open(str(said)) as a, wave.open(str(heard)) as b:
        lasts, held = a.getnframes() / a.getframerate(), b.getnframes() / b.getframerate()
    assert lasts < held < lasts + 1.5  # nothing was cut off, and it did not go on


def test_a_command_hears_the_call_and_writes_its_file(tmp_path):
    """A program that only at the end of its input finishes its file gets the time for it."""
    heard = tmp_path / "heard.wav"
    far = answerer("-n", "1", mic=f"file:{SPEECH}")
    command = f"exec:sox {' '.join(RAW)} - {heard}"
    near = caller(far.uri(), "-d", "8.8", "--codecs", "pcma", speaker=command)
    assert near.exit(20) == 0 and far.exit() == 0
    assert is_speech(SPEECH, heard, "pcma")
    assert near.having("error") == [] and near.err.bytes == b""


def test_a_command_speaks_and_its_end_is_the_end_of_the_call(tmp_path):
    heard = tmp_path / "heard.wav"
    far = answerer("-n", "1", speaker=f"file:{heard}")
    command = f"exec:sox {SPEECH} {' '.join(RAW)} -"
    near = caller(far.uri(), "--codecs", "pcmu", "--hangup-at-eof", mic=command)
    assert near.exit(20) == 0 and far.exit() == 0
    assert is_speech(SPEECH, heard)
    assert near.having("error") == []


def test_who_answers_hangs_up_at_the_end_of_its_source():
    far = answerer("-n", "1", "--hangup-at-eof", mic="exec:head -c 16000 /dev/zero")
    near = caller(far.uri())
    assert (near.exit(), far.exit()) == (0, 0)
    ended = near.having("call.ended")[0]
    assert ended["cause"] == "remote" and 0.5 <= ended["duration_s"] < 2


def test_silence_follows_a_source_that_ends():
    peer, media = Peer(), Media()
    near = caller(peer.uri(), "--codecs", "pcmu", mic="exec:head -c 3200 /dev/urandom")
    peer.answer(peer.expect("INVITE"), media.port)
    packets = media.wait(50)
    loud = [packet for packet in packets if len(set(packet.payload)) > 8]
    assert 4 <= len(loud) <= 7  # a tenth of a second
    assert len(set(packets[-1].payload)) <= 2
    near.signal(signal.SIGINT)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0


def test_the_call_ends_after_the_last_sample_was_sent():
    """The far end has the whole of it: as many packets as the file lasts, and then BYE."""
    peer, media = Peer(), Media()
    near = caller(
        peer.uri(), "--codecs", "pcmu", "--hangup-at-eof", mic="exec:head -c 32000 /dev/urandom"
    )
    peer.answer(peer.expect("INVITE"), media.port)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 0
    loud = [packet for packet in media.packets if len(set(packet.payload)) > 8]
    assert 50 <= len(loud) <= 54
    last = media.packets.index(loud[-1])
    assert 5 <= len(media.packets) - last <= 30  # with some silence behind it


def test_a_source_that_ends_before_the_answer_ends_the_call_after_it():
    """It was heard as early media; who answers then is not kept."""
    peer, media = Peer(), Media()
    near = caller(
        peer.uri(), "--codecs", "pcmu", "--hangup-at-eof", mic="exec:head -c 3200 /dev/urandom"
    )
    invite = peer.expect("INVITE")
    peer.respond(invite, 183, peer.contact(), body=sdp(media.port))
    media.wait(40)
    peer.answer(invite, media.port)
    peer.respond(peer.expect("BYE", 2), 200)
    assert near.exit() == 0


@pytest.mark.parametrize(
    "command, words",
    [
        ("exit 3", 'the command "exit 3" ended with exit code 3'),
        ("/no/such/program", 'the command "/no/such/program" ended with exit code 127: there is no'),
        ("kill -9 $$", 'the command "kill -9 $$" was killed by signal 9'),
    ],
)
@pytest.mark.parametrize("side", ["mic", "speaker"])
def test_a_command_that_fails_is_told_and_the_call_goes_on(side, command, words):
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "1", **{side: f"exec:{command}"})
    near.event("error")
    assert (near.exit(), far.exit()) == (9, 0)
    (error,) = near.having("error")
    assert error["words"].startswith(words) and error["call"] == 1
    ended = near.having("call.ended")[0]
    assert ended["cause"] == "local" and ended["duration_s"] >= 1


@pytest.mark.parametrize("side", ["mic", "speaker"])
def test_a_command_is_asked_to_end_with_the_call(side, tmp_path):
    told = tmp_path / "told"
    read = "cat > /dev/null; " if side == "speaker" else ""
    command = f"exec:trap 'echo asked > {told}; exit 1' TERM; {read}while :; do sleep 0.05; done"
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "0.5", **{side: command})
    assert (near.exit(), far.exit()) == (0, 0)
    assert told.read_text() == "asked\n"


@pytest.mark.parametrize("side", ["mic", "speaker"])
def test_a_command_that_does_not_listen_is_killed(side, tmp_path):
    pids = tmp_path / "pids"
    read = "cat > /dev/null; " if side == "speaker" else ""
    command = f"exec:trap '' TERM; sleep 100 & echo $$ $! > {pids}; {read}while :; do sleep 0.05; done"
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "0.5", **{side: command})
    assert (near.exit(10), far.exit()) == (0, 0)
    assert all(gone(pid) for pid in map(int, pids.read_text().split()))


def test_no_command_is_left_behind_while_calls_come_and_go(tmp_path):
    far = answerer("-n", "3", "--max-calls", "1", mic="exec:yes", speaker="exec:cat > /dev/null")
    for _ in range(3):
        assert caller(far.uri(), "-d", "0.3").exit() == 0
    assert far.exit() == 0


def test_ctrl_c_is_for_the_call_and_not_for_its_commands(tmp_path):
    """A command is in a group of its own: what the terminal sends does not end it before us."""
    heard = tmp_path / "heard"
    far = answerer("-n", "1", mic="tone:400")
    command = (
        f"exec:trap 'echo interrupted > {heard}' INT; echo ready >&2; cat > /dev/null;"
        f" echo done > {heard}"
    )
    near = caller(far.uri(), speaker=command, start_new_session=True)
    near.line("^ready", stream=near.err)
    os.killpg(near.pid, signal.SIGINT)
    assert (near.exit(), far.exit()) == (0, 0)
    assert heard.read_text() == "done\n"


def test_a_reader_that_stops_costs_samples_and_no_packet():
    """The pipe fills, then a second in our hands; the rest is counted, told once, and what is sent
    meanwhile is in time."""
    peer, media = Peer(), Media()
    read_end, write_end = os.pipe()
    near = Process(
        [SIPCALL, "--json", "--codecs", "pcmu", "--pipe-rate", "48000", "-i", "tone:400",
            "-o", "stdout", "-d", "4", peer.uri()], stdout=write_end
    )  # fmt: skip
    os.close(write_end)
    peer.answer(peer.expect("INVITE"), media.port)
    peer.respond(peer.expect("BYE", 10), 200)
    assert near.exit() == 9
    os.close(read_end)
    assert 199 <= len(media.packets) <= 202
    gaps = [b.arrival - a.arrival for a, b in zip(media.packets, media.packets[1:])]
    assert max(gaps) < 0.1
    told = re.findall(r"standard output was too slow: ([\d.]+) s of sound were dropped", near.err.text)
    assert len(told) == 1 and 2 < float(told[0]) < 4


def test_a_reader_that_leaves_is_noted_and_the_call_goes_on():
    far = answerer("-n", "1", mic="tone:400")
    read_end, write_end = os.pipe()
    near = Process(
        [SIPCALL, "--json", "-i", "silence", "-o", "stdout", "-d", "1", far.uri()],
        stdout=write_end,
    )
    os.close(write_end)
    os.close(read_end)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.err.text.count("standard output is not read any more") == 1


def test_standard_input_and_output_may_be_files(tmp_path):
    """Which may hang, and are read and written beside the call."""
    said, heard = tmp_path / "said.raw", tmp_path / "heard.raw"
    said.write_bytes(raw_of(SPEECH))
    with open(said) as source, open(heard, "w") as sink:
        far = Process(listening_into_stdout(), stdout=sink)
        near = caller(
            uri_of(far), "--codecs", "pcmu", "--hangup-at-eof", mic="stdin", stdin=source
        )
        assert near.exit(20) == 0 and far.exit() == 0
    assert is_speech(SPEECH, wav_of(tmp_path / "heard.wav", heard.read_bytes()))


def test_what_is_shared_with_others_stays_as_it_is():
    """A pipe that the shell goes on to use is not made non-blocking."""
    read_end, write_end = os.pipe()
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "0.3", mic="stdin", stdin=read_end)
    assert (near.exit(), far.exit()) == (0, 0)
    assert not fcntl.fcntl(read_end, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(write_end)
    os.close(read_end)


def test_standard_input_that_is_closed_has_ended():
    far = answerer("-n", "1")
    near = caller(
        far.uri(), "--hangup-at-eof", mic="stdin", stdin=None, preexec_fn=lambda: os.close(0)
    )
    assert (near.exit(), far.exit()) == (0, 0)


def test_standard_output_that_is_closed_is_told():
    far = answerer("-n", "1")
    near = Process(
        [SIPCALL, "-i", "silence", "-o", "stdout", far.uri()], preexec_fn=lambda: os.close(1)
    )
    assert near.exit() == 9
    assert "standard output is closed" in near.err.text
    far.exit()


@pytest.mark.parametrize("sound", [("-i", "stdin", "-o", "null"), ("-i", "silence", "-o", "stdout")])
def test_a_terminal_is_no_pipe(sound):
    """What is typed is no sound, and sound is nothing to look at."""
    terminal = Terminal([SIPCALL, *sound, "sip:x@127.0.0.1:9"])
    assert terminal.exit() == 2
    assert b"is a terminal" in terminal.screen.bytes
