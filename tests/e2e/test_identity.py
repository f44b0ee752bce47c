"""Who is told that calls, by a server that is believed and by others; and calls that are anonymous."""

import re

import pytest

from phone import SIPCALL, Media, Peer, Process, answerer, caller, environment, run, text_caller
from test_accounts import HERE, account, challenge, check, ok, start

SECRET = environment(SIPCALL_PASSWORD="secret")
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
CAROL = 'P-Asserted-Identity: "Carol C" <sip:carol@sip.test>'


def test_who_has_answered_is_who_our_own_server_says():
    peer, media = Peer(), Media()
    near = caller("bob", *account(peer), "--codecs", "pcmu", env=SECRET)
    invite = peer.expect("INVITE")
    peer.respond(invite, 180, CAROL)
    ringing = near.event("call.ringing", asserted="sip:carol@sip.test", display="Carol C")
    assert ringing["peer"] == "sip:bob@sip.test"
    ack = peer.answer(invite, media.port)
    near.event("call.answered", asserted="sip:carol@sip.test")
    peer.hang_up(invite, ack.source)
    assert near.exit() == 0


def test_a_person_reads_who_is_there():
    peer = Peer()
    for says, shown in [
        (CAROL, "Carol C"),
        ("P-Asserted-Identity: <sip:carol@sip.test>", "carol@sip.test"),
        ("P-Asserted-Identity: <sip:bob@sip.test>", ""),
    ]:
        near = text_caller("bob", *account(peer), env=SECRET)
        invite = peer.expect("INVITE")
        peer.respond(invite, 180, says)
        peer.respond(invite, 486)
        assert near.exit() == 5
        assert near.out.lines[1].strip() == f"ringing   {shown}".strip()


def test_somebody_else_says_nothing_of_that():
    peer = Peer()
    near = caller(peer.uri("bob"))
    invite = peer.expect("INVITE")
    peer.respond(invite, 180, CAROL)
    near.event("call.ringing", asserted=None, display=None)
    peer.respond(invite, 486)
    assert near.exit() == 5


def hides(invite, *names):
    """That nothing in it tells who calls."""
    assert invite.get("from").startswith(ANONYMOUS + ";tag=")
    assert invite.get("privacy") == "id"
    assert re.fullmatch(r"<sip:127\.0\.0\.1:\d+>", invite.get("contact"))
    assert "@" not in invite.get("call-id")
    for name in names:
        assert name not in str(invite)


def test_an_anonymous_call_names_nobody():
    peer = Peer()
    near = caller(peer.uri("bob"), "--anonymous")
    invite = peer.expect("INVITE")
    hides(invite, "tester", "P-Preferred")
    peer.respond(invite, 486)
    assert near.exit() == 5


def test_only_our_own_server_learns_who_calls():
    server, other = Peer(), Peer()
    near = caller("bob", *account(server), "--anonymous", env=SECRET)
    invite = server.expect("INVITE")
    hides(invite)
    assert invite.get("p-preferred-identity") == "<sip:alice@sip.test>"
    server.respond(invite, 407, "Proxy-Authenticate: " + challenge())
    server.expect("ACK")
    again = server.expect("INVITE")
    check(again, "proxy-authorization")
    assert again.get("p-preferred-identity") == "<sip:alice@sip.test>"
    server.respond(again, 302, f"Contact: <{other.uri('carol')}>")
    server.expect("ACK")
    invite = other.expect("INVITE")
    hides(invite, "alice", "P-Preferred", "uthorization")
    other.respond(invite, 486)
    assert near.exit() == 5


def write(tmp_path, server, *lines):
    path = tmp_path / "sipcall.conf"
    head = ["[account work]", "address = alice@sip.test", f"registrar = {server.host}"]
    path.write_text("\n".join([*head, *lines]) + "\n")
    return ["-c", str(path)]


@pytest.mark.parametrize(
    "lines, preferred",
    [
        (['preferred_identity = "The Office" <sip:office@sip.test>'],
         '"The Office" <sip:office@sip.test>'),
        (["preferred_identity = tel:+49-30-123"], "<tel:+49-30-123>"),
        (["preferred_identity = office@sip.test", "anonymous = yes"], "<sip:office@sip.test>"),
    ],
)  # fmt: skip
def test_the_account_says_as_whom(tmp_path, lines, preferred):
    server, other = Peer(), Peer()
    config = write(tmp_path, server, *lines)
    for target, peer, expected in [("bob", server, [preferred]), (other.uri(), other, [])]:
        near = caller(target, *config, env=SECRET)
        invite = peer.expect("INVITE")
        assert invite.all("p-preferred-identity") == expected
        assert ("Anonymous" in invite.get("from")) == ("anonymous = yes" in lines)
        peer.respond(invite, 486)
        assert near.exit() == 5


def test_mistakes_of_the_configuration(tmp_path):
    config = write(tmp_path, Peer(), "preferred_identity = bob", "anonymous = perhaps")
    code, process = run(*config, "--check-config")
    assert code == 2
    assert "sipcall.conf:4: preferred_identity: " in process.err.text
    assert "sipcall.conf:5: anonymous: yes or no" in process.err.text


def test_the_anonymous_are_shown_as_such():
    peer = Peer()
    for headers, words in [
        ({"from": ANONYMOUS + ";tag=1"}, "incoming  anonymous"),
        ({"from": "<sip:x@h>;tag=1", "privacy": "id"},
         "incoming  x@h   wants to be anonymous"),
        ({"from": "<tel:+4930123>;tag=1"}, "incoming  tel:+4930123"),
    ]:  # fmt: skip
        argv = [SIPCALL, "--answer", *HERE, "-n", "1", "--answer-code", "486"]
        called = Process(argv, env=environment())
        port = int(called.line(r"^listening udp 127\.0\.0\.1:(\d+)$")[1])
        peer.request("INVITE", ("127.0.0.1", port), **headers)
        peer.expect(486)
        assert called.exit() == 0
        called.line(f"^{re.escape(words)}$")


@pytest.mark.parametrize("how", ["option", "setting"])
def test_the_anonymous_are_refused(tmp_path, how):
    peer, config = Peer(), tmp_path / "sipcall.conf"
    config.write_text("[sipcall]\nreject_anonymous = yes\n")
    wish = ["--reject-anonymous"] if how == "option" else ["-c", str(config)]
    called = answerer(*wish, "-n", "2")
    where = ("127.0.0.1", called.port())
    invite = peer.request("INVITE", where, **{"from": ANONYMOUS + ";tag=1"})
    refusal = peer.expect(433)
    assert refusal.start == "SIP/2.0 433 Anonymity Disallowed"
    peer.ack(invite, refusal, where)
    assert called.event("call.incoming")["anonymous"] is True
    called.event("call.ended", cause="rejected", code=433)
    invite, answer = peer.call(where, 9)
    assert called.event("call.incoming", nth=2)["anonymous"] is False
    peer.bye(invite, answer, where)
    assert called.exit() == 0


def test_a_command_makes_later_calls_anonymous():
    peer = Peer()
    calls = [f"call {peer.uri('bob')}"]
    process = start("-e", "set anonymous on", "-e", *calls)
    invite = peer.expect("INVITE")
    hides(invite, "tester")
    peer.respond(invite, 486)
    assert process.exit() == 5


def test_a_server_vouches_for_whoever_calls_by_it():
    server = Peer()
    called = answerer(*account(server), "-n", "1", env=SECRET)
    request = server.expect("REGISTER")
    ok(server, request)
    uri = re.search(r"<(.*?)>", request.get("contact"))[1]
    where = ("127.0.0.1", called.port())
    server.call(where, 9, uri=uri, p_asserted_identity="<tel:+49-30-123>",
                **{"from": ANONYMOUS + ";tag=1"})  # fmt: skip
    event = called.event("call.incoming", asserted="tel:+49-30-123", anonymous=True)
    assert event["from"] == "sip:anonymous@anonymous.invalid"
    assert (event["peer"], event["display"]) == ("tel:+49-30-123", None)
    called.signal(2)
    server.respond(server.expect("BYE"), 200)
    server.respond(server.expect("REGISTER"), 200)
    assert called.exit() == 0


def test_a_ping_is_anonymous_as_calls_are():
    peer = Peer()
    process = start("--anonymous", "-e", f"ping {peer.uri('bob')}")
    asked = peer.expect("OPTIONS")
    assert asked.get("from").startswith("<sip:anonymous@anonymous.invalid>;tag=")
    assert asked.get("privacy") == "id" and "@" not in asked.get("call-id")
    assert "tester" not in str(asked)
    peer.respond(asked, 200)
    process.exit()


def test_who_asks_anonymously_is_told_what_would_become_of_a_call():
    peer = Peer()
    called = answerer("--reject-anonymous")
    where = ("127.0.0.1", called.port())
    peer.request("OPTIONS", where, **{"from": ANONYMOUS + ";tag=1"})
    peer.expect(433)
    peer.request("OPTIONS", where)
    peer.expect(200)
