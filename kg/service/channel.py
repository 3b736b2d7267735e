"""Messages between the processes of the service, with open files handed over beside them."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LARGEST", "Channel", "Message", "close_all_but"]

LARGEST = 60_000
"""Most bytes that a message carries beside its fields."""

_BUFFER = 65_536
_MOST_FILES = 4
_MOST_OPEN = 65_536


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its fields, bytes beside them, and descriptors of open files, which now belong to the receiver."""

    fields: dict[str, Any]
    payload: bytes
    files: tuple[int, ...]


class Channel:
    """One end of a pair; messages arrive whole and in order, and the end of the other process is seen at once."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Both ends of a new channel."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    @classmethod
    def of(cls, descriptor: int) -> Channel:
        """The end that was handed over as an open file."""
        return cls(socket.socket(fileno=descriptor))

    def fileno(self) -> int:
        """For selectors."""
        return self.socket.fileno()

    def send(self, fields: dict[str, Any], payload: bytes = b"", files: Sequence[int] = ()) -> bool:
        """Sends one message; False where the other end is gone."""
        try:
            socket.send_fds(self.socket, [json.dumps(fields).encode(), b"\n", payload], files)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self) -> Message | None:
        """The next message; None when the other end is gone."""
        try:
            data, files, _, _ = socket.recv_fds(self.socket, _BUFFER, _MOST_FILES)
        except ConnectionResetError:
            return None
        if not data:
            return None
        fields, _, payload = data.partition(b"\n")
        return Message(json.loads(fields), payload, tuple(files))

    def close(self) -> None:
        """Closes this end."""
        self.socket.close()


def close_all_but(kept: Sequence[int]) -> None:
    """Closes what a fork inherited, standard streams aside, so that no connection stays open in a process that doesn't serve it."""
    before = 2
    for descriptor in sorted({*kept, _MOST_OPEN}):
        os.closerange(before + 1, descriptor)
        before = descriptor
