"""What disks, power cuts and people do to files: functions from the content of one to another."""

from collections.abc import Callable


def flip(content: bytes) -> bytes:
    """One bit in the middle is another: in an archive, one of the data of an array."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "overwritten": lambda content: b"\xff" * 500,
    "flipped": flip,
    "object": lambda content: b"{}",
    "list": lambda content: b"[]",
    "deep": lambda content: b"[" * 100_000,
}
