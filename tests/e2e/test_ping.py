"""ping: whether another phone is there, as a health check."""

import re

import pytest

from phone import SIPCALL, Peer, Process, closed_port, run

SILENT = ("-i", "silence", "-o", "null")


def ping(peer, *more):
    return Process([SIPCALL, *SILENT, "-e", f"ping {peer.uri()} {' '.join(more)}"])


@pytest.mark.parametrize(
    "code, header, shown",
    [
        (200, "Server: Kamailio (5.6.3)", "   Kamailio (5.6.3)"),
        (404, "User-Agent: a \x1b[31mred\x1b[0m one", r"   a \x1b[31mred\x1b[0m one"),
        (503, "X: y", ""),
    ],
)
def test_any_response_is_a_good_one(code, header, shown):
    peer = Peer()
    process = ping(peer)
    peer.respond(peer.expect("OPTIONS"), code, header)
    assert process.exit() == 0
    pattern = rf"{code} [A-Za-z ]+ in \d+\.\d ms from udp {re.escape(peer.host)}"
    first, last = process.out.lines[0], ""
    if shown:
        first, last = first[: -len(shown)], first[-len(shown) :]
    assert re.fullmatch(pattern, first) and last == shown
    assert process.err.lines == [] and len(process.out.lines) == 1


def test_no_response():
    process = ping(Peer(), "50ms")
    assert process.exit() == 3
    assert process.err.lines == ["sipcall: no response within 0.05 s"]


def test_nobody_there():
    port = closed_port()
    code, process = run(*SILENT, "-e", f"ping 127.0.0.1:{port}")
    assert code == 3
    assert process.err.lines == [f"sipcall: nothing listens on 127.0.0.1:{port} (port unreachable)"]


def test_no_target():
    code, process = run(*SILENT, "-e", "ping a..b@")
    assert code == 2
    assert process.err.lines == ["sipcall: the host is missing", "  ping a..b@", "            ^"]
