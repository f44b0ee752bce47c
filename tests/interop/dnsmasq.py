"""dnsmasq as the name server of the domain test."""

import getpass

from phone import Process, closed_port


class Dnsmasq(Process):
    """It knows of nothing else; on a free port, or at port 53 in a network of netns.py."""

    def __init__(self, *records, within=None, address="127.0.0.1"):
        port = 53 if within else closed_port()
        self.host = f"{address}:{port}"
        argv = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                "--no-hosts", "--local=/test/", "--local-ttl=60", f"--port={port}",
                f"--listen-address={address}", "--bind-interfaces", "--pid-file=", f"--user={getpass.getuser()}",
                "--log-facility=-", *records]  # fmt: skip
        super().__init__(within.command(*argv) if within else argv)
        self.line("started", stream=self.err)
