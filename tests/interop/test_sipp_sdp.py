"""Descriptions: several lines and their order, directions, payload types, packet times, attributes,
and answers that are not what they should be."""

import re
import socket

import pytest

from phone import Media
from sipp_end import they_call, we_call


@pytest.mark.parametrize(
    "scenario",
    [
        "offers-sound-and-video", "offers-video-and-sound", "offers-two-sounds",
        "offers-another-transport", "names-no-static-type",
    ],
)  # fmt: skip
def test_lines_keep_their_places(scenario, tmp_path):
    near, far = they_call(tmp_path, scenario)
    offer, answer = near.messages("sent", "INVITE")[0], near.messages("received", 200)[0]
    assert kinds(answer) == kinds(offer)
    assert far.event("call.media")["codec"] == "pcmu"


def kinds(message):
    return re.findall(rb"^m=(\w+) \d+ (\S+)", message.body, re.MULTILINE)


def test_a_dynamic_type_is_numbered_as_the_offerer_does(tmp_path):
    media = Media()
    _, far = they_call(
        tmp_path, "numbers-opus-its-own-way", codecs="opus", keys={"rtp": media.port}
    )
    assert far.event("call.media")["codec"] == "opus"
    assert far.event("call.media")["payload_type"] == 121


def test_a_call_may_begin_held(tmp_path):
    near, far = they_call(tmp_path, "calls-held-for-the-session")
    assert far.ended()["sent"] <= 1  # RTCP has its own count


def test_a_line_s_address_wins(tmp_path):
    media = Media()
    _, far = they_call(tmp_path, "calls-with-an-address-a-line", keys={"rtp": media.port})
    assert len(media.packets) >= 10
    assert far.event("call.media")["address"] == f"127.0.0.1:{media.port}"


def test_rtcp_may_go_with_rtp(tmp_path):
    near, _ = they_call(tmp_path, "muxes")
    assert b"a=rtcp-mux\r\n" in near.messages("received", 200)[0].body


def test_rtcp_goes_where_the_far_end_wants_it(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp:
        rtcp.bind(("127.0.0.1", 0))
        rtcp.settimeout(2)
        they_call(
            tmp_path, "names-its-rtcp-port", phone=("-d", "0.4"),
            keys={"rtcp": rtcp.getsockname()[1]},
        )  # fmt: skip
        kinds = [packet[1] for packet in split(rtcp.recv(2000))]
    assert kinds[0] in (200, 201) and kinds[-1] == 203  # a report, and the goodbye at the end


def split(compound):
    """The packets of a compound one (RFC 3550, section 6.1)."""
    while len(compound) >= 4:
        size = 4 * (int.from_bytes(compound[2:4], "big") + 1)
        yield compound[:size]
        compound = compound[size:]


@pytest.mark.parametrize("scenario", ["offers-nothing-common", "offers-only-another-transport"])
def test_a_refusal_tells_what_we_can(scenario, tmp_path):
    near, far = they_call(tmp_path, scenario, codecs="pcmu,pcma")
    body = near.messages("received", 488)[0].body
    assert re.search(rb"^m=audio 0 RTP/AVP 0 8\r$", body, re.MULTILINE)
    assert b"a=rtpmap:8 PCMA/8000" in body
    assert far.ended()["code"] == 488


def test_nothing_offered_is_488(tmp_path):
    _, far = they_call(tmp_path, "offers-no-port")
    assert far.ended()["code"] == 488


SIZES = {
    "wants-packets-of-40-ms": 320,
    "wants-packets-of-30-ms": 240,
    "takes-packets-of-20-ms-at-most": 160,
}


@pytest.mark.parametrize("scenario", SIZES)
def test_packets_are_as_long_as_is_wanted(scenario, tmp_path):
    media = Media()
    they_call(tmp_path, scenario, keys={"rtp": media.port})
    assert {len(packet.payload) for packet in media.packets} == {SIZES[scenario]}
    steps = [(b.ts - a.ts) & 0xFFFFFFFF for a, b in zip(media.packets, media.packets[1:])]
    assert set(steps) == {SIZES[scenario]}


def heard_by(folder, scenario, codecs, **how):
    media = Media()
    far, near = we_call(
        folder, scenario, codecs=codecs, phone=("-d", "0.3"), keys={"rtp": media.port}, **how
    )
    return far, near, media.packets


@pytest.mark.parametrize(
    "scenario", ["answers-with-more-than-was-offered", "answers-with-a-line-too-many"]
)
def test_an_answer_with_too_much_is_taken(scenario, tmp_path):
    _, near, packets = heard_by(tmp_path, scenario, "opus,pcmu")
    assert len(packets) >= 10
    assert {packet.pt for packet in packets} == {0}
    assert near.event("call.media")["codec"] == "pcmu"


def test_an_answer_s_number_for_an_offered_codec_is_used(tmp_path):
    _, near, packets = heard_by(tmp_path, "answers-with-a-number-of-its-own", "opus,pcmu")
    assert len(packets) >= 10
    assert {packet.pt for packet in packets} == {118}
    assert near.event("call.media")["codec"] == "opus"


@pytest.mark.parametrize(
    "scenario",
    ["answers-with-what-was-not-offered", "answers-without-a-line", "answers-with-port-0"],
)
def test_an_answer_with_nothing_to_talk_by_ends_the_call(scenario, tmp_path):
    far, near = we_call(tmp_path, scenario, phone=(), code=8)
    assert near.ended()["cause"] == "media"
    assert [message.kind for message in far.messages("received")] == ["INVITE", "ACK", "BYE"]


def test_a_refusal_s_wishes_are_told(tmp_path):
    _, near = we_call(tmp_path, "refuses-with-what-it-can", code=8)
    assert "g729" in near.ended()["words"]


def test_a_refusal_s_warning_is_told(tmp_path):
    _, near = we_call(tmp_path, "refuses-with-a-warning", code=8)
    assert "Incompatible media format" in near.ended()["words"]
