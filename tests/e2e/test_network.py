"""The address of this machine changes under a phone: its calls live on, and others are told."""

import pytest

import tones
from netns import Net, Phone

FAR = "10.77.9.9"  # of the far end, by whichever cable


@pytest.fixture
def nets():
    """A machine that has one of two cables to another at a time."""
    near, far = Net(), Net()
    far.ip(f"addr add {FAR}/32 dev lo")
    for way in (1, 2):
        near.join(f"n{way}", far, f"f{way}")
        far.ip(f"addr add 10.77.{way}.2/24 dev f{way}")
    plug(near, 1)
    return near, far


def plug(near, way):
    near.ip(f"addr add 10.77.{way}.1/24 dev n{way}")
    near.ip(f"route replace {FAR} via 10.77.{way}.2")


def unplug(near, way):
    near.ip(f"addr del 10.77.{way}.1/24 dev n{way}")


def change(near, before, now):
    unplug(near, before)
    plug(near, now)


def has_tone(path, hz, after_s):
    """Whether a recording has that tone later than that."""
    return any(
        burst.hz == hz and burst.start + burst.length > after_s for burst in tones.bursts(path, [hz])
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_goes_on_from_another_address(nets, tmp_path, transport):
    near, far = nets
    there = Phone(
        far, "--answer", "-n", "1", "-l", f"{transport}:{FAR}:5060", "-i", "tone:440",
        "-o", f"file:{tmp_path}/there.wav",
    )  # fmt: skip
    there.event("listening")
    here = Phone(
        near, "-i", "tone:880", "-o", f"file:{tmp_path}/here.wav", "--codecs", "pcmu", "-d", "3",
        f"sip:x@{FAR};transport={transport}",
    )  # fmt: skip
    here.event("call.answered")
    assert there.event("call.answered")["address"].startswith("10.77.1.1:")

    change(near, 1, 2)
    told = here.event("network.changed")
    assert (told["addresses"], told["added"], told["removed"]) == (
        ["10.77.2.1"], ["10.77.2.1"], ["10.77.1.1"]
    )  # fmt: skip
    assert there.event("call.media", nth=2)["address"].startswith("10.77.2.1:")
    assert there.ended()["cause"] == "remote"
    assert there.exit() == here.exit() == 0
    for end, name, hz in ((here, "here", 440), (there, "there", 880)):
        assert end.ended()["received"] > 110  # of 150; what was on the cable is lost
        assert has_tone(tmp_path / f"{name}.wav", hz, 2.5)
    assert not here.having("error") and not there.having("error")
