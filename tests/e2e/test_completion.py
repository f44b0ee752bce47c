"""What the shells offer at TAB: their own word for it, with the files that were made for them."""

import subprocess
from pathlib import Path

import pytest

from phone import SIPCALL, Terminal, environment
from test_man import options_of_help

MADE = SIPCALL.removesuffix("sipcall") + "cmd/completion/"

# What is on the line before the word, the word, and what it can become.
ROWS = [
    ("--mic ", "de", ["default", "device:"]),
    ("-i ", "si", ["silence"]),
    ("-o ", "nu", ["null"]),
    ("--ring-device ", "", ["default", "device:"]),
    ("--codecs ", "g", ["g722", "gsm"]),
    ("--codecs ", "opus,pcm", ["opus,pcma", "opus,pcmu"]),
    ("--country ", "d", ["de", "dk"]),
    ("--listen ", "", ["tcp:", "tls:", "udp:"]),
    ("-e ", "ha", ["hangup"]),
    ("", "--help=", ["--help=all"]),
    ("-h ", "a", []),
    ("--record ", "so", ["sound"]),
    ("--mic ", "file:so", ["file:sound"]),
    ("--speaker ", "exec:player-", ["exec:player-of-tests"]),
    ("--duration ", "", []),
]


def names_of(options):
    return {option.rstrip("=") for option in options}


def names_of_help():
    return {"--" + name for _, name, _, _ in options_of_help()}


@pytest.fixture
def place(tmp_path):
    """A folder with one file, and a program on the path."""
    program = tmp_path / "bin" / "player-of-tests"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    (tmp_path / "sound").write_text("")
    return tmp_path


def path_of(place):
    return f"{place / 'bin'}:/usr/bin:/bin"


class Shell(Terminal):
    """A shell in which sipcall only tells what it was given."""

    def __init__(self, argv, place, **more):
        env = environment(PATH=path_of(place), HOME=str(place), PS1="ready> ", **more)
        super().__init__(["env", "-C", str(place), *argv], env=env, rows=100, columns=2000)
        self.asked = 0
        self.shows("ready> ")

    def arguments(self, line, key="\x1b*"):
        """Those of sipcall after line and key: Escape and * put in all that is offered."""
        self.asked += 1
        self.type(f"sipcall {line}{key}\n".encode())
        told = self.shows(rf"\[{self.asked}\|([^\r\n]*)\|\]")[1].decode()
        return told.split("|")


TELL = """n=0
sipcall() { n=$((n + 1)); (IFS='|'; echo "[$n|$*|]"); }
"""


def bash(place):
    rc = place / "bashrc"
    rc.write_text(
        f"{TELL}PS1='ready> '\nbind 'set enable-bracketed-paste off'\nsource {MADE}sipcall\n"
    )
    return Shell(["bash", "--noprofile", "--rcfile", str(rc), "-i"], place)


def zsh(place):
    (place / ".zshrc").write_text(
        f"""{TELL}fpath=({MADE} $fpath)
autoload -U compinit && compinit -u -D
unsetopt prompt_cr prompt_sp
zle -C every complete-word _generic
bindkey '\\e*' every
zstyle ':completion:every::::' completer _all_matches _complete
zstyle ':completion:every:*' insert true
PS1='ready> '
"""
    )
    return Shell(["zsh", "-d", "-i"], place, ZDOTDIR=str(place))


@pytest.mark.parametrize("start", [bash, zsh])
def test_a_shell_offers_what_can_stand_there(place, start):
    shell = start(place)
    for before, word, offered in ROWS:
        got = sorted(shell.arguments(before + word))
        assert got == sorted([*before.split(), *(offered or word.split())]), before + word
    for line, whole in [
        ("-q --no-c", ["-q", "--no-color"]),
        ("--mic=def", ["--mic=default"]),
        ("-e 'mute of", ["-e", "mute off"]),
    ]:
        assert shell.arguments(line, "\t") == whole
    assert names_of(shell.arguments("--")) == names_of_help()


def test_fish_offers_what_can_stand_there(place):
    lines = [f"complete -C 'sipcall {before}{word}'" for before, word, _ in ROWS]
    lines += ["complete -C 'sipcall --'", 'complete -C "sipcall -e \'mute o"']
    script = "\n".join(["set fish_history ''", f"source {MADE}sipcall.fish"])
    for line in lines:
        script += f"\n{line}; echo end"
    fish = subprocess.run(
        ["fish", "-N", "-c", script],
        **dict(cwd=place, capture_output=True, text=True, timeout=20),
        env=environment(PATH=path_of(place), HOME=str(place)),
    )
    assert fish.stderr == ""
    told = [
        sorted(line.split("\t")[0] for line in answer.splitlines())
        for answer in fish.stdout.split("end\n")[:-1]
    ]
    for (before, word, offered), got in zip(ROWS, told):
        assert got == offered, before + word
    assert names_of(told[-2]) == names_of_help()
    assert told[-1] == ["mute off", "mute on"]


def test_each_value_is_of_a_known_kind():
    """Else it needs a row in cmd/completion/value.c."""
    made = Path(MADE + "sipcall").read_text()
    for _, name, value, _ in options_of_help():
        assert not value or f"--{name}=) takes=" in made, f"--{name} {value}"
