#!/usr/bin/env python3
"""Plants bugs in core/, one at a time, and sees whether the invariants of tests/sim notice.

Each file of mutants/ is a small patch with a line "# what: ..." on top. It is applied to a copy of
the sources, tests/sim/run is built from that and plays plays of three ranges of seeds that have
nothing in common. Each range has to find the bug: what only one lucky seed finds would not be
found next time. A line "# with: --media" says that it takes sound to show the bug, "# with: FILE"
names a play of plays/ that does. What no play can show, as there is no proxy in this world and no
far end that is not ours, a unit test has to: "# caught by: unit NAME" says which.

usage: mutants.py [NAME ...]     all of them, or those named
"""

import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = ROOT / "tests/sim/mutants"
RANGES = (1, 300_001, 700_001)
PLAYS = 400
SCENARIO_PLAYS = 200
LIMIT_S = 60
WORKERS = 2


def copy_sources(folder):
    """Without what was built, and without history."""

    def ignore(path, names):
        top = pathlib.Path(path) == ROOT
        return [n for n in names if n in (".git", "__pycache__") or top and n.startswith("build")]

    shutil.copytree(ROOT, folder, ignore=ignore)


def apply(folder, patch, *options):
    done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "--fuzz=0", *options],
                          cwd=folder, stdin=open(patch, encoding="utf-8"),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{patch.name} does not apply:\n{done.stdout}{done.stderr}")


def build(folder, *targets, jobs=1):
    """Warnings are no errors here: a bug may well leave something unused."""
    done = subprocess.run(["ninja", "-C", "build", f"-j{jobs}", *targets], cwd=folder,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"it does not build:\n{done.stdout[-4000:]}{done.stderr}")


def configure(folder):
    done = subprocess.run(["meson", "setup", "build", "--buildtype=release", "-Dwerror=false",
                           "-Doptimization=1"],
                          cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"meson: {done.stdout[-4000:]}{done.stderr}")


def play(folder, seed, count, *options):
    """What failed, or None. Whoever has found something is not let go on to make it smaller."""
    with subprocess.Popen([folder / "build/tests/sim/run", "--seed", str(seed), "--count",
                           str(count), *options], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, start_new_session=True) as run:
        timer = threading.Timer(LIMIT_S, os.killpg, (run.pid, signal.SIGKILL))
        timer.start()
        try:
            said = []
            for line in run.stdout:
                said.append(line)
                if line.startswith("FAILED"):
                    finding = run.stdout.readline().strip()
                    os.killpg(run.pid, signal.SIGKILL)
                    return finding
        finally:
            timer.cancel()
    if run.returncode == 0:
        return None
    if run.returncode < 0:
        return f"no end within {LIMIT_S} s"
    sys.exit("".join(said))


def try_range(folder, seed, how):
    if how and how != "--media":
        return play(folder, seed, SCENARIO_PLAYS, "--scenario", f"tests/sim/plays/{how}")
    if how:
        return play(folder, seed, PLAYS, how)
    return play(folder, seed, PLAYS)


def header(patch, key):
    found = re.search(rf"^# {key}: (.*)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def try_unit(folder, name):
    """What the unit test says that fails, or None. One that never ends has noticed something."""
    try:
        done = subprocess.run([folder / f"build/tests/unit/test_{name}"], cwd=folder,
                              env=os.environ | {"CMOCKA_TEST_ABORT": "0"}, capture_output=True,
                              text=True, timeout=LIMIT_S, check=False)
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


def try_mutant(folder, patch):
    """Returns the findings: one a range, or the unit test's."""
    apply(folder, patch)
    build(folder, target(patch))
    if unit_of(patch):
        findings = [try_unit(folder, unit_of(patch))]
    else:
        how = header(patch, "with")
        findings = [try_range(folder, seed, how) for seed in RANGES]
    apply(folder, patch, "--reverse")
    return findings


def try_without(folder, patches):
    """Nothing is found where there is nothing to find."""
    for how in sorted({header(p, "with") or "" for p in patches if not unit_of(p)}):
        for seed in RANGES:
            found = try_range(folder, seed, how)
            if found:
                sys.exit(f"without any bug, seed {seed} {how} finds: {found}")
    for unit in sorted({unit_of(p) for p in patches if unit_of(p)}):
        found = try_unit(folder, unit)
        if found:
            sys.exit(f"without any bug, it fails: {found}")


def try_all(temp, patches):
    """Side by side, each worker in sources of its own."""
    folders = queue.Queue()
    first = temp / "0"
    copy_sources(first)
    configure(first)
    build(first, *sorted({target(p) for p in patches}), jobs=WORKERS)
    for i in range(1, WORKERS):
        shutil.copytree(first, temp / str(i))
    for i in range(WORKERS):
        folders.put(temp / str(i))

    def work(patch):
        folder = folders.get()
        try:
            return patch, try_mutant(folder, patch)
        finally:
            folders.put(folder)

    try_without(first, patches)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(work, patches)


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
    with tempfile.TemporaryDirectory(prefix="mutants-") as temp:
        for patch, findings in try_all(pathlib.Path(temp), patches):
            missed = sum(1 for found in findings if not found)
            alive += missed > 0
            verdict = "caught" if missed == 0 else f"LIVES in {missed} of {len(findings)}"
            print(f"{verdict:12} {patch.stem:28} {next(filter(None, findings), '')}", flush=True)
    print(f"{len(patches)} mutants, {alive} alive, {time.monotonic() - begin:.0f} s")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
