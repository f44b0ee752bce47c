"""--record: where it is written, what it is called, and that it never takes the place of
another."""

import re
import resource
import signal
import wave

from phone import Media, Peer, answerer, caller, run, text_caller


def seconds(path):
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        return file.getnframes() / file.getframerate()


def test_a_recording_lasts_as_long_as_the_call(tmp_path):
    path = tmp_path / "call.wav"
    far = answerer("-n", "1", "--codecs", "opus", mic="tone:400")
    near = caller(far.uri(), "-d", "1", "--record", path)
    assert (near.exit(), far.exit()) == (0, 0)
    assert 0.9 < seconds(path) < 1.3
    with wave.open(str(path)) as file:
        assert file.getframerate() == 48000


def test_an_existing_file_is_never_overwritten(tmp_path):
    path = tmp_path / "call.wav"
    path.write_bytes(b"precious")
    peer = Peer()
    code, process = run("-i", "silence", "-o", "null", "--record", path, peer.uri())
    assert code == 9
    assert path.name in process.err.text and process.err.text.startswith("sipcall: ")
    assert path.read_bytes() == b"precious"
    peer.nothing(0.05)


def test_a_file_that_comes_meanwhile_is_not_overwritten_either(tmp_path):
    path = tmp_path / "call.wav"
    peer, media = Peer(), Media()
    near = text_caller(peer.uri(), "-d", "0.5", "--codecs", "pcmu", "--record", path)
    invite = peer.expect("INVITE")
    path.write_bytes(b"precious")
    peer.respond(invite, 180)
    peer.answer(invite, media.port)
    peer.respond(peer.expect("BYE"), 200)
    assert near.exit() == 9
    assert path.read_bytes() == b"precious"
    assert path.name in near.out.text + near.err.text


def test_names_are_made_of_number_time_and_peer(tmp_path):
    far = answerer("-n", "2", "--record", tmp_path / "%n_%t_%p_%%.wav")
    for _ in range(2):
        assert caller(far.uri(), "-d", "0.3").exit() == 0
    assert far.exit() == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    for number, name in enumerate(names, 1):
        assert re.fullmatch(rf"{number}_\d{{8}}-\d{{6}}_\w*tester@127\.0\.0\.1\S*_%\.wav", name)
        assert seconds(tmp_path / name) > 0.2


def test_the_far_end_cannot_choose_the_folder(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    far = answerer("-n", "1", "--codecs", "pcmu", "--record", folder / "%p.wav")
    peer, media = Peer(), Media()
    to = ("127.0.0.1", far.port())
    invite, ok = peer.call(to, media.port, **{"from": "<sip:..%2f../..%2fx@127.0.0.1>;tag=1"})
    media.wait(10)
    peer.bye(invite, ok, to)
    peer.expect(200)
    assert far.exit() == 0
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(everything) == 1 and everything[0].parent == folder


def test_the_end_of_a_call_tells_where_its_recording_is(tmp_path):
    path = tmp_path / "call.wav"
    far = answerer("-n", "1")
    near = caller(far.uri(), "-d", "0.3", "--record", path)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["recording"] == str(path)


def test_a_call_that_was_never_answered_leaves_no_recording(tmp_path):
    far = answerer("--answer-code", "486", "-n", "1")
    near = caller(far.uri(), "--record", tmp_path / "call.wav")
    assert (near.exit(), far.exit()) == (5, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_stays_whole_when_the_call_is_cut_off_by_a_signal(tmp_path):
    path = tmp_path / "call.wav"
    far = answerer("-n", "1")
    near = caller(far.uri(), "--record", path)
    near.event("call.answered")
    far.event("call.answered")
    near.signal(signal.SIGTERM)
    assert (near.exit(), far.exit()) == (143, 0)
    assert seconds(path) >= 0


def test_a_call_goes_on_where_its_recording_cannot_be(tmp_path):
    """The second call may not take a file that is there; that is told, and the end says 9."""
    far = answerer("-n", "2", "--record", tmp_path / "%n.wav")
    path = tmp_path / "2.wav"
    path.touch()
    for _ in range(2):
        assert caller(far.uri(), "-d", "0.5").exit() == 0
    assert far.exit() == 9
    first, second = far.having("call.ended")
    assert first["recording"] == str(tmp_path / "1.wav") and second["recording"] is None
    assert first["cause"] == second["cause"] == "remote"
    (error,) = far.having("error")
    assert error["call"] == 2 and error["words"].startswith(f"{path}: it exists already")


def test_a_disk_that_is_full_is_told_and_is_no_success(tmp_path):
    """A file that may not grow over 64 KiB stands for the disk."""
    path = tmp_path / "heard.wav"
    limit = (65536, resource.RLIM_INFINITY)
    far = answerer("-n", "1", mic="tone:400")
    near = caller(
        far.uri(), "-d", "2", "--codecs", "opus", speaker=f"file:{path}",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )  # fmt: skip
    assert (near.exit(), far.exit()) == (9, 0)
    (error,) = near.having("error")
    assert error["words"].startswith(str(path))
    assert near.having("call.ended")[0]["cause"] == "local"
