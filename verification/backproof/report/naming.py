"""What a report's file is called: `my_conv.py:Net` becomes `my_conv-Net`.

A name is safe on every operating system: letters, digits, `.`, `_`, `-`, `,` and at most 80 characters.  Where that
loses something (a folder, another character, length), a digest of the whole target keeps different targets apart.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import PureWindowsPath

_LONGEST = 80
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # no file on Windows may be called so


def stem(target: str) -> str:
    """File name of the report on `target`, without its suffix; the same for the same target."""
    place, colon, attribute = _split(target)
    name = PureWindowsPath(place).name  # both / and \ separate folders
    wanted = name.removesuffix(".py") + (f"-{attribute}" if colon else "")
    safe = re.sub(r"[^A-Za-z0-9._,-]+", "_", wanted).strip(".")[:_LONGEST]
    if not safe or _DEVICE.match(safe):
        safe = f"target-{safe}".rstrip("-.")
    return safe if safe == wanted and name == place else f"{safe}-{sha256(target.encode()).hexdigest()[:8]}"


def _split(target: str) -> tuple[str, str, str]:
    """Where it is and what in it: at the last colon, unless that is the one of a drive, `C:\\conv.py`."""
    place, colon, attribute = target.rpartition(":")
    if not colon or "/" in attribute or "\\" in attribute:
        return target, "", ""
    return place, colon, attribute
