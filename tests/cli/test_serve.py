"""`kg serve`: begins where it may, says where it listens, ends on SIGTERM."""

from __future__ import annotations

import re
import signal
import socket
import urllib.request
from pathlib import Path

from tests.cli.conftest import Run, start


def test_serves_until_sigterm(place: Path) -> None:
    """With a token it begins with an empty store; the URL is told once it answers."""
    process = start("serve", "--port", "0", "--token", "secret")
    assert process.stderr is not None
    try:
        told = process.stderr.readline()
        url = re.search(r"http://\S+", told)
        assert url, told
        with urllib.request.urlopen(f"{url[0]}healthz", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")
    assert Path("kg-store/store.json").is_file()


def test_a_taken_port_is_told(kg: Run, built: Path) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = kg("serve", "--port", str(taken.getsockname()[1]))
    assert answer.code == 2
    assert "--port" in answer.err
