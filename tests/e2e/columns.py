"""What a sniffer saw, drawn as a ladder with a column for each of those who took part."""

WIDTH = 15  # from column to column


def label(message):
    """ "INVITE", "302 Moved": what fits between two columns."""
    words = message.start.split(" ")
    text = words[0] if words[0] != "SIP/2.0" else " ".join(words[1:])
    room = WIDTH - 5
    return text if len(text) <= room else text[:room].rsplit(" ", 1)[0]


def row(count, ends, text, when, line="─"):
    """An arrow between the columns numbered ends, over those that lie between."""
    left, right = min(ends), max(ends)
    cells = ["│" if i % WIDTH == 0 else " " for i in range((count - 1) * WIDTH + 1)]
    inner = (right - left) * WIDTH - 1
    if ends[0] < ends[1]:
        arrow = f" {text} ".ljust(inner - 1, line) + "▶"
    else:
        arrow = "◀" + f" {text} ".rjust(inner - 1, line)
    cells[left * WIDTH + 1 : right * WIDTH] = arrow
    return f"    {''.join(cells)} {when:8.3f}"


def head(names):
    spots = [" "] * ((len(names) - 1) * WIDTH + WIDTH)
    for i, name in enumerate(names):
        begin = max(0, i * WIDTH + 4 - len(name) // 2)
        spots[begin : begin + len(name)] = name
    return "".join(spots).rstrip()


def draw(wire, names):
    """Lines; names: of each host whose address is a key, from left to right. Of calls only; of their
    RTP, the first packet from each to each."""
    hosts = list(names)
    lines, sounds, begin = [head(list(names.values()))], set(), None
    sip = {id(it): message for it, message in wire.sip if message.cseq[1] != "REGISTER"}
    rtp = {id(it) for it in wire.rtp}
    for it in list(wire.datagrams):
        ends = [hosts.index(end.split(":")[0]) for end in it[:2] if end.split(":")[0] in names]
        if len(ends) < 2 or not (id(it) in sip or id(it) in rtp and tuple(ends) not in sounds):
            continue
        begin = it.time if begin is None else begin
        if id(it) in sip:
            lines.append(row(len(hosts), ends, label(sip[id(it)]), it.time - begin))
        else:
            sounds.add(tuple(ends))
            lines.append(row(len(hosts), ends, "RTP", it.time - begin, "═"))
    return lines
