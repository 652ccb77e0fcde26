"""The README's commands, so that tests and continuous integration run what the README says and nothing else.

    <!-- run: NAME -->      before a bash block: commands
    <!-- file: NAME -->     before any block: contents of a file
    <!-- output: NAME -->   before any block: part of what those commands print

`python tests/readme_blocks.py NAME` prints the commands of one block.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FENCE = re.compile(
    r"(?:<!-- (?P<kind>run|file|output): (?P<name>\S+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    kind: str | None  # "run", "file", "output", or None where the README only shows something
    name: str
    language: str
    text: str


def blocks(path: Path = ROOT / "README.md") -> list[Block]:
    """Every fenced block, in order."""
    matches = _FENCE.finditer(path.read_text(encoding="utf-8"))
    return [Block(m["kind"], m["name"] or "", m["language"], m["text"]) for m in matches]


if __name__ == "__main__":
    (found,) = (block for block in blocks() if (block.kind, block.name) == ("run", sys.argv[1]))
    print(found.text, end="")
