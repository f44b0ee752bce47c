"""The man page tells what the program does: its options, as --help has them, and its exit codes."""

import os
import re
import shutil
import signal
import subprocess

import pytest

from phone import ROOT, run

PAGE = ROOT / "man" / "sipcall.1"
CONF_PAGE = ROOT / "man" / "sipcall.conf.5"


def section(title):
    """The lines of one section of the page."""
    text = PAGE.read_text()
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)[1]


def options_of_help():
    """(letter, name, value, optional) of each option, in order."""
    code, process = run("--help=all")
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


def codes_of_program():
    """Each exit code with its words, as --help=all has them."""
    code, process = run("--help=all")
    assert code == 0
    rows = process.out.text.split("\nExit codes:\n")[1]
    return {int(number): words for number, words in re.findall(r"^ +(\d+)  (.*)$", rows, re.M)}


def test_the_program_has_words_for_each_of_its_exit_codes():
    source = (ROOT / "cmd" / "readers" / "verdict.h").read_text()
    codes = {int(code) for code in re.findall(r"^\tVERDICT_\w+ = (\d+),", source, re.M)}
    codes.remove(128)  # and a signal's number:
    codes |= {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    assert list(codes_of_program()) == sorted(codes)


def test_the_page_says_of_each_exit_code_what_the_program_says():
    items = re.findall(r"^\.It (\d+)\n(.*?)(?=^\.It |^\.El)", section("EXIT STATUS"), re.M | re.S)
    said = codes_of_program()
    assert [int(code) for code, _ in items] == list(said)
    for code, words in items:
        plain = words.replace(".Fl \\-", "--").replace("\\", "").replace("\n", " ")
        wanted = said[int(code)] + "."
        assert plain.startswith(wanted[0].upper() + wanted[1:]), code


def test_the_readme_says_the_same():
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", (ROOT / "README.md").read_text(), re.M)
    assert {int(code): words for code, words in rows} == codes_of_program()


def test_the_readme_has_the_script_that_is_installed():
    script = (ROOT / "share" / "sipcall" / "examples" / "call.sipcall").read_text()
    assert f"```\n{script}```\n" in (ROOT / "README.md").read_text()


def commands_of_page():
    """(group, form, short name) of each command, forms as help writes them."""
    found = []
    for group, items in re.findall(
        r"^\.Ss ([^\n]*)\n(.*?)(?=^\.Ss |\Z)", section("COMMANDS"), re.M | re.S
    ):
        for form, words in re.findall(r"^\.It Ic ([^\n]*)\n(.*?)(?=^\.It |^\.El)", items, re.M | re.S):
            form = re.sub(r"O[op] Ar (\S+)( Oc)?", r"[\1]", form).replace("Ar ", "")
            short = re.search(r"^Short:\n\.Ic (?:\\&)?(\S+) \.$", words, re.M)
            found.append((group, form, short[1] if short else None))
    return found


def test_the_page_has_each_command_as_help_has_it():
    code, process = run("-i", "silence", "-o", "null", "-e", "help")
    assert code == 0
    group, rows = None, []
    for line in process.out.lines:
        group = group if line.startswith(" ") else line
        if line.startswith(" "):
            rows.append((group, re.split("  +", line.strip())[0]))
    assert len(rows) > 12
    assert [row[:2] for row in commands_of_page()] == rows
    asked = [part for _, form in rows for part in ("-e", "help " + form.split()[0])]
    code, process = run("-i", "silence", "-o", "null", *asked)
    shorts = re.findall(r"^  short: (\S+)$", process.out.text, re.M)
    assert [short for _, _, short in commands_of_page() if short] == shorts


def test_the_page_has_each_event_and_each_of_its_members():
    source = (ROOT / "core" / "ua" / "event.c").read_text()
    names = set(re.findall(r"\[UA_(?!CAUSE)\w+\] = \"([\w.]+)\"", source)) - {"call.meter"}
    causes = set(re.findall(r"\[UA_CAUSE_\w+\] = \"(\w+)\"", source))
    members = set(re.findall(r"\"([a-z_]+)\"", (ROOT / "cmd" / "readers" / "json.c").read_text()))
    words = set(re.findall(r"[a-z_.]*[a-z_]", section("EVENTS")))
    assert len(names) > 8 and len(causes) > 5 and len(members) > 20
    assert names | causes | (members - {"outgoing", "incoming"}) <= words


def keys_of_program():
    """Each key of [sipcall], in order: those of the table, then one for each event."""
    table = (ROOT / "cmd" / "settings" / "config_keys.c").read_text()
    rows = re.search(r"settings\[\] = \{\n(.*?)^\};", table, re.M | re.S)[1]
    source = (ROOT / "core" / "ua" / "event.c").read_text()
    names = re.findall(r"\[UA_(?!CAUSE)\w+\] = \"([\w.]+)\"", source)
    hooks = ["on_" + name.replace(".", "_") for name in names if name != "call.meter"]
    return re.findall(r'^\t\{"(\w+)",', rows, re.M) + hooks + ["on_event"]


def test_the_page_of_the_configuration_has_each_key():
    items = re.findall(r"^\.It Ic (\w+) No = Ar (.*)$", CONF_PAGE.read_text(), re.M)
    assert [key for key, _ in items] == keys_of_program()
    values = {name.replace("-", "_"): value for _, name, value, _ in options_of_help()}
    values["stun_server"] = values.pop("stun")  # the one that has another name there
    for key, value in items:
        assert value == ("COMMAND" if key.startswith("on_") else values[key] or "yes|no")


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_pages_are_clean(tmp_path):
    pages = sorted((ROOT / "man").glob("*.[1-9]"))
    for page in pages:  # as if they were installed: each looks for those that it names
        folder = tmp_path / f"man{page.suffix[1:]}"
        folder.mkdir(exist_ok=True)
        (folder / page.name).symlink_to(page)
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", *pages],
        env={**os.environ, "MANPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert lint.stdout == ""
    assert lint.returncode == 0


def test_the_page_of_the_configuration_has_each_key_of_an_account():
    table = (ROOT / "cmd" / "settings" / "config_account.c").read_text()
    rows = re.search(r"keys\[CONFIG_ACCOUNT_KEYS\] = \{\n(.*?)^\};", table, re.M | re.S)[1]
    keys = re.findall(r"^\.It Cm (\w+) No = Ar", CONF_PAGE.read_text(), re.M)
    assert keys == re.findall(r'^\t\{"(\w+)",', rows, re.M)
