"""--script: the same file on real sockets and in the simulated world, what a script that fails says
and writes, and what is left when it is cut short."""

import json
import os
import re
import signal
import xml.etree.ElementTree as ElementTree
from subprocess import PIPE

import pytest

from phone import DATA, ROOT, SIPCALL, SPEECH, Process, answerer, run

EXAMPLES = sorted((ROOT / "share" / "sipcall" / "examples").glob("*.sipcall"))

CALL = """\
phone alice mic=tone:440 codecs=pcmu
phone bob mic=tone:1000 answer=0.1
alice call ${bob.uri}
alice expect ringing
alice expect answered codec == pcmu
bob expect incoming
alice hangup
bob expect ended cause == remote
"""


@pytest.fixture
def script(tmp_path):
    """Writes a script and says where it is."""

    def write(text, name="test.sipcall"):
        (tmp_path / name).write_text(text)
        return name

    os.chdir(tmp_path)
    yield write
    os.chdir(ROOT)


def lines(process):
    return process.out.text.splitlines()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_does_what_it_says_in_the_simulated_world(example, script):
    code, process = run("--script", example, "--virtual", "--var", f"speech={SPEECH}", limit=20)
    assert code == 0
    assert re.search(r"^\d+ expectations met   \S+   \d+\.\d s$", lines(process)[-1])
    assert process.err.text == ""


@pytest.mark.parametrize("name", ["call", "answer"])
def test_the_same_file_runs_on_real_sockets(name):
    example = str(ROOT / "share" / "sipcall" / "examples" / f"{name}.sipcall")
    real, process = run("--script", example)
    simulated, other = run("--script", example, "--virtual")
    assert (real, simulated) == (0, 0)
    assert process.out.text.split("   ")[:2] == other.out.text.split("   ")[:2]


def test_the_page_shows_the_examples_as_they_are():
    page = (ROOT / "man" / "sipcall-script.7").read_text()
    assert len(EXAMPLES) >= 4
    for example in EXAMPLES:
        assert ".Bd -literal\n" + example.read_text().replace("\\", "\\e") + ".Ed\n" in page


def test_a_script_that_fails_says_what_where_and_what_came_instead(script):
    name = script(CALL.replace("codec == pcmu", "codec == opus within 1s"))
    code, process = run("--script", name, "--virtual", "--tap", "t.tap", "--junit", "j.xml")
    assert code == 1
    messages = [
        "    alice > bob  INVITE bob@127.0.0.1:29348         +0.000",
        "    bob > alice  180 Ringing                        +0.000",
        "    bob > alice  200 OK                             +0.100",
        "    alice > bob  ACK bob@127.0.0.1:29348            +0.100",
    ]
    assert lines(process) == [
        "test.sipcall:5   alice expect answered codec == opus within 1s",
        '                 got call.answered with codec "pcmu" in 1.0 s',
        *messages,
        "1 of 3 expectations failed   test.sipcall   1.1 s",
    ]
    assert open("t.tap").read().splitlines() == [
        "TAP version 13",
        "ok 1 - test.sipcall:3 alice call ${bob.uri}",
        "ok 2 - test.sipcall:4 alice expect ringing",
        "not ok 3 - test.sipcall:5 alice expect answered codec == opus within 1s",
        '# got call.answered with codec "pcmu" in 1.0 s',
        *[f"# {line}" for line in messages],
        "1..3",
    ]
    suite = ElementTree.parse("j.xml").getroot().find("testsuite")
    assert suite.attrib == {
        "name": "test.sipcall",
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "time": "1.100",
        "timestamp": "2026-01-01T00:00:00",
    }
    cases = suite.findall("testcase")
    assert [case.find("failure") is not None for case in cases] == [False, False, True]
    failure = cases[2].find("failure")
    assert failure.get("message") == 'got call.answered with codec "pcmu" in 1.0 s'
    assert failure.text.splitlines() == messages


def test_it_fails_alike_on_real_sockets_and_hangs_up(script):
    name = script(CALL.replace("codec == pcmu", "codec == opus within 0.2s"))
    code, process = run("--script", name, "--json", "--tap", "t.tap")
    assert code == 1
    ended = [e for e in map(json.loads, lines(process)) if e["event"] == "call.ended"]
    assert sorted(event["phone"] for event in ended) == ["alice", "bob"]
    assert all(event["answered"] for event in ended)
    told = process.err.text.splitlines()
    assert told[0] == "test.sipcall:5   alice expect answered codec == opus within 0.2s"
    assert told[1] == ' ' * 17 + 'got call.answered with codec "pcmu" in 0.2 s'
    assert re.fullmatch(r"    alice > bob  ACK bob@127\.0\.0\.1:\d+ +\+\d\.\d{3}", told[-2])
    assert re.fullmatch(r"1 of 3 expectations failed   test\.sipcall   \d\.\d s", told[-1])
    assert open("t.tap").read().endswith("\n1..3\n")


def test_what_did_not_come_is_told_by_what_did(script):
    name = script(
        "phone alice\nphone bob answer\nalice call ${bob.uri} &\n"
        "bob expect held within 0.3s\n"
    )
    code, process = run("--script", name, "--virtual")
    assert code == 1
    assert lines(process)[1].strip() == (
        "got listening, call.incoming, call.answered, call.media in 0.3 s, no call.held"
    )


def test_nothing_came_at_all(script):
    code, process = run("--script", script("expect incoming within 0.1s"), "--virtual")
    assert code == 1
    assert lines(process) == [
        "test.sipcall:1   expect incoming within 0.1s",
        "                 got nothing in 0.1 s",
        "1 of 1 expectation failed   test.sipcall   0.1 s",
    ]


HEARD = CALL.split("alice expect ringing")[0]


@pytest.mark.parametrize(
    "line, words",
    [
        ("alice expect rx.tone 697 within 0.5s", "heard no such tone, others up to -13.0 dBFS in 0.5 s"),
        ("alice expect no rx.tone 1000 within 1s", "heard 1000 Hz at -13.0 dBFS after 0.1 s"),
        ("alice expect rx.silence for 0.4s within 0.5s", "heard up to -13.0 dBFS in 0.5 s"),
        ("alice expect rx.level < -20 within 0.5s", "heard up to -13.0 dBFS in 0.5 s"),
        ("alice hangup\nalice expect rx.level > -90 within 0.2s", "heard nothing at all in 0.2 s"),
    ],
)
def test_what_was_heard_instead(script, line, words):
    code, process = run("--script", script(HEARD + line + "\n"), "--virtual")
    assert code == 1
    assert lines(process)[1].strip() == words


@pytest.mark.parametrize("world", [[], ["--virtual"]], ids=["real", "virtual"])
def test_tones_loudness_and_silence_are_heard(script, world):
    name = script(
        HEARD + "bob expect rx.tone 440\nalice expect rx.tone 1000\nbob expect rx.level > -20\n"
        "alice mute\nbob expect rx.silence for 200ms\nbob expect rx.level < -60\n"
        "alice hangup\nbob expect ended\n"
    )
    assert run("--script", name, *world)[0] == 0


MATCH = """\
phone alice mic=file:$speech hangup-at-eof codecs=pcmu
phone bob answer speaker=file:heard.wav record=call.wav
alice call ${bob.uri}
bob expect ended within 20s
"""


@pytest.mark.parametrize(
    "line, words",
    [
        ("bob audio-match $speech > 0.95", None),
        ("bob audio-match $speech > 0.95 of call.wav", None),
        ("bob audio-match $other < 0.4", None),
        ("bob audio-match $other > 0.4 within 0.3s", r"got 0\.[0-3]\d, of \d+ of \d+ windows with speech"),
        ("bob audio-match nowhere.wav > 0.4 within 0", "nowhere.wav: no such file"),
        ("alice audio-match $speech > 0.9", "what was heard? The phone's speaker is no file; say of FILE"),
    ],
)
def test_what_was_said_is_heard(script, line, words):
    name = script(MATCH + line + "\n")
    other = DATA / "speech-other.wav"
    code, process = run(
        *("--script", name, "--virtual", "--var", f"speech={SPEECH}", "--var", f"other={other}"),
        limit=20,
    )
    assert code == (1 if words else 0)
    assert not words or re.fullmatch(words.replace("?", r"\?"), lines(process)[1].strip())


def test_what_was_not_to_come_came(script):
    name = script(CALL + "alice call ${bob.uri} &\nbob expect no incoming within 1s\n")
    code, process = run("--script", name, "--virtual")
    assert code == 1
    assert lines(process)[1].strip() == "got call.incoming after 0.0 s"


def test_a_call_that_is_rejected_fails_the_script(script):
    name = script("phone a\nphone b answer-code=486\na call ${b.uri}\n")
    code, process = run("--script", name, "--virtual")
    assert code == 1
    assert lines(process)[:2] == ["test.sipcall:3   a call ${b.uri}", " " * 17 + "486 Busy Here"]


BEHIND = "phone a\nphone b answer-code=486\na call ${b.uri} &\nwait 1s\n"


@pytest.mark.parametrize(
    "more, exit_code",
    [
        ("", 1),
        ("a expect ended code == 486\n", 0),
        ("b expect ended code == 486\n", 1),  # another phone's
        ("a expect ended code == 486\na call ${b.uri} &\nwait 1s\n", 1),  # one more than expected
        ("phone c answer\na call ${c.uri}\na hangup\na expect ended cause == local\n", 1),
        ("a expect no answered within 1s\n", 1),
    ],
)
def test_one_that_is_not_waited_for_has_to_be_expected(script, more, exit_code):
    code, process = run("--script", script(BEHIND + more), "--virtual")
    assert code == exit_code
    if exit_code:
        assert lines(process)[1].strip() == "486 Busy Here"


def test_phones_that_begin_alike_end_apart(script):
    name = script(
        "phone a\nphone b\nphone c max-calls=1\na call ${c.uri} &\na expect ringing\n"
        "b call ${c.uri} &\nb expect ended code == 486\nc answer\na expect answered\n"
    )
    assert run("--script", name, "--virtual")[0] == 0


@pytest.mark.parametrize("holder", ["alice", "bob"])
def test_a_held_call_is_quiet_both_ways(script, holder):
    name = script(
        HEARD + f"{holder} hold\nalice expect rx.silence\nbob expect rx.silence\n"
        f"{holder} resume\nalice expect rx.tone 1000\nbob expect rx.tone 440\n"
    )
    assert run("--script", name, "--virtual")[0] == 0


def test_the_same_seed_prints_the_same_bytes(script):
    name = script(
        CALL.replace("alice call", "net bob loss 5% jitter 30ms\nalice call", 1).replace(
            "alice hangup", "wait 5s\nalice hangup"
        )
    )

    def play(seed):
        code, process = run("--script", name, "--virtual", "--json", "--seed", seed)
        assert code == 0
        return process.out.bytes + process.err.bytes

    assert play("1") == play("1")
    assert play("1") != play("2")


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_what_a_network_loses_is_counted_exactly(script, seed):
    name = script(
        "phone alice mic=tone:440 codecs=pcmu\nphone bob answer media-timeout=0\n"
        "alice call ${bob.uri}\nbob expect answered\nnet bob rx loss 10%\nwait 30s\n"
        "net bob off\nwait 100ms\nalice hangup\n"
    )
    code, process = run("--script", name, "--virtual", "--json", "--seed", seed)
    assert code == 0
    events = [json.loads(line) for line in lines(process)]
    ended = {e["phone"]: e for e in events if e["event"] == "call.ended"}
    net = re.match(
        r"net bob rx   (\d+) datagrams, (\d+) passed, (\d+) lost\n", process.err.text
    )
    asked, passed, lost = map(int, net.groups())
    assert asked == passed + lost
    assert 100 < lost < 200
    # reports of RTCP can be lost too: two or three of them in half a minute
    assert 0 <= lost - ended["bob"]["lost"] <= 3
    assert ended["bob"]["received"] + ended["bob"]["lost"] == ended["alice"]["sent"]
    assert ended["alice"]["lost"] == 0


def test_a_network_that_is_cut_carries_nothing(script):
    name = script(
        "phone alice timeout=2\nphone bob answer\nnet alice tx cut\n"
        "alice call ${bob.uri} &\nbob expect no incoming within 1s\n"
        "alice expect ended answered == false within 3s\n"
    )
    code, process = run("--script", name, "--virtual")
    assert code == 0
    assert re.match(r"net alice tx   \d+ datagrams, 0 passed, \d+ cut\n", process.out.text)


def test_a_network_is_as_bad_on_real_sockets(script):
    name = script(
        CALL.replace(
            "alice hangup",
            "wait 100ms\nnet bob rx cut\nwait 200ms\nnet bob off\nwait 60ms\nalice hangup",
        ).replace("cause == remote", "lost >= 7 lost <= 50")
    )
    code, process = run("--script", name)
    assert code == 0
    net = re.match(r"net bob rx   (\d+) datagrams, (\d+) passed, (\d+) cut\n", process.out.text)
    asked, passed, cut = map(int, net.groups())
    assert asked == passed + cut and 7 <= cut <= 50  # a busy machine waits longer


def test_mistakes_are_told_and_nothing_is_run(script):
    name = script("phone a answr\nphone b\nb cal ${a.uri}\n")
    for args in ([], ["--check"]):
        code, process = run("--script", name, "--tap", "t.tap") if not args else run(
            "--script", name, *args
        )
        assert code == 2
        assert process.err.text == (
            'test.sipcall:1: a phone has no "answr"; did you mean answer?\n'
            "  phone a answr\n"
            "          ^\n"
            'test.sipcall:3: no command "cal"; did you mean call?\n'
            "  b cal ${a.uri}\n"
            "    ^\n"
        )
    assert not os.path.exists("t.tap")


def test_trouble_of_ours_is_told_where_it_changes_the_exit_code(script):
    name = script("phone a record=a.wav\nphone b answer\na call ${b.uri}\nwait 0.1\na hangup\n")
    open("a.wav", "w").close()
    code, process = run("--script", name, "--virtual")
    assert code == 9
    words = "it exists already, and is not overwritten; choose another name"
    assert lines(process)[0] == f"a        error     #1 a.wav: {words}"


@pytest.mark.parametrize("command", ["devices", "history"])
def test_the_simulated_world_knows_nothing_of_the_real_one(script, command):
    code, process = run("--script", script(f"calls\n{command}\n"), "--virtual")
    assert code == 2
    words = f"test.sipcall:2: {command} is not there with --virtual"
    assert process.err.text.splitlines()[0] == words


def test_a_script_that_is_right_is_only_looked_at(script):
    code, process = run("--script", script(CALL), "--check")
    assert code == 0
    assert process.out.text == "test.sipcall: 8 lines, nothing wrong\n"


def test_a_script_comes_by_standard_input_with_variables():
    far = answerer()
    process = Process([SIPCALL, "--script", "-", "--var", f"far={far.uri()}"], stdin=PIPE)
    process.popen.stdin.write(
        b"call $far\nexpect answered within 1s\nhangup\nexpect ended cause == local\n"
    )
    process.popen.stdin.close()
    assert process.exit() == 0
    assert process.out.text.startswith("4 expectations met   standard input   ")
    far.ended(cause="remote")


def test_what_cannot_be_read_or_written_is_a_local_failure(script):
    code, process = run("--script", "nowhere.sipcall")
    assert code == 9
    assert process.err.text == "sipcall: nowhere.sipcall: No such file or directory\n"
    code, process = run("--script", script("calls"), "--virtual", "--tap", "no/where.tap")
    assert code == 9
    told = process.out.text.splitlines()
    assert told[-2] == "sipcall: cannot write no/where.tap: No such file or directory"
    assert told[-1].startswith("1 expectation met   ")


def test_a_report_takes_the_place_of_no_device_and_leaves_links(script):
    open("real.tap", "w").close()
    os.symlink("real.tap", "link.tap")
    name = script("calls")
    assert run("--script", name, "--virtual", "--tap", "link.tap", "--junit", "/dev/null")[0] == 0
    assert os.path.islink("link.tap")
    assert open("real.tap").read().endswith("1..1\n")
    assert not os.path.isfile("/dev/null")
    os.mkfifo("pipe")
    code, process = run("--script", name, "--virtual", "--tap", "pipe")
    assert code == 9  # and nobody waits for who reads it
    assert lines(process)[-2] == "sipcall: cannot write pipe: nobody reads that pipe"
    os.unlink("pipe")
    assert sorted(os.listdir()) == ["link.tap", "real.tap", "test.sipcall"]


def test_reports_on_standard_output_have_it_for_themselves(script):
    name = script("calls")
    code, process = run("--script", name, "--virtual", "--tap", "-")
    assert code == 0
    assert process.out.text == "TAP version 13\nok 1 - test.sipcall:1 calls\n1..1\n"
    assert process.err.text.splitlines()[-1].startswith("1 expectation met   test.sipcall   ")
    code, process = run("--script", script("wait 0"), "--virtual", "--junit", "-", "-q")
    assert code == 0
    assert ElementTree.fromstring(process.out.text).find("testsuite/testcase") is not None
    assert process.err.text == ""


def interrupted(name, *args):
    """Runs it until the call is up, then presses Ctrl-C: (exit code, Process)."""
    process = Process(
        [SIPCALL, "--script", name, "--json", "--tap", "t.tap", "--junit", "j.xml", *args]
    )
    process.line('"command":"call .*"ok":true')
    process.signal(signal.SIGINT)
    return process.exit(5), process


@pytest.mark.parametrize("world", [[], ["--virtual"]], ids=["real", "virtual"])
def test_ctrl_c_hangs_up_and_the_reports_are_whole(script, world):
    wait = "repeat 1000000\nwait 1000\nend\n"
    name = script(CALL.replace("alice hangup", wait + "alice hangup"))
    code, process = interrupted(name, *world)
    assert code == 130
    ended = re.findall(r'"call\.ended","phone":"(\w+)"', process.out.text)
    assert sorted(ended) == ["alice", "bob"]
    assert re.search(r"^broken off after \d+ expectations   test\.sipcall   ", process.err.text, re.M)
    tap = open("t.tap").read()
    assert tap.startswith("TAP version 13\nok 1 - test.sipcall:3 alice call ${bob.uri}\n")
    assert tap.endswith("\nBail out! Interrupt\n")
    suite = ElementTree.parse("j.xml").getroot().find("testsuite")
    assert suite.get("errors") == "1"
    assert suite.findall("testcase")[-1].find("error").get("message") == "Interrupt"


def test_ctrl_c_ends_a_script_in_which_no_time_passes(script):
    name = script("repeat 1000\nrepeat 1000\ncalls\nend\nend\n")
    process = Process([SIPCALL, "--script", name, "--virtual", "--json"])
    process.line('"command":"calls".*"ok":true')
    process.signal(signal.SIGINT)
    assert process.exit(5) == 130
    assert "\nbroken off after " in process.err.text


@pytest.mark.parametrize(
    "line, exit_code",
    [
        ("a expect incoming within 1s &", 1),
        ("a expect no incoming within 1s &", 0),
        ("a expect incoming within 1s &\na quit\na expect incoming", 1),
        ("a expect ringing within 1s &\na call ${b.uri} &", 0),
    ],
)
def test_the_end_waits_for_what_is_still_expected(script, line, exit_code):
    code, process = run("--script", script(f"phone a\nphone b\n{line}\n"), "--virtual")
    assert code == exit_code
    if exit_code:
        assert lines(process)[1].strip() == "got listening in 1.0 s, no call.incoming"


def test_what_is_expected_behind_fails_when_it_does(script):
    name = script("phone a\na expect incoming within 1s &\na wait 1h\na expect answered\n")
    code, process = run("--script", name, "--virtual")
    assert code == 1
    assert lines(process)[:2] == [
        "test.sipcall:2   a expect incoming within 1s &",
        " " * 17 + "got listening in 1.0 s, no call.incoming",
    ]
    assert lines(process)[2].startswith("1 of 1 expectation failed   test.sipcall   1.0 s")


def test_quit_ends_a_script_before_its_end(script):
    code, process = run("--script", script("calls\nquit\nexpect incoming\n"), "--virtual")
    assert code == 0
    assert lines(process)[-1].startswith("1 expectation met")


def test_what_chance_makes_of_a_value_is_a_mistake_too(script):
    name = script("n = 2\nrepeat 2\nrepeat $n\nwait 1ms\nend\nn = x\nend\n")
    code, process = run("--script", name, "--virtual")
    assert code == 2
    assert lines(process)[0] == 'test.sipcall:3: "x" is no number from 1 to 1000000'


def test_what_chance_makes_of_repeats_is_bounded_too(script):
    name = script("n = 2\nrepeat 1000\nrepeat $n\nend\nn = 1001\nend\n")
    code, process = run("--script", name, "--virtual")
    assert code == 2
    assert lines(process)[0] == (
        "test.sipcall:3: with the repeats around it that is 1001000 times; 1000000 are the most"
    )


def test_commands_expect_as_scripts_do():
    far = answerer(mic="tone:1000")
    here = ["-i", "silence", "-o", "null"]
    lines = [f"call {far.uri()}", "expect answered", "expect rx.tone 1000", "hangup"]
    code, process = run(*here, *(part for line in lines for part in ("-e", line)))
    assert code == 0
    code, process = run(*here, "-e", "expect incoming within 0.1s", "-e", "calls")
    assert code == 1
    assert process.err.text.startswith("sipcall: got nothing in 0.1 s")


def test_a_simulated_world_waits_for_its_reader(script):
    name = script(
        "phone alice codecs=pcmu\nphone bob answer\nrepeat 600\nalice call ${bob.uri}\n"
        "alice hangup\nend\n"
    )
    code, process = run("--script", name, "--virtual", "--json", limit=20)
    assert code == 0
    assert process.err.text.startswith("1200 expectations met")  # and nothing was dropped
    assert len(process.out.bytes) > 1 << 20
    assert process.out.text.count('"event":"command.done"') == 1200
