"""Registrations that hold (RFC 5626, RFC 5627), with Kamailio as the registrar that grants them."""

import re
import socket
import threading

import pytest

from kamailio import Kamailio
from phone import answerer, caller, environment

MODULES = """
loadmodule "stun.so"
loadmodule "outbound.so"
modparam("registrar", "outbound_mode", 1)
modparam("registrar", "flow_timer", {})
modparam("registrar", "gruu_enabled", {})
"""
LOST_S = 10  # until what is cut is noticed, tried anew after 1 s, and there again


class Registrar(Kamailio):
    """It grants outbound, by a Flow-Timer if that is not 0, and addresses of its own."""

    def __init__(self, flow_timer_s=0, gruu=True):
        super().__init__()
        self.outbound = MODULES.format(flow_timer_s, int(gruu))

    def values(self):
        return {"OUTBOUND": self.outbound, "BY_FLOW": "fix_nated_register();"}


class Relay:
    """TCP to another port, which may be cut as a NAT does it that forgets."""

    def __init__(self, to):
        self.to = to
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.count = 0

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def accept(self):
        try:
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.count += 1
                self.pairs.append((near, far))
                for one, other in [(near, far), (far, near)]:
                    threading.Thread(target=self.pump, args=(one, other), daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    @property
    def uri(self):
        return f"sip:127.0.0.1:{self.port};transport=tcp"


def secret(folder):
    return environment(SIPCALL_PASSWORD="secret", XDG_STATE_HOME=str(folder))


def phone(uri, *args, name="alice", **how):
    called = answerer("-a", f"{name}@sip.test", "--registrar", uri, *args, **how)
    called.event("registration.ok")
    return called


@pytest.mark.parametrize("gruu", [True, False])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_outbound_is_granted(tmp_path, transport, gruu):
    """The registrar knows the phone by its instance; whoever hangs up is understood."""
    with Registrar(gruu=gruu) as server:
        uri = f"{server.uri};transport={transport}"
        called = phone(uri, "-d", "0.2", "--trace", env=secret(tmp_path))
        instance = (tmp_path / "sipcall" / "instance").read_text()
        called.line(re.escape(f';reg-id=1;+sip.instance="<{instance}>"'), stream=called.err)
        called.line("^Require: outbound", stream=called.err)
        calling = caller(
            "alice", "-a", "bob@sip.test", "--registrar", uri, env=secret(tmp_path)
        )  # fmt: skip
        assert calling.exit() == 0
        assert calling.event("call.ended")["cause"] == "remote"
        end = re.escape(f";gr={instance}") if gruu else ";ob"
        called.line(f"^Contact: <[^>]*{end}>", stream=called.err)


def test_a_phone_that_comes_back_takes_its_own_place(tmp_path):
    """Where it died without a word: one binding, not two."""
    with Registrar() as server:
        first = phone(server.uri, env=secret(tmp_path))
        first.popen.kill()
        first.exit()
        second = phone(server.uri, "--trace", env=secret(tmp_path))
        bindings = second.line("^Contact: .*;expires=.*$", stream=second.err)[0].decode()
        assert bindings.count("+sip.instance") == 1 and str(second.port()) in bindings


def test_a_connection_that_is_cut_is_replaced(tmp_path):
    with Registrar() as server, Relay(server.port) as relay:
        called = phone(relay.uri, env=secret(tmp_path))
        relay.cut()
        lost = called.event("registration.lost", limit=LOST_S)
        assert lost["retry_s"] == 1
        called.event("registration.ok", nth=2, limit=LOST_S)
        assert relay.count == 2
        calling = caller(
            "alice", "-a", "bob@sip.test", "--registrar", server.uri, "-d", "0.1",
            env=secret(tmp_path),
        )  # fmt: skip
        assert calling.exit() == 0
        assert called.event("call.incoming")["port"] == relay.port  # by the way that we made


def test_a_call_outlives_its_connection(tmp_path):
    """What comes next goes by a new one."""
    with Registrar() as server, Relay(server.port) as relay:
        called = phone(server.uri, env=secret(tmp_path))
        calling = caller(
            "alice", "-a", "bob@sip.test", "--registrar", relay.uri, "-d", "0.5",
            env=secret(tmp_path),
        )  # fmt: skip
        calling.event("call.answered")
        relay.cut()
        assert calling.exit() == 0
        assert called.event("call.ended")["cause"] == "remote"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_server_that_was_away_has_us_again(tmp_path, transport):
    """By UDP it takes a keep-alive (STUN) to notice, which the server wants each second."""
    with Registrar(flow_timer_s=1) as server:
        called = phone(f"{server.uri};transport={transport}", env=secret(tmp_path))
        server.stop()
        called.event("registration.lost", limit=LOST_S)
        server.start()
        called.event("registration.ok", nth=2, limit=LOST_S)
        assert not called.having("registration.failed")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_keep_alives_are_answered(tmp_path, transport):
    """Pings by pongs, STUN by STUN: else a registration would be lost after some of them."""
    with Registrar(flow_timer_s=1) as server:
        called = phone(f"{server.uri};transport={transport}", env=secret(tmp_path))
        calling = caller(
            "alice", "-a", "bob@sip.test", "--registrar", server.uri, "-d", "3",
            env=secret(tmp_path),
        )  # fmt: skip
        assert calling.exit(limit=8) == 0
        assert not called.having("registration.lost")


def test_two_programs_are_two_phones(tmp_path):
    """They do not take each other's place: both ring."""
    with Registrar() as server:
        first = phone(server.uri, answer="--answer=5", env=secret(tmp_path))
        second = phone(server.uri, answer="--answer=5", env=secret(tmp_path))
        names = {path.read_text() for path in (tmp_path / "sipcall").glob("instance*")}
        assert len(names) == 2
        calling = caller(
            "alice", "-a", "bob@sip.test", "--registrar", server.uri, "-t", "0.5",
            env=secret(tmp_path),
        )  # fmt: skip
        first.event("call.incoming")
        second.event("call.incoming")
        calling.exit()
