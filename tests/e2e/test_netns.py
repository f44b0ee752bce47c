"""Two phones on two hosts of a network that is made for them: netns.py itself."""

from netns import Net
from phone import answerer, caller


def test_two_hosts_call_each_other_by_a_cable():
    one, other = Net(), Net()
    one.join("left", other, "right")
    one.ip("address add 192.0.2.1/24 dev left")
    other.ip("address add 192.0.2.2/24 dev right")
    far = answerer("-n", "1", listen="udp:192.0.2.2:5060", mic="tone:440", within=other)
    far.event("listening")
    near = caller("sip:x@192.0.2.2", "-d", "0.2", mic="tone:1000", within=one)
    assert (near.exit(), far.exit()) == (0, 0)
    assert near.ended()["received"] > 5 and far.ended()["received"] > 5
    assert far.event("call.media")["address"].startswith("192.0.2.1:")
    with other.socket() as inside:
        inside.bind(("192.0.2.2", 0))  # which only that host has
