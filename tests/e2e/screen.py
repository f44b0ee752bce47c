"""A real terminal, as a person sees it: tmux draws what a program writes, and says what stands where.

A Screen has a server of its own, without anybody's settings, and speaks with it over a pipe. Like all
in phone.py it is noted in `alive`, every wait is for something that tmux tells, and has a limit.
"""

import os
import re
import select
import shlex
import subprocess
import tempfile
import time

from phone import Late, alive, environment


def quoted(word):
    """As tmux reads a word of a command."""
    for mark in '\\"$':
        word = word.replace(mark, "\\" + mark)
    return '"' + word.replace("\n", "\\n") + '"'


class Screen:
    """Runs argv in a terminal of that size."""

    def __init__(self, argv, columns=100, rows=30, env=None):
        self.folder = tempfile.TemporaryDirectory()
        self.seen = []
        self.unread = b""
        socket = os.path.join(self.folder.name, "tmux")
        self.client = subprocess.Popen(
            ["tmux", "-u", "-C", "-f", "/dev/null", "-S", socket, "new-session", "sleep 60"],
            env=dict(environment() if env is None else env, TMUX=""),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
        )  # fmt: skip
        alive.append(self)
        self.answer(5)
        self.tmux("set", "-g", "history-limit", "20000")
        self.tmux("set", "-s", "escape-time", "0")
        self.tmux("refresh-client", "-C", f"{columns},{rows}")
        # which outlives it: tmux may not show what a program writes at its very end
        shell = 'trap : INT; "$@"; echo "exit code $?"; exec sleep 60'
        words = ["exec", "sh", "-c", shell, "-", *map(str, argv)]
        self.tmux("new-window", "-k", "-t", ":0", shlex.join(words))

    def line(self, limit):
        """The next line that tmux says, or None after the limit."""
        end = time.monotonic() + limit
        while b"\n" not in self.unread:
            ready, _, _ = select.select([self.client.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            more = os.read(self.client.stdout.fileno(), 65536)
            if not more:
                raise Late(f"tmux is gone\n{self.report()}")
            self.unread += more
        line, _, self.unread = self.unread.partition(b"\n")
        return line.decode("utf-8", "replace")

    def answer(self, limit):
        """What tmux says to a command."""
        lines, within = [], False
        while True:
            line = self.line(limit)
            if line is None:
                raise Late(f"tmux is silent for {limit} s\n{self.report()}")
            if within and line.startswith(("%end ", "%error ")):
                assert line.startswith("%end"), lines
                return lines
            if within:
                lines.append(line)
            within = within or line.startswith("%begin ")

    def tmux(self, *words):
        command = " ".join(map(quoted, words)) + "\n"
        self.client.stdin.write(command.encode("utf-8", "surrogateescape"))
        return self.answer(5)

    def hears(self, words, limit=5):
        """Waits until these are written, by now or from now on."""
        end = time.monotonic() + limit
        while words not in (self.line(end - time.monotonic()) or ""):
            if time.monotonic() > end:
                raise Late(f"{words!r} is not written within {limit} s\n{self.report()}")

    def rows(self, past=False):
        """What stands in each row, without what is empty below; with past, what has scrolled off
        above it, too."""
        rows = self.tmux("capture-pane", "-p", *(["-S", "-"] if past else []))
        while rows and not rows[-1]:
            rows.pop()
        self.seen = rows
        return rows

    def ask(self, format):
        return self.tmux("display", "-p", format)[0]

    def cursor(self):
        """Row and column, from 0."""
        column, row = self.ask("#{cursor_x} #{cursor_y}").split()
        return int(row), int(column)

    def type(self, text):
        """Keys as they are, at once."""
        self.tmux("send-keys", "-l", text)

    def press(self, *names):
        """Keys by tmux's names: Enter, C-c, Escape, Left."""
        self.tmux("send-keys", *names)

    def resize(self, columns, rows=30):
        self.tmux("refresh-client", "-C", f"{columns},{rows}")

    def wait(self, found, what, limit):
        """Asks found anew each time that something was shown, until it is true; its result."""
        end = time.monotonic() + limit
        while True:
            result = found()
            if result:
                return result
            left = end - time.monotonic()
            if left <= 0:
                raise Late(f"{what}: not within {limit} s\n{self.report()}")
            self.line(min(left, 0.05))  # what is no output is not always told

    def until(self, found, what, limit=5, past=False):
        """Waits until found(rows) is true, and returns it."""
        return self.wait(lambda: found(self.rows(past)), what, limit)

    def shows(self, row, limit=5, past=False):
        """Waits for a row that is this."""
        self.until(lambda rows: row in rows, f"the row {row!r}", limit, past)

    def exit(self, limit=5):
        """The exit code, which is shown as a row of its own."""
        code = re.compile("^exit code ([0-9]+)$", re.MULTILINE)
        return int(self.until(lambda rows: code.search("\n".join(rows)), "its end", limit)[1])

    def close(self):
        if self.client.poll() is None:
            self.client.stdin.write(b"kill-server\n")
            self.client.stdin.close()
            self.client.wait(5)
        self.client.stdout.close()
        self.folder.cleanup()

    def report(self):
        return "\n".join(f"  screen | {row}" for row in self.seen)
