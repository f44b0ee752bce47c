"""Kamailio as the server of an account: registration, by the algorithms that it has."""

import pytest

from kamailio import Kamailio
from phone import environment, run


def register(server, *args, password="secret", limit=10):
    """What `register` comes to: (exit code, process)."""
    return run(
        "-l", "udp:127.0.0.1:0", "-a", "alice@sip.test", "--registrar", server.uri, *args,
        "-e", "register", "-e", "accounts",
        env=environment(SIPCALL_PASSWORD=password), limit=limit,
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_registers(algorithm):
    with Kamailio(algorithm) as server:
        code, process = register(server)
        assert code == 0, process.report()
        assert "registered alice@sip.test" in process.out.text
        code, process = register(server, "--trace", password="wrong")
        assert code == 7, process.report()
        words = "alice@sip.test is not registered: 401 Unauthorized: the password or --auth-user is wrong"
        assert words in process.out.text
        assert process.err.text.count("REGISTER sip:") == 2  # without an answer, and with one
        assert "wrong" not in process.err.text.replace("is wrong", "")
