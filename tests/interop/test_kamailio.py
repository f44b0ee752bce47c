"""Kamailio as the server of an account: registration, by the algorithms that it has."""

import subprocess
from pathlib import Path

import pytest

from kamailio import Kamailio
from phone import answerer, caller, environment, run
ROOT = Path(__file__).resolve().parents[2]
WRONG = (
    "alice@sip.test is not registered: 401 Unauthorized: "
    "the password, or the name that goes with it, is wrong"
)


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
        assert WRONG in process.out.text
        assert process.err.text.count("REGISTER sip:") == 2  # without an answer, and with one


def account(server, name="alice"):
    return ["-a", f"{name}@sip.test", "--registrar", server.uri]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_one_of_the_domain(transport):
    way = f";transport={transport}"
    secret = environment(SIPCALL_PASSWORD="secret")
    with Kamailio() as server:
        hop = ["--registrar", server.uri + way]
        called = answerer("-a", "alice@sip.test", *hop, env=secret)
        assert called.event("registration.ok")["contact"].endswith(
            ";transport=tcp" if transport == "tcp" else str(called.port())
        )
        calling = caller("alice", "-a", "bob@sip.test", *hop, "-d", "0.2", "--trace", env=secret)
        assert calling.event("call.answered")["account"] == "bob@sip.test"
        incoming = called.event("call.incoming")
        assert (incoming["peer"], incoming["account"]) == ("sip:bob@sip.test", "alice@sip.test")
        # by TCP it has come over a connection from anywhere, not over the one of the registration
        assert incoming["asserted"] == ("sip:bob@sip.test" if transport == "udp" else None)
        assert calling.exit() == 0
        sent = calling.err.text
        assert sent.count("INVITE sip:alice@sip.test") == 2 and "\nProxy-Authorization: " in sent


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of the certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["sh", ROOT / "tests" / "certificates.sh", folder], check=True)
    return folder


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_calls_by_a_websocket(files, secure, algorithm):
    """It goes there, comes back, and ends, by the connections that the two have made."""
    secret = environment(SIPCALL_PASSWORD="secret")
    with Kamailio(algorithm, certificate=files / "good") as server:
        hop = ["--registrar", server.secure_web_uri if secure else server.web_uri]
        hop += ["--tls-ca-file", files / "ca.pem"]
        called = answerer("-a", "alice@sip.test", *hop, "-n", "1", "-d", "0.2", "--trace",
                          env=secret)  # fmt: skip
        assert called.event("registration.ok")["contact"].endswith(".invalid;transport=ws")
        calling = caller("alice", "-a", "bob@sip.test", *hop, "--trace", env=secret)
        incoming = called.event("call.incoming")
        assert incoming["peer"] == "sip:bob@sip.test"
        assert incoming["transport"] == ("wss" if secure else "ws")
        assert calling.exit() == 0 and called.exit() == 0
        assert calling.event("call.outgoing")["transport"] == ("wss" if secure else "ws")
        for phone in (called, calling):
            assert phone.event("call.ended")["received"] > 0
            assert f"/{'WSS' if secure else 'WS'} " in phone.err.text
            assert "SIP/2.0/UDP" not in phone.err.text and "SIP/2.0/TCP" not in phone.err.text
            log = (server.dir / "log").read_text()
            assert "CRITICAL" not in log and "ERROR" not in log, log


def test_another_path_of_the_server_is_told(files):
    with Kamailio(certificate=files / "good") as server:
        code, process = run(
            "-a", "alice@sip.test", "--registrar", server.web_uri.replace("/ws", "/"),
            "-e", "register", env=environment(SIPCALL_PASSWORD="secret"), limit=10,
        )  # fmt: skip
        assert code == 3, process.report()
        assert "no WebSocket at / of 127.0.0.1: it answers 404 Not Found; " in process.out.text


def test_a_server_that_was_restarted_knows_it_again():
    """It has forgotten the nonce as well as the account."""
    secret = environment(SIPCALL_PASSWORD="secret")
    with Kamailio(min_expires_s=1, max_expires_s=2) as server:
        called = answerer(*account(server), env=secret)
        called.event("registration.ok", expires=2)
        before = len(called.having("registration.ok"))
        server.restart()
        called.event("registration.ok", nth=before + 1)
        calling = caller("alice", *account(server, "bob"), "-d", "0.1", env=secret)
        assert calling.exit() == 0
        called.event("call.ended")
        assert not called.having("registration.lost") and not called.having("registration.failed")


def test_the_registrar_has_its_least(tmp_path):
    """423, and what is asked for then."""
    config = tmp_path / "sipcall.conf"
    with Kamailio(min_expires_s=1800) as server:
        config.write_text(
            f"[account work]\naddress = alice@sip.test\nregistrar = {server.uri}\n"
            "expires = 60\n"
        )
        code, process = run(
            "--json", "-l", "udp:127.0.0.1:0", "-c", config, "-e", "register",
            env=environment(SIPCALL_PASSWORD="secret"), limit=10,
        )  # fmt: skip
        assert code == 0 and '"expires":1800' in process.out.text


def test_phones_of_a_script_are_accounts(tmp_path):
    script = tmp_path / "call.sip"
    with Kamailio() as server:
        script.write_text(
            f"phone alice account=alice@sip.test registrar={server.uri} answer\n"
            f"phone bob account=bob@sip.test registrar={server.uri}\n"
            "alice register\n"
            "bob call alice\n"
            "bob hangup\n"
            "alice unregister\n"
        )
        secret = environment(SIPCALL_PASSWORD="secret")
        code, process = run("--script", script, env=secret, limit=10)
        assert code == 0, process.report()


def test_an_account_by_tls(files):
    """It registers, and calls who is there by UDP; but not where nobody vouches for the server."""
    secret = environment(SIPCALL_PASSWORD="secret")
    with Kamailio(certificate=files / "good") as server:
        hop = ["--registrar", server.secure_uri, "--tls-ca-file", files / "ca.pem"]
        called = answerer("-a", "alice@sip.test", "--registrar", server.uri, env=secret)
        called.event("registration.ok")
        calling = caller("alice", "-a", "bob@sip.test", *hop, "-d", "0.2", env=secret)
        assert calling.exit() == 0
        assert calling.event("call.outgoing")["transport"] == "tls"
        code, process = run(
            "-a", "bob@sip.test", *hop, "-e", "register", env=secret, limit=10,
        )  # fmt: skip
        assert code == 0, process.report()
        code, process = run(
            "-a", "bob@sip.test", *hop[:2], "-e", "register", env=secret, limit=10,
        )  # fmt: skip
        assert code == 3 and "certificate" in process.out.text, process.report()


def test_a_proxy_that_asserts_identity():
    """It vouches for bob, whatever he says; and keeps it to itself where he is anonymous."""
    secret = environment(SIPCALL_PASSWORD="secret")
    forged = ["-H", "P-Asserted-Identity: <sip:boss@sip.test>"]
    with Kamailio() as server:
        called = answerer(*account(server), env=secret)
        called.event("registration.ok")
        calling = caller("alice", *account(server, "bob"), *forged, "-d", "0.1", env=secret)
        assert calling.exit() == 0
        event = called.event("call.incoming", asserted="sip:bob@sip.test", anonymous=False)
        assert (event["peer"], event["display"]) == ("sip:bob@sip.test", "Known")

        calling = caller(
            "alice", *account(server, "bob"), "--anonymous", "--trace", "-d", "0.1", env=secret
        )  # fmt: skip
        assert calling.exit() == 0
        assert "P-Preferred-Identity: <sip:bob@sip.test>" in calling.err.text
        event = called.event("call.incoming", asserted=None, anonymous=True)
        assert event["peer"] == "sip:anonymous@anonymous.invalid"
        assert calling.err.text.count("\nProxy-Authorization: ") == 1  # of the INVITE alone


def test_md5_can_be_forbidden(tmp_path):
    """For each account: nothing is sent by which the password could be guessed."""
    config = tmp_path / "sipcall.conf"
    for algorithm, code in [("MD5", 7), ("SHA-256", 0)]:
        with Kamailio(algorithm) as server:
            config.write_text(
                f"[account work]\naddress = alice@sip.test\nregistrar = {server.uri}\n"
                "allow_md5 = no\n"
            )
            got, process = run(
                "-l", "udp:127.0.0.1:0", "-c", config, "--trace", "-e", "register",
                env=environment(SIPCALL_PASSWORD="secret"), limit=10,
            )  # fmt: skip
            assert got == code, process.report()
            assert ("allow_md5 = no forbids" in process.out.text) == (code == 7)
            assert ("\nAuthorization: " in process.err.text) == (code == 0)
