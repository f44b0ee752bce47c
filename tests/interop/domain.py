"""A domain with a server of its own, Kamailio at port 5060 of an address in a network of netns.py."""

from pathlib import Path

from kamailio import Kamailio


class Domain(Kamailio):
    config = Path(__file__).with_name("domain.cfg")

    def __init__(self, name, address, within, moved="", follows=True):
        super().__init__()
        self.domain = name
        self.address = address
        self.port = 5060
        self.within = within
        self.moved = moved
        self.follows = follows

    def values(self):
        return {"DOMAIN": self.domain, "ADDRESS": self.address, "MOVED": self.moved,
                "FOLLOWS": "yes" if self.follows else "no"}  # fmt: skip

    @property
    def records(self):
        """What dnsmasq is to tell of it."""
        return [
            f"--host-record=sip.{self.domain},{self.address}",
            f"--srv-host=_sip._udp.{self.domain},sip.{self.domain},5060,10,60",
        ]
