"""For all that runs the program: one test at a time on the machine, each with a limit, and what
both ends said when one fails."""

import fcntl
import os
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "e2e"))
sys.dont_write_bytecode = True

import phone  # noqa: E402

LIMIT_S = 30


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): how long the test may take")
    config.addinivalue_line("markers", "long: takes minutes, and only runs where LONG is set")
    # Under nohup SIGHUP is ignored, and a program inherits that; a handler it does not.
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda number, frame: None)


def pytest_collection_modifyitems(config, items):
    long = [item for item in items if item.get_closest_marker("long")]
    if long and not os.environ.get("LONG"):
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session", autouse=True)
def alone():
    """Sound in real time wants the machine for itself: a second run waits for the first, but for the
    parts of one run (BESIDE)."""
    folder = os.open(HERE, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH if os.environ.get("BESIDE") else fcntl.LOCK_EX)
    yield
    os.close(folder)


@pytest.fixture(autouse=True)
def limit(request):
    """Interrupts a test that hangs, and closes what it has left open."""
    marker = request.node.get_closest_marker("limit")
    seconds = marker.args[0] if marker else LIMIT_S

    def over(_number, _frame):
        raise phone.Late(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    phone.close_all()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when == "call" and report.failed and phone.alive:
        words = "\n".join(thing.report() for thing in phone.alive)
        report.sections.append(("both ends", words))
