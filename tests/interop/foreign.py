"""Codecs of others: payloads of RTP from a file with speech and back, by the tools that Debian has.

FFmpeg for G.722, which it has from the Recommendation itself; SoX for GSM (libgsm), L16 and LPC-10;
opus-tools for Opus, with a few lines for the Ogg around it (RFC 3533, RFC 7845)."""

import struct
import subprocess
from collections import namedtuple

Form = namedtuple("Form", "payload_type name clock packet_bytes packet_ms")
FORMS = {
    "g722": Form(9, "G722/8000", 8000, 160, 20),
    "gsm": Form(3, "GSM/8000", 8000, 66, 40),  # two frames
    "l16": Form(96, "L16/16000", 16000, 640, 20),
    "lpc10": Form(7, "LPC/8000", 8000, 14, 45),
    "opus": Form(96, "opus/48000/2", 48000, None, 20),
}
RAW_L16 = ["-t", "raw", "-e", "signed", "-b", "16", "-B"]
KINDS = {"gsm": (["-t", "gsm"], 8000), "l16": (RAW_L16, 16000), "lpc10": (["-t", "lpc10"], 8000)}

LAST_PAGE = 4
LACED_MAX = 255


def run(*argv):
    done = subprocess.run([*map(str, argv)], stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, (argv, done.stderr)


def ffmpeg(*argv):
    run("ffmpeg", "-loglevel", "error", "-y", *argv)


def encode(codec, wav, folder):
    """The payloads of a file, as FORMS has their packets."""
    coded = folder / f"{codec}.foreign"
    if codec == "g722":
        ffmpeg("-i", wav, "-ar", 16000, "-ac", 1, "-c:a", "g722", "-f", "g722", coded)
    elif codec == "opus":
        run("opusenc", "--quiet", "--downmix-mono", "--framesize", 20, "--bitrate", 32, wav, coded)
        return ogg_packets(coded.read_bytes())[2:]  # after what they are, and the comments
    else:
        kind, rate = KINDS[codec]
        run("sox", "-D", wav, "-r", rate, "-c", 1, *kind, coded)
    data, size = coded.read_bytes(), FORMS[codec].packet_bytes
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def decode(codec, payloads, wav):
    """Writes what the payloads hold."""
    coded = wav.with_suffix(".coded")
    coded.write_bytes(ogg_file(payloads) if codec == "opus" else b"".join(payloads))
    if codec == "g722":
        ffmpeg("-f", "g722", "-i", coded, wav)
    elif codec == "opus":
        run("opusdec", "--quiet", "--rate", 48000, coded, wav)
    else:
        kind, rate = KINDS[codec]
        run("sox", "-D", *kind, "-r", rate, "-c", 1, coded, "-e", "signed", "-b", 16, wav)


def ogg_packets(data):
    """All packets of a file with one stream: a lacing value of less than 255 ends one."""
    packets, packet, at = [], b"", 0
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for size in lacing:
            packet += data[at : at + size]
            at += size
            if size < LACED_MAX:
                packets.append(packet)
                packet = b""
    return packets


def ogg_crc(data):
    """Of 32 bits, by the polynomial 0x04c11db7, the highest bit first (RFC 3533, section 6)."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def ogg_page(packet, number, granule, flags):
    """One packet, as a page of its own."""
    lacing = bytes([LACED_MAX] * (len(packet) // LACED_MAX) + [len(packet) % LACED_MAX])
    head = b"OggS" + struct.pack("<BBqIIIB", 0, flags, granule, 1, number, 0, len(lacing))
    crc = ogg_crc(head + lacing + packet)
    return head[:22] + struct.pack("<I", crc) + head[26:] + lacing + packet


def ogg_file(payloads, samples=960):
    """Opus packets of that many samples each, mono."""
    what = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    comments = b"OpusTags" + struct.pack("<I4sI", 4, b"test", 0)
    pages = [ogg_page(what, 0, 0, 2), ogg_page(comments, 1, 0, 0)]
    for n, payload in enumerate(payloads):
        last = LAST_PAGE if n == len(payloads) - 1 else 0
        pages.append(ogg_page(payload, n + 2, (n + 1) * samples, last))
    return b"".join(pages)


def capture(form, payloads):
    """A capture file (libpcap's, of Ethernet) of these as RTP over UDP, in their time; SIPp puts in
    its own addresses."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    ticks = form.clock * form.packet_ms // 1000
    for n, payload in enumerate(payloads):
        rtp = struct.pack("!BBHII", 0x80, form.payload_type, n + 1, n * ticks, 0x51BB) + payload
        udp = struct.pack("!HHHH", 4000, 4000, 8 + len(rtp), 0) + rtp
        home = bytes([127, 0, 0, 1])
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0, home, home)
        frame = bytes(12) + b"\x08\x00" + ip + udp
        seconds, us = divmod(n * form.packet_ms * 1000, 1_000_000)
        parts.append(struct.pack("<IIII", seconds, us, len(frame), len(frame)) + frame)
    return b"".join(parts)
