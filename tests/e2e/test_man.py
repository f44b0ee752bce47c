"""The man page tells what the program does: its options, as --help has them, and its exit codes."""

import re
import shutil
import signal
import subprocess

import pytest

from phone import ROOT, run

PAGE = ROOT / "man" / "sipcall.1"


def section(title):
    """The lines of one section of the page."""
    text = PAGE.read_text()
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)[1]


def options_of_help():
    """(letter, name, value, optional) of each option, in order."""
    code, process = run("--help")
    assert code == 0
    row = re.compile(r"^ {2}(?:-(\w), |    )--([\w-]+)(?:\[=(\w+)\]| (\S.*?))?(?: {2,}|$)", re.M)
    return [
        (letter, name, optional or value, bool(optional))
        for letter, name, optional, value in row.findall(process.out.text)
    ]


def options_of_page():
    row = re.compile(r"^\.It Fl (?:(\w) , )?\\-([\w\\-]+)(?: (Ns Op = Ns )?Ar (.*))?$", re.M)
    return [
        (letter, name.replace("\\", ""), value, bool(optional))
        for letter, name, optional, value in row.findall(section("OPTIONS"))
    ]


def test_the_page_has_each_option_in_the_order_of_the_help():
    assert len(options_of_help()) >= 20
    assert options_of_page() == options_of_help()


def test_the_page_names_no_option_that_is_not_there():
    names = {name for _, name, _, _ in options_of_help()}
    letters = {letter for letter, _, _, _ in options_of_help()}
    text = PAGE.read_text()
    for name in re.findall(r"\bFl \\-([\w\\-]+)", text):
        assert name.replace("\\", "") in names
    for line in re.findall(r"(?:sipcall|^sipcall) (.*)$", section("EXAMPLES"), re.M):
        own = line.split("|")[0]
        assert set(re.findall(r"(?<!\S)--([\w-]+)", own)) <= names
        assert set(re.findall(r"(?<!\S)-(\w)", own)) <= letters


def test_the_page_has_each_exit_code():
    source = (ROOT / "cmd" / "verdict.h").read_text()
    codes = {int(code) for code in re.findall(r"^\tVERDICT_\w+ = (\d+),", source, re.M)}
    codes.remove(128)  # and a signal's number:
    codes |= {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    page = [int(code) for code in re.findall(r"^\.It (\d+)$", section("EXIT STATUS"), re.M)]
    assert page == sorted(codes)


def test_the_page_has_each_event_and_each_of_its_members():
    source = (ROOT / "core" / "ua" / "event.c").read_text()
    names = set(re.findall(r"\[UA_(?!CAUSE)\w+\] = \"([\w.]+)\"", source)) - {"call.meter"}
    causes = set(re.findall(r"\[UA_CAUSE_\w+\] = \"(\w+)\"", source))
    members = set(re.findall(r"\"([a-z_]+)\"", (ROOT / "cmd" / "json.c").read_text()))
    words = set(re.findall(r"[a-z_.]*[a-z_]", section("EVENTS")))
    assert len(names) > 8 and len(causes) > 5 and len(members) > 20
    assert names | causes | (members - {"outgoing", "incoming"}) <= words


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_page_is_clean():
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", PAGE], capture_output=True, text=True
    )
    assert lint.stdout + lint.stderr == ""
    assert lint.returncode == 0
