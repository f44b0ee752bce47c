"""Typing at the prompt, into a stage that tells events by seed: what is typed is neither lost nor
doubled, what is shown is whole, and the terminal is left as it was found."""

import os
import pty
import random
import re
import subprocess
from pathlib import Path

import pytest

from phone import SIPCALL, Process, Terminal, environment
from screen import Screen

STAGE = Path(SIPCALL).parent / "tests" / "unit" / "prompt_stage"
LIVE = re.compile(r"^ #1 bob  \d+ ")
PADDING = "abcdefghijklmnopqrstuvwxyz0123456789" * 2 + "abcdefghijklmnopqrstuvwxyz"


def stage(seed=1, events=0, every_us=10000, **how):
    screen = Screen([STAGE, seed, events, every_us], **how)
    screen.until(lambda rows: any(LIVE.match(row) for row in rows), "the live line")
    return screen


def typed(rows):
    """What is typed as the rows above the live line have it; None before it is drawn whole."""
    live = [i for i, row in enumerate(rows) if LIVE.match(row)]
    begin = [i for i, row in enumerate(rows) if row.startswith("> ") or row == ">"]
    if not live or not begin or live[-1] != len(rows) - 1:
        return None
    # rows are a column short of the screen, and lose the spaces at their ends
    return "\n".join(rows[begin[-1] : live[-1]])


def wrapped(line, columns):
    line = "> " + line
    rows = [line[i : i + columns - 1].rstrip() for i in range(0, len(line), columns - 1)]
    return "\n".join(rows)


def settled(screen, line, columns=100):
    """Waits until exactly that is typed."""
    screen.until(lambda rows: typed(rows) == wrapped(line, columns), f"typed {line!r}")


def quit_stage(screen):
    screen.press("C-u", "C-k")
    screen.type("quit")
    screen.press("Enter")
    assert screen.exit() == 0


@pytest.mark.parametrize("seed", range(2))
def test_typing_while_events_arrive_loses_and_doubles_nothing(seed):
    screen = stage(seed, events=5000, every_us=200)
    chance = random.Random(seed)
    line, point = "", 0
    for _ in range(200):
        screen.hears("event ")
        what = chance.random()
        if what < 0.75 or not line:
            word = chance.choice(["a", "bc", "déf", " ", "ghijkl", "Z9", "x y z"])
            line = line[:point] + word + line[point:]
            point += len(word)
            screen.type(word)
        elif what < 0.85 and point > 0:
            line = line[: point - 1] + line[point:]
            point -= 1
            screen.press("BSpace")
        else:
            point = max(0, point - 1)
            screen.press("Left")
    settled(screen, line.rstrip())
    screen.press("Enter")
    # the blanks at the ends of rows are not seen
    squeezed = re.sub(r"\s+", "", line)
    screen.until(
        lambda rows: f"got[{squeezed}]" in re.sub(r"\s+", "", "".join(rows)), "the line", past=True
    )
    quit_stage(screen)
    rows = screen.rows(past=True)
    told = [row for row in rows if row.startswith("event ")]
    numbers = [int(row.split()[1]) for row in told]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 200
    for row in told:
        words = row.split(" ")
        assert len(words) == 2 or PADDING.startswith(words[2]), row
    whole = "\n".join(rows)
    assert whole.count("got[") == 2 and not LIVE.search(whole)


def test_a_narrow_screen_and_back():
    screen = stage(events=50, every_us=20000)
    line = "call somebody with quite a long name@and a long domain.example.org and more of it still"
    screen.type(line)
    settled(screen, line)
    for columns in (40, 23, 100):
        screen.resize(columns)
        settled(screen, line, columns)
        live = screen.rows()[-1]
        assert len(live) < columns
    screen.press("C-a")
    screen.until(lambda _: screen.cursor()[1] == 2, "the cursor at the beginning")
    screen.type("x")
    settled(screen, "x" + line)
    quit_stage(screen)


def test_more_is_typed_than_the_screen_holds():
    screen = stage(columns=40, rows=8)
    word = "".join(chr(ord("a") + i % 26) for i in range(500))
    screen.type(word)
    end = lambda rows: typed_tail(rows).endswith(word[-70:])  # noqa: E731
    screen.until(end, "the end of it")
    assert len(screen.rows()) <= 8
    screen.press("C-a")
    screen.until(lambda rows: typed(rows) and word[:100] in typed(rows).replace("\n", ""), "its begin")
    screen.press("C-e")
    screen.until(end, "the end of it again")
    screen.press("Enter")
    screen.until(lambda rows: f"got[{word}]" in "".join(rows), "the line", past=True)
    quit_stage(screen)


def typed_tail(rows):
    return "".join(row for row in rows[:-1]) if rows and LIVE.match(rows[-1]) else ""


def test_wide_characters_take_two_columns():
    screen = stage(columns=40)
    screen.type("日本語" * 8)
    screen.until(lambda rows: "".join(rows[:-1]) == "> " + "日本語" * 8, "what is typed")
    # 37 columns of 39: the next takes two
    assert screen.rows()[0] == "> " + "日本語" * 6
    assert screen.cursor() == (1, 12)
    screen.press("Left")
    screen.until(lambda _: screen.cursor() == (1, 10), "the cursor a character further left")
    screen.press("BSpace")
    screen.press("Enter")
    screen.until(lambda rows: f"got[{'日本語' * 7}日語]" in "".join(rows), "the line")
    quit_stage(screen)


def test_ctrl_c_clears_the_line_and_ctrl_d_ends():
    screen = stage()
    screen.type("half a line")
    settled(screen, "half a line")
    screen.press("C-c")
    screen.shows("> half a line^C")
    settled(screen, "")
    screen.press("C-c")
    screen.shows("nothing typed")
    screen.press("C-r")
    screen.type("x")
    screen.until(lambda rows: any("i-search" in row for row in rows), "a search")
    screen.press("C-c")
    settled(screen, "")
    screen.press("C-d")
    assert screen.exit() == 0
    assert screen.rows(past=True)[:4] == ["> half a line^C", "nothing typed", "> ^C", "the end"]


def test_ctrl_c_comes_in_its_turn():
    """What is typed before it is forgotten, and what follows is not, however fast it comes."""
    near = Terminal([STAGE], env=environment())
    near.shows("> ")
    near.type(b"call somebody\x03one\r\x03two\r")
    near.shows(r"got\[two\]")
    near.shows("nothing typed")
    near.type(b"\x04")
    assert near.exit() == 0
    got = re.findall(rb"got\[(.*?)\]", near.screen.bytes)
    assert got == [b"one", b"two"]
    assert b"call somebody^C" in near.screen.bytes


def test_lines_come_back_in_the_next_run_but_for_secrets(tmp_path):
    history = tmp_path / "state" / "sipcall" / "history"
    env = environment(HISTORY=str(history), TMUX="")
    for words in (["one", "two", " hidden", "two"], ["call sip:bob:pw@example.org", "three"]):
        screen = stage(env=env)
        for word in words:
            screen.type(word)
            screen.press("Enter")
            screen.until(lambda rows: f"got[{word}]" in rows, word)
        quit_stage(screen)
    assert history.read_text() == "one\ntwo\nquit\nthree\nquit\n"
    assert history.stat().st_mode & 0o777 == 0o600
    assert history.parent.stat().st_mode & 0o777 == 0o700
    screen = stage(env=env)
    screen.press("Up", "Up")
    settled(screen, "three")
    screen.press("C-c")
    settled(screen, "")
    screen.press("C-r")
    screen.type("tw")
    screen.press("C-e", "Enter")
    screen.shows("got[two]")
    quit_stage(screen)


def test_completion_stands_above_what_is_typed():
    screen = stage(events=20, every_us=30000)
    screen.type("hel\t")
    settled(screen, "help")
    screen.press("C-u")
    screen.type("call \t\t")
    screen.until(lambda rows: any(re.match(r"Bob Example +bob +c\\x1b\[2Jd +carol$", row)
                                  for row in rows), "the alternatives")  # fmt: skip
    settled(screen, "call")
    screen.type("B\t")
    settled(screen, "call Bob\\ Example")
    screen.press("C-u")
    screen.type("hangup #12\t")
    settled(screen, "hangup #12")
    quit_stage(screen)


def test_completion_of_files(tmp_path):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "tone #1.wav").write_bytes(b"")
    screen = stage()
    screen.type(f"set mic file:{tmp_path}/a\t")
    quoted = f"set mic file:{tmp_path}/a\\ folder/"
    settled(screen, quoted)
    screen.type("\t")
    settled(screen, quoted + "tone\\ #1.wav")
    quit_stage(screen)


def test_one_key_answers_only_where_nothing_is_typed():
    screen = stage()
    screen.type("a")
    settled(screen, "a")
    screen.press("C-u")
    screen.type("ring")
    screen.press("Enter")
    screen.shows("got[ring]")
    screen.type("a")
    screen.shows("got[answer]")
    screen.type("r")
    screen.shows("got[reject]")
    screen.type("x")
    settled(screen, "x")
    screen.type("ar")
    settled(screen, "xar")
    screen.press("C-u")
    settled(screen, "")
    screen.type("ar")  # at once, as no finger does
    settled(screen, "ar")
    screen.press("C-u")
    quit_stage(screen)


def test_digits_are_taken_one_by_one():
    screen = stage()
    screen.type("dial")
    screen.press("Enter")
    screen.until(lambda rows: "dial>" in rows, "the prompt for digits")
    screen.type("1x#b")
    screen.shows("digit B")
    assert [row for row in screen.rows() if row.startswith("digit ")] == [
        "digit 1", "digit #", "digit B"]  # fmt: skip
    screen.shows("dial> 1#B")
    screen.press("Left")
    settled(screen, "")
    screen.type("word")
    settled(screen, "word")
    quit_stage(screen)


@pytest.fixture
def shell():
    screen = Screen(["env", "PS1=$ ", "bash", "--norc", "--noprofile", "-i"])
    screen.shows("$")
    return screen


def enter(screen, line):
    screen.type(line)
    screen.press("Enter")


def test_stopped_and_fetched_back(shell):
    enter(shell, f"{STAGE} 1 0; echo code $?")
    shell.until(lambda rows: any(map(LIVE.match, rows)), "the live line")
    shell.type("half typ")
    settled(shell, "half typ")
    shell.press("C-z")
    shell.until(lambda rows: any("Stopped" in row for row in rows), "the shell")
    shell.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    enter(shell, "stty | grep -c -- '-icanon\\|-echo'")
    shell.shows("0")
    assert not any(map(LIVE.match, shell.rows()))
    enter(shell, "bg")
    shell.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    enter(shell, "echo to the shell")  # and not to us
    shell.shows("to the shell")
    enter(shell, "fg")
    settled(shell, "half typ")
    shell.type("ed")
    settled(shell, "half typed")
    shell.press("C-z")
    shell.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    enter(shell, "fg")
    settled(shell, "half typed")
    shell.press("Enter")
    shell.shows("got[half typed]")
    shell.press("C-d")
    shell.until(lambda rows: rows[-1] == "$", "the shell's prompt")
    enter(shell, "stty | grep -c -- '-icanon\\|-echo'")
    shell.until(lambda rows: rows[-2:] == ["0", "$"], "the terminal as it was")


def test_where_nobody_could_fetch_it_back_it_is_not_stopped():
    screen = stage()
    screen.press("C-z")
    screen.type("still here")
    settled(screen, "still here")
    quit_stage(screen)


def test_a_signal_leaves_the_terminal_sane(shell):
    enter(shell, f"{STAGE} 1 0; stty | grep -c -- '-icanon\\|-echo'")
    shell.until(lambda rows: any(map(LIVE.match, rows)), "the live line")
    enter(shell, "term")  # it sends that to itself
    shell.until(lambda rows: rows[-2:] == ["0", "$"], "the terminal as it was")
    assert not any(map(LIVE.match, shell.rows()))


def test_a_hostile_name_changes_nothing_but_its_own_text():
    screen = stage()
    screen.type("say ")
    screen.press("C-v", "Escape")
    screen.type("[2Jgone")
    screen.press("C-v", "Escape")
    screen.type("]0;title")
    screen.press("C-v", "C-g")
    screen.type("\u202egnp")
    shown = r"\x1b[2Jgone\x1b]0;title\x07\xe2\x80\xaegnp"
    settled(screen, "say " + shown)
    screen.press("Enter")
    screen.shows(f'incoming  "{shown}"')
    assert screen.rows()[0] == "> say " + shown
    quit_stage(screen)


def test_a_hundred_lines_at_once_leave_the_prompt_whole():
    screen = stage()
    screen.type("flood")
    screen.press("Enter")
    screen.type("half")
    screen.until(lambda rows: "flood 299" in rows, "the last line")
    settled(screen, "half")
    quit_stage(screen)
    rows = screen.rows(past=True)
    assert [row for row in rows if row.startswith("flood ")] == [f"flood {i}" for i in range(300)]


def test_settings_of_readline_are_kept(tmp_path):
    (tmp_path / "inputrc").write_text(
        "set editing-mode vi\n$if sipcall\n\"\\C-o\": \"quit\\C-m\"\n$endif\n"
    )
    screen = stage(env=environment(INPUTRC=str(tmp_path / "inputrc")))
    screen.type("abc")
    settled(screen, "abc")
    screen.press("Escape")
    screen.type("0x")
    settled(screen, "bc")
    screen.press("Enter")
    screen.shows("got[bc]")
    screen.press("C-o")
    assert screen.exit() == 0


def test_pasted_lines_wait_for_enter():
    screen = stage()
    screen.tmux("set-buffer", "one\ntwo")
    screen.tmux("paste-buffer", "-p")
    settled(screen, "one\\x0atwo")
    screen.press("Enter")
    screen.shows("got[two]")
    assert "got[one]" in screen.rows()
    quit_stage(screen)


def test_a_dumb_terminal_has_a_plain_prompt():
    near = Terminal([STAGE, "1", "3", "5000"], env=environment(TERM="dumb"))
    near.type(b"half")
    near.shows("event 3")
    near.shows("> half$")
    near.type(b" typed\r")
    near.shows(r"got\[half typed\]")
    near.type(b"\x04")
    assert near.exit() == 0
    assert b"\x1b" not in near.screen.bytes
    # each of its rows is written from the beginning, and what was there before is covered
    assert all(len(row) < 100 for row in re.split(rb"[\r\n]", near.screen.bytes))


def test_no_color_is_no_dumb_terminal():
    near = Terminal([STAGE, "1", "3", "5000"], env=environment(NO_COLOR="1"))
    near.type(b"x\r")
    near.shows(r"got\[x\]")
    near.type(b"\x04")
    assert near.exit() == 0
    assert b"\x1b[K" in near.screen.bytes and not re.search(rb"\x1b\[[0-9;]*m", near.screen.bytes)


def test_input_from_a_pipe_is_read_line_by_line():
    process = Process([STAGE, "1", "5", "1000"], stdin=subprocess.PIPE)
    process.popen.stdin.write(b"one\ntwo\r\n\nlast")
    process.popen.stdin.close()
    assert process.exit() == 0
    assert b"\x1b" not in process.out.bytes and b"\r" not in process.out.bytes
    got = re.findall(r"^got\[(.*)\]$", process.out.bytes.decode(), re.MULTILINE)
    assert got == ["one", "two", "", "last"]
    assert process.out.bytes.endswith(b"the end\n")


def test_input_from_a_file_is_read_line_by_line(tmp_path):
    lines = [f"line {i}" for i in range(400)]
    (tmp_path / "lines").write_text("\n".join(lines) + "\n" + "x" * 20000 + "\nshort\n")
    with open(tmp_path / "lines", "rb") as file:
        process = Process([STAGE], stdin=file)
        assert process.exit(20) == 0
    got = re.findall(r"^got\[(.*)\]$", process.out.bytes.decode(), re.MULTILINE)
    assert got == [*lines, "x" * 8191, "short"]


def test_a_terminal_that_goes_away_ends_it():
    master, slave = pty.openpty()
    process = Process([STAGE], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    screen = b""
    while b"> " not in screen:
        screen += os.read(master, 4096)
    os.write(master, b"quit")
    os.close(master)
    assert process.exit() == 3  # and what is half typed is no command
