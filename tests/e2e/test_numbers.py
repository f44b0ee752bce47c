"""Telephone numbers: what they become by an account, and those that call for help."""

import pytest

from phone import SIPCALL, Peer, Terminal, caller, environment, run, text_caller
from test_accounts import HERE

SECRET = environment(SIPCALL_PASSWORD="secret")
WARNING = "{} is an emergency number, and this is no telephone for that: nobody is told where you are"


@pytest.fixture
def config(tmp_path):
    """A configuration with rules, and the server of its account."""

    def make(*lines):
        server = Peer()
        path = tmp_path / "sipcall.conf"
        head = ["[account work]", "address = alice@sip.test", f"registrar = {server.host}"]
        path.write_text("\n".join([*head, *lines]) + "\n")
        return server, ["-c", str(path)]

    return make


def asked(server, target, config):
    """Whom the server is asked for, in Request-URI and To."""
    near = caller(target, *config, env=SECRET)
    invite = server.expect("INVITE")
    server.respond(invite, 486)
    assert near.exit() == 5
    uri = invite.start.split(" ")[1]
    assert invite.get("to") == f"<{uri}>"
    return uri


def test_numbers_become_the_account_s(config):
    server, config = config("dial = 9. -> .", "dial = *8 -> voicemail", "country_code = 49")
    for typed, uri in [
        ("0171 234-5", "sip:+491712345@sip.test;user=phone"),
        ("+44 (0)20 7946", "sip:+44207946@sip.test;user=phone"),
        ("tel:+49-30-123;ext=4", "sip:+4930123;ext=4@sip.test;user=phone"),
        ("tel:7042;phone-context=example.org",
         "sip:7042;phone-context=example.org@sip.test;user=phone"),
        ("9 100", "sip:100@sip.test"),
        ("*8", "sip:voicemail@sip.test"),
        ("bob", "sip:bob@sip.test"),
    ]:  # fmt: skip
        assert asked(server, typed, config) == uri


def test_a_number_can_be_looked_at(config):
    _, config = config("dial = 9. -> .", "country_code = 49")
    numbers = ["0171 234-5", "9 100", "bob", "112"]
    commands = [word for number in numbers for word in ("-e", f"number {number}")]
    code, process = run(*HERE, *config, *commands, env=SECRET)
    assert code == 0, process.report()
    assert process.out.lines[1:] == [
        "sip:+491712345@sip.test;user=phone   by 0. -> +49.",
        "sip:100@sip.test   by 9. -> .",
        "sip:bob@sip.test",
        "sip:112@sip.test",
    ]


@pytest.mark.parametrize("number", ["0171 234-5", "tel:+49-30", "+4930"])
def test_without_an_account_nobody_dials_it(number):
    code, process = run(number)
    assert code == 2
    assert process.err.lines[0] == (
        "sipcall: a number needs an account that dials it (--account), or a host: sip:NUMBER@HOST"
    )
    assert process.err.lines[1:] == [f"  {number}", "  ^"]


def test_a_mistake_in_a_rule_has_its_place(config):
    _, config = config("dial = 0. -> +49.", "dial = 9[5-2]. -> .", "dial = x")
    code, process = run(*config, "--check-config")
    assert code == 2
    rest = process.err.text.split("sipcall.conf:5: ", 1)[1]
    assert rest.startswith("dial: a range goes up, as in [2-9]\n  9[5-2]. -> .\n     ^\n")
    code, process = run("bob", *config)
    assert code == 2
    assert process.err.lines[0].endswith("as in [2-9] (and 1 more; --check-config shows them all)")
    assert process.err.lines[1:] == ["  9[5-2]. -> .", "     ^"]


@pytest.mark.parametrize(
    "typed, number, uri",
    [
        ("112", "112", "sip:112@sip.test"),
        ("110", "110", "sip:110@sip.test"),
        ("0112", "112", "sip:112@sip.test"),  # what a rule makes is one, too
        ("tel:112", "112", "sip:112@sip.test;user=phone"),
        ("19222", "19222", "sip:19222@sip.test"),
        ("112@sip.test", "112", "sip:112@sip.test"),
    ],
)
def test_a_number_that_calls_for_help_goes_its_way_unchanged(config, typed, number, uri):
    server, config = config(
        "dial = 1. -> 9.", "dial = 0. -> .", "country_code = 49", "emergency = 19 222"
    )  # fmt: skip
    near = text_caller(typed, *config, env=SECRET)
    invite = server.expect("INVITE")
    assert invite.start == f"INVITE {uri} SIP/2.0"
    server.respond(invite, 486)
    assert near.exit() == 5
    assert near.out.lines[0].startswith("note      " + WARNING.format(number))
    assert near.out.lines[1].startswith("calling   ")


def test_others_do_not():
    peer = Peer()
    near = text_caller(peer.uri("1120"))
    peer.respond(peer.expect("INVITE"), 486)
    assert near.exit() == 5
    assert "emergency" not in near.out.text
    near = text_caller(peer.uri("112"))  # without an account, too
    peer.respond(peer.expect("INVITE"), 486)
    assert near.exit() == 5
    assert WARNING.format(112) in near.out.lines[0]


def test_a_contact_may_be_a_number(config):
    server, config = config("country_code = 49", "[contacts]", "bob = 0171 234-5")
    assert asked(server, "bob", config) == "sip:+491712345@sip.test;user=phone"


@pytest.mark.parametrize("typed", ["call 0171 234-5", "0171 234-5", "+49 171 2345", "tel:0171-2345"])
def test_a_number_is_typed_as_it_is_written(config, typed):
    server, config = config("register = no", "country_code = 49")
    terminal = Terminal([SIPCALL, *HERE, "-i", "silence", "-o", "null", *config], env=SECRET)
    terminal.shows("> ")
    terminal.type(typed.encode() + b"\r")
    invite = server.expect("INVITE")
    assert invite.start.split(" ")[1] == "sip:+491712345@sip.test;user=phone"
    server.respond(invite, 486)
    server.expect("ACK")
    terminal.type(b"quit\r")
    assert terminal.exit() == 0
