"""The configuration file: what it sets, what comes before it, whom it knows, and that each mistake
in it is told with its line."""

import os

import pytest

from phone import POWERLESS, SIPCALL, Peer, Phone, Process, environment, run

QUIET = "[sipcall]\nmic = silence\nspeaker = null\n"


@pytest.fixture
def conf(tmp_path):
    """conf(text): the path of a file that has it."""

    def write(text, name="sipcall.conf"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def refused(*args, **how):
    code, process = run(*args, **how)
    assert code == 2, process.report()
    assert process.out.bytes == b""
    return process.err.lines


def test_a_contact_is_called_by_its_name_with_the_settings(conf):
    peer = Peer()
    path = conf(
        QUIET + f"codecs = pcma\n[contacts]\n\"Bob Example\" = Bob <sip:bob@{peer.host}>\n"
    )
    phone = Phone("-c", path, "bob example")
    invite = peer.expect("INVITE")
    assert invite.start.startswith(f"INVITE sip:bob@{peer.host} ")
    assert b"PCMA/8000" in invite.body and b"opus" not in invite.body
    peer.respond(invite, 486)
    assert phone.exit() == 5


def test_a_command_calls_a_contact_too(conf):
    peer = Peer()
    path = conf(QUIET + f"[contacts]\nbob = bob@{peer.host}\n")
    phone = Phone("-c", path, "-e", "call BOB")
    invite = peer.expect("INVITE")
    assert invite.start.startswith(f"INVITE sip:bob@{peer.host} ")
    peer.respond(invite, 486)
    assert phone.exit() == 5


def test_the_command_line_comes_before_the_file(conf):
    peer = Peer()
    path = conf(QUIET + "codecs = pcma\n")
    phone = Phone("--codecs", "pcmu", "-c", path, peer.uri())
    invite = peer.expect("INVITE")
    assert b"PCMU/8000" in invite.body and b"PCMA" not in invite.body
    peer.respond(invite, 486)
    assert phone.exit() == 5


def test_the_usual_file_is_found_and_need_not_be_there(conf, tmp_path):
    (tmp_path / "sipcall").mkdir()
    path = conf("[contacts]\nbob = a@b\n", "sipcall/sipcall.conf")
    env = environment(XDG_CONFIG_HOME=str(tmp_path))
    code, process = run("--check-config", env=env)
    assert (code, process.out.lines) == (0, [f"{path}: ok, 0 settings, 1 contact"])

    path.unlink()
    code, process = run("--check-config", env=env)
    assert (code, process.out.lines) == (0, [f"{path}: is not there, and need not be"])
    env = environment(XDG_CONFIG_HOME="relative", HOME=str(tmp_path))
    _, process = run("--check-config", env=env)
    assert process.out.text.startswith(f"{tmp_path}/.config/sipcall/sipcall.conf: ")


def test_a_usual_file_that_cannot_be_read_is_no_call_without_it(conf, tmp_path):
    (tmp_path / "sipcall").mkdir()
    path = conf(QUIET, "sipcall/sipcall.conf")
    path.chmod(0)
    env = environment(XDG_CONFIG_HOME=str(tmp_path))
    lines = refused("sip:x@127.0.0.1:9", powerless=True, env=env)
    assert lines == [f"{path}: Permission denied"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody without a home")
def test_a_home_of_somebody_else_is_none(conf, tmp_path):
    (tmp_path / "sipcall").mkdir()
    conf(QUIET, "sipcall/sipcall.conf")
    (tmp_path / "sipcall").chmod(0)
    env = environment(XDG_CONFIG_HOME=str(tmp_path))
    process = Process([*POWERLESS, SIPCALL, "--check-config"], env=env)
    assert process.exit() == 0
    assert "is not there" in process.out.text


WRONG = """\
[sipcall]
mik = silence
mic = slience
codecs = opsu
codecs = opus
[contact]
x = y
[contacts]
bob = bob@exam ple
nonsense
"""


def test_each_mistake_has_its_line(conf):
    path = conf(WRONG)
    lines = refused("--check-config", "-c", path)
    assert lines == [
        f"{path}:2: no key mik; did you mean mic?",
        f"{path}:3: mic: no source slience; did you mean silence?",
        f"{path}:4: codecs: no codec opsu; did you mean opus?",
        f"{path}:5: codecs is given twice",
        f"{path}:6: no section contact; did you mean contacts?",
        f"{path}:9: bob: a host cannot hold a space",
        f"{path}:10: neither NAME = VALUE nor [SECTION]: nonsense",
    ]
    first = refused("-c", path, "sip:x@127.0.0.1:9")
    assert first == [lines[0] + " (and 6 more; --check-config shows them all)"]


@pytest.mark.parametrize(
    "text, words",
    [
        (b"\x7fELF\x02\x01\x00", "this is no text file"),
        (b"[sipcall]\nmic = \x1b]0;x\x07\n", "this is no text file"),
        (b"x" * 5000, "longer than 4096 bytes"),
        (b"\n" * 300000, "more than 262144 lines"),
        (b"#" * 17000000, "more than 16 MiB"),
    ],
    ids=["binary", "escapes", "long line", "many lines", "large"],
)
def test_what_is_no_configuration_is_told_in_a_line(conf, text, words):
    lines = refused("--check-config", "-c", conf(text))
    assert len(lines) == 1 and words in lines[0]
    assert "\x1b" not in lines[0]


def test_a_file_that_was_asked_for_has_to_be_there(tmp_path):
    path = tmp_path / "none"
    assert refused("-c", path, "sip:x@127.0.0.1:9") == [f"{path}: No such file or directory"]


def test_a_name_that_is_nearly_a_contact(conf):
    path = conf("[contacts]\nbob = bob@127.0.0.1:9\n")
    assert refused("-c", path, "bbo") == ["sipcall: no contact bbo; did you mean bob?"]
    assert "NAME@HOST" in refused("-c", path, "xyzzy")[0]
