"""Sound devices for the tests where there is no sound card: a PulseAudio of our own.

Each end has a microphone and a loudspeaker: what is played into the sink mic is what the program
hears, and what the program plays can be recorded from the sink spk. With several ends, their names
are put behind: mic_a, spk_a.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from phone import Late, Process, alive, environment

RATE = 48000

# norewinds: else a callback may stand still for seconds
PIECES = """
load-module module-null-sink sink_name={spk} rate=48000 channels=2 norewinds=1
load-module module-null-sink sink_name={mic} rate=48000 channels=1 norewinds=1
load-module module-remap-source source_name={mic}_source master={mic}.monitor
"""
WHOLE = """
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
set-default-sink {spk}
set-default-source {mic}_source
"""
ALSA = """
pcm.!default {{ type pulse server "unix:{socket}" hint {{ show on description "{name}" }} }}
ctl.!default {{ type pulse server "unix:{socket}" }}
"""


class Sound:
    """A daemon, from start() to stop(); it may be started again, as if it had been plugged in."""

    def __init__(self, *ends):
        self.folder = Path(tempfile.mkdtemp(prefix="sound."))
        self.socket = self.folder / "native"
        self.ends = [f"_{end}" for end in ends] or [""]
        script = "".join(PIECES.format(spk=f"spk{end}", mic=f"mic{end}") for end in self.ends)
        first = self.ends[0]
        script += WHOLE.format(spk=f"spk{first}", mic=f"mic{first}", socket=self.socket)
        (self.folder / "script.pa").write_text(script)
        (self.folder / "client.conf").write_text("autospawn = no\n")
        (self.folder / "asound.conf").write_text(ALSA.format(socket=self.socket, name="virtual"))
        self.daemon = None
        alive.append(self)
        self.start()

    @property
    def env(self):
        return self.env_of(self.ends[0].lstrip("_"))

    def env_of(self, end):
        """The environment of a program whose devices are those of that end."""
        end = f"_{end}" if end else ""
        home = str(self.folder)
        return environment(
            HOME=home, XDG_RUNTIME_DIR=home, PULSE_RUNTIME_PATH=home, PULSE_STATE_PATH=home,
            PULSE_CLIENTCONFIG=f"{home}/client.conf", PULSE_SERVER=f"unix:{self.socket}",
            ALSA_CONFIG_PATH=f"{home}/asound.conf", DBUS_SESSION_BUS_ADDRESS="/dev/null",
            PULSE_SINK=f"spk{end}", PULSE_SOURCE=f"mic{end}_source",
        )  # fmt: skip

    def start(self):
        options = ["--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        options += ["--disallow-exit=yes", "--realtime=no", "--high-priority=no"]
        script = self.folder / "script.pa"
        self.daemon = Process(["pulseaudio", "-n", "-F", script, *options], env=self.env)
        end = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > end:
                raise Late("PulseAudio does not answer")
            time.sleep(0.02)

    def _answers(self):
        if not self.socket.exists():
            return False
        info = subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False)
        return info.returncode == 0

    def stop(self):
        self.daemon.close()
        self.socket.unlink(missing_ok=True)

    def play(self, path, sink="mic"):
        """Plays a file into a sink; the process, which ends with it."""
        return Process(["paplay", "--latency-msec=20", "-d", sink, path], env=self.env)

    @contextlib.contextmanager
    def record(self, sink="spk"):
        """Records a sink while the block runs, which gets the path of the WAV file."""
        path = self.folder / f"{sink}.{time.monotonic_ns()}.wav"
        argv = ["parec", "-d", f"{sink}.monitor", "--file-format=wav", "--format=s16le"]
        argv += [f"--rate={RATE}", "--channels=1", "--latency-msec=10", path]
        recorder = Process(argv, env=self.env)
        end = time.monotonic() + 5
        while not path.exists() or path.stat().st_size < 1000:  # it has begun
            if time.monotonic() > end:
                raise Late(f"nothing is recorded of {sink}\n{recorder.report()}")
            time.sleep(0.01)
        try:
            yield path
        finally:
            recorder.popen.terminate()
            recorder.exit(5)

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def report(self):
        return f"PulseAudio in {self.folder}, pid {os.getpid()}'s"
