#!/usr/bin/env python3
"""Plants bugs in core/, one at a time, and sees whether the invariants of tests/sim notice.

Each file of mutants/ is a small patch with a line "# what: ..." on top. A copy of the file that it
touches is built with it, and tests/sim/run with that plays plays of three ranges of seeds that
have nothing in common. Each range has to find the bug: what only one lucky seed finds would not be
found next time. A line "# with: --media" says that it takes sound to show the bug, "# with: FILE"
names a play of plays/ that does. What no play can show, as there is no proxy in this world and no
far end that is not ours, a unit test has to: "# caught by: unit NAME" says which.

usage: mutants.py [NAME ...]     all of them, or those named; what ./dev build made has to be there
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MUTANTS = ROOT / "tests/sim/mutants"
RANGES = (1, 300_001, 700_001)
PLAYS = 400
SCENARIO_PLAYS = 200
LIMIT_S = 60
WORKERS = 2


class Build:
    """What was built of the sources as they are. Of each mutant, only the files that it touches are
    built anew: they are linked before the libraries, which then keep theirs to themselves."""

    def __init__(self, patches):
        targets = sorted({target(p) for p in patches})
        run(["ninja", "-C", "build", *targets], ROOT)
        records = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
        self.compile = {r["file"]: shlex.split(r["command"]) for r in records}
        self.link = {t: shlex.split(run(["ninja", "-C", "build", "-t", "commands", t],
                                        ROOT).splitlines()[-1]) for t in targets}

    def make(self, folder, patch):
        """Returns the program with the mistake in it, below folder."""
        sources = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(encoding="utf-8"), re.MULTILINE)
        for source in sources:
            (folder / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, folder / source)
        run(["patch", "-p1", "--fuzz=0", "-i", patch], folder)
        objects = [self.object(folder, source) for source in sources]
        words = self.link[target(patch)]
        at = words.index("-o")
        program = folder / "program"
        run([*words[:at], "-o", program, *objects, *words[at + 2:]], BUILD)
        return program

    def object(self, folder, source):
        """Warnings are no errors here: a bug may well leave something unused."""
        words = self.compile[f"../{source}"]
        out = words.index("-o")
        made = folder / f"{source}.o"
        words = [*words[:out], "-o", str(made), *words[out + 2:]]
        words[words.index("-MF") + 1] = f"{made}.d"
        words[words.index(f"../{source}")] = str(folder / source)
        run([*words, "-w", "-Wno-error", "-O1", "-g0"], BUILD)
        return made


def run(words, folder):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout[-4000:]}{done.stderr}")
    return done.stdout


def play(program, seed, count, *options):
    """What failed, or None. Whoever has found something is not let go on to make it smaller."""
    with subprocess.Popen([program, "--seed", str(seed), "--count", str(count), *options], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True) as plays:
        timer = threading.Timer(LIMIT_S, os.killpg, (plays.pid, signal.SIGKILL))
        timer.start()
        try:
            said = []
            for line in plays.stdout:
                said.append(line)
                if line.startswith("FAILED"):
                    finding = plays.stdout.readline().strip()
                    os.killpg(plays.pid, signal.SIGKILL)
                    return finding
        finally:
            timer.cancel()
    if plays.returncode == 0:
        return None
    if plays.returncode < 0:
        return f"no end within {LIMIT_S} s"
    sys.exit("".join(said))


def try_range(program, seed, how):
    if how and how != "--media":
        return play(program, seed, SCENARIO_PLAYS, "--scenario", f"tests/sim/plays/{how}")
    if how:
        return play(program, seed, PLAYS, how)
    return play(program, seed, PLAYS)


def header(patch, key):
    found = re.search(rf"^# {key}: (.*)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def try_unit(program, name):
    """What the unit test says that fails, or None. One that never ends has noticed something."""
    try:
        done = subprocess.run([program], cwd=ROOT, env=os.environ | {"CMOCKA_TEST_ABORT": "0"},
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT_S} s"
    if done.returncode == 0:
        return None
    found = re.search(r"^\[  FAILED  \] (\S+)$", done.stdout + done.stderr, re.MULTILINE)
    return f"unit {name}: {found[1] if found else done.returncode}"


def unit_of(patch):
    by = header(patch, "caught by")
    return by.removeprefix("unit ") if by else None


def target(patch):
    unit = unit_of(patch)
    return f"tests/unit/test_{unit}" if unit else "tests/sim/run"


def try_mutant(built, patch):
    """Returns the findings: one a range, or the unit test's."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        program = built.make(pathlib.Path(folder), patch)
        if unit_of(patch):
            return [try_unit(program, unit_of(patch))]
        how = header(patch, "with")
        return [try_range(program, seed, how) for seed in RANGES]


def try_without(patches):
    """Nothing is found where there is nothing to find."""
    for how in sorted({header(p, "with") or "" for p in patches if not unit_of(p)}):
        for seed in RANGES:
            found = try_range(BUILD / "tests/sim/run", seed, how)
            if found:
                sys.exit(f"without any bug, seed {seed} {how} finds: {found}")
    for unit in sorted({unit_of(p) for p in patches if unit_of(p)}):
        found = try_unit(BUILD / f"tests/unit/test_{unit}", unit)
        if found:
            sys.exit(f"without any bug, it fails: {found}")


def try_all(patches):
    """Side by side."""
    built = Build(patches)
    try_without(patches)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield from zip(patches, pool.map(lambda patch: try_mutant(built, patch), patches))


def main():
    names = sys.argv[1:]
    patches = sorted(p for p in MUTANTS.glob("*.patch") if not names or p.stem in names)
    if not patches or len(patches) < len(names):
        sys.exit("no such mutant")
    for patch in patches:
        if not header(patch, "what"):
            sys.exit(f"{patch.name}: its first line has to be # what: ...")

    begin = time.monotonic()
    alive = 0
    for patch, findings in try_all(patches):
        missed = sum(1 for found in findings if not found)
        alive += missed > 0
        verdict = "caught" if missed == 0 else f"LIVES in {missed} of {len(findings)}"
        print(f"{verdict:12} {patch.stem:28} {next(filter(None, findings), '')}", flush=True)
    print(f"{len(patches)} mutants, {alive} alive, {time.monotonic() - begin:.0f} s")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
