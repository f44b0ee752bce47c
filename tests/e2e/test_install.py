"""What `meson install` puts where, below any prefix and staged anywhere."""

import os
import subprocess

from phone import ROOT, SIPCALL, Process, environment

PLACES = [
    "bin/sipcall",
    "share/applications/sipcall.desktop",
    "share/bash-completion/completions/sipcall",
    "share/fish/vendor_completions.d/sipcall.fish",
    "share/zsh/site-functions/_sipcall",
]


def test_all_is_installed_where_it_is_looked_for(tmp_path):
    subprocess.run(
        ["meson", "install", "-C", os.path.dirname(SIPCALL), "--no-rebuild", "--quiet"],
        env=environment(DESTDIR=str(tmp_path)),
        check=True,
        timeout=20,
    )
    prefix = tmp_path / "usr/local"
    there = {str(path.relative_to(prefix)) for path in tmp_path.rglob("*") if path.is_file()}
    pages = {f"share/man/man{page.suffix[1:]}/{page.name}" for page in ROOT.glob("man/*.?")}
    shared = {
        str(path.relative_to(ROOT))
        for path in ROOT.glob("share/sipcall/**/*")
        if path.is_file()
    }
    assert there == {*PLACES, *pages, *shared}
    assert Process([prefix / "bin/sipcall", "--version"]).exit() == 0


def test_the_desktop_entry_is_valid():
    checked = subprocess.run(
        ["desktop-file-validate", ROOT / "share/sipcall.desktop"], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
