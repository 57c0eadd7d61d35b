"""Three-way merge by lines: the owner's changes to a file, and those of a newer template.

The result depends only on the three texts. No program runs and no configuration is read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

BOM = b"\xef\xbb\xbf"
OURS, BASE, MIDDLE, THEIRS = b"<<<<<<< ", b"||||||| ", b"=======", b">>>>>>> "
MARKERS = re.compile(rb"(?m)^(?:<<<<<<< |>>>>>>> )")

Lines = Sequence[bytes]
Edit = tuple[int, int, int, int]
"""``(start, end, side_start, side_end)``: which lines of the base changed, and which lines of one side replace them."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that the two sides changed differently. ``ours`` and ``theirs`` omit equal lines at the start and end."""

    base: Lines
    ours: Lines
    theirs: Lines


@dataclass(frozen=True, slots=True)
class Merge:
    """The result of a merge.

    :param chunks: The merged text, in order; each chunk is lines or a conflict.
    :param newline: The line ending of the owner's file.
    :param prefix: The byte order mark of the owner's file; empty if it has none.
    :param ends_in_newline: Whether the merged text ends in a newline.
    """

    chunks: tuple[Lines | Conflict, ...]
    newline: bytes
    prefix: bytes
    ends_in_newline: bool

    @property
    def conflicts(self) -> list[Conflict]:
        return [chunk for chunk in self.chunks if isinstance(chunk, Conflict)]

    def text(self) -> bytes:
        """Return the merged text.

        :raises ValueError: The merge has a conflict.
        """
        if self.conflicts:
            raise ValueError("there is a conflict")
        return self._joined(
            [line for chunk in self.chunks if not isinstance(chunk, Conflict) for line in chunk]
        )

    def marked(self, base: str, theirs: str) -> bytes:
        """Return the merged text, with conflict markers in the format of ``git merge-file --diff3``.

        :param base: The label of the base.
        :param theirs: The label of the new text.
        """
        lines: list[bytes] = []
        for chunk in self.chunks:
            if not isinstance(chunk, Conflict):
                lines += chunk
                continue
            labels = (OURS + b"yours", BASE + base.encode(), MIDDLE, THEIRS + theirs.encode())
            for label, side in zip(labels, (chunk.ours, chunk.base, chunk.theirs, ()), strict=True):
                lines += [label + self.newline, *side]
        return self._joined(lines)

    def _joined(self, lines: Lines) -> bytes:
        text = b"".join(lines)
        if not self.ends_in_newline:
            text = text.removesuffix(b"\n").removesuffix(b"\r")
        return self.prefix + text


def merge3(base: bytes, ours: bytes, theirs: bytes) -> Merge:
    """Merge the changes that *ours* and *theirs* made to *base*.

    The result has the line endings and the byte order mark of *ours*, the owner's file.
    """
    newline = newline_of(ours)
    prefix = BOM if ours.startswith(BOM) else b""
    raw = [line if line.endswith(b"\n") else line + newline for line in split_lines(ours.removeprefix(BOM))]
    base_lines, our_lines, their_lines = (_normal_lines(text) for text in (base, ours, theirs))

    def localized(lines: Lines) -> Lines:
        return [line[:-1] + newline for line in lines]

    chunks: list[Lines | Conflict] = []
    at = shift = 0  # a line of the base, and the offset of the same line in ours
    our_edits, their_edits = _edits(base_lines, our_lines), _edits(base_lines, their_lines)
    their_shift = 0
    while our_edits or their_edits:
        low = high = min(edits[0][0] for edits in (our_edits, their_edits) if edits)
        our_low, their_low = low + shift, low + their_shift
        touched_ours = touched_theirs = False
        # Adjacent edits form one chunk: without an unchanged line between them, their order is unknown.
        while True:
            if our_edits and our_edits[0][0] <= high:
                _, end, _, our_end = our_edits.pop(0)
                shift, touched_ours, high = our_end - end, True, max(high, end)
            elif their_edits and their_edits[0][0] <= high:
                _, end, _, their_end = their_edits.pop(0)
                their_shift, touched_theirs, high = their_end - end, True, max(high, end)
            else:
                break
        our_high, their_high = high + shift, high + their_shift
        chunks.append(raw[at + our_low - low : our_low])
        same = our_lines[our_low:our_high] == their_lines[their_low:their_high]
        if same or not touched_theirs:
            chunks.append(raw[our_low:our_high])
        elif not touched_ours:
            chunks.append(localized(their_lines[their_low:their_high]))
        else:
            top, bottom = _equal_edges(our_lines[our_low:our_high], their_lines[their_low:their_high])
            chunks += [
                raw[our_low : our_low + top],
                Conflict(
                    base=localized(base_lines[low:high]),
                    ours=raw[our_low + top : our_high - bottom],
                    theirs=localized(their_lines[their_low + top : their_high - bottom]),
                ),
                raw[our_high - bottom : our_high],
            ]
        at = high
    chunks.append(raw[at + shift :])
    ends = [text.endswith(b"\n") for text in (base, ours, theirs)]
    return Merge(
        tuple(chunk for chunk in chunks if isinstance(chunk, Conflict) or chunk),
        newline,
        prefix,
        ends_in_newline=ends[1] if ends[1] != ends[0] else ends[2],
    )


def whole_conflict(base: bytes, ours: bytes, theirs: bytes) -> Merge:
    """Return a merge with one conflict that contains all lines of the three texts."""
    newline = newline_of(ours)
    base_lines, our_lines, their_lines = (
        [line[:-1] + newline for line in _normal_lines(text)] for text in (base, ours, theirs)
    )
    return Merge(
        (Conflict(base_lines, our_lines, their_lines),),
        newline,
        BOM if ours.startswith(BOM) else b"",
        ends_in_newline=ours.endswith(b"\n"),
    )


def similarity(one: bytes, other: bytes) -> float:
    """Return the ratio of equal lines in two texts, from 0 to 1."""
    return difflib.SequenceMatcher(None, _normal_lines(one), _normal_lines(other), autojunk=False).ratio()


def split_lines(text: bytes) -> list[bytes]:
    """Return the lines of *text* with their endings. Only ``\\n`` ends a line."""
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def newline_of(text: bytes) -> bytes:
    """Return the line ending of most lines of *text*."""
    return b"\r\n" if text.count(b"\r\n") * 2 > text.count(b"\n") else b"\n"


def normalized(text: bytes) -> bytes:
    """Return *text* without a byte order mark and with ``\\n`` as line endings. Editors and Git change both."""
    return text.removeprefix(BOM).replace(b"\r\n", b"\n")


def in_the_style_of(owner: bytes, text: bytes) -> bytes:
    """Return *text*, whose lines end in ``\\n``, with the line endings and the byte order mark of *owner*."""
    prefix = BOM if owner.startswith(BOM) else b""
    return prefix + text.replace(b"\n", newline_of(owner))


def has_markers(text: bytes) -> bool:
    """Return whether *text* has conflict markers."""
    return MARKERS.search(text) is not None


def _normal_lines(text: bytes) -> list[bytes]:
    text = normalized(text)
    return split_lines(text if text.endswith(b"\n") or not text else text + b"\n")


def _edits(base: Lines, side: Lines) -> list[Edit]:
    # The matcher is slow, and most files have equal lines at the start and end.
    top, bottom = _equal_edges(base, side)
    matcher = difflib.SequenceMatcher(
        None, base[top : len(base) - bottom], side[top : len(side) - bottom], autojunk=False
    )
    return [
        (i1 + top, i2 + top, j1 + top, j2 + top)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _equal_edges(one: Lines, other: Lines) -> tuple[int, int]:
    """Return how many lines are equal at the start, and how many of the rest are equal at the end."""
    shorter = min(len(one), len(other))
    top = 0
    while top < shorter and one[top] == other[top]:
        top += 1
    bottom = 0
    while bottom < shorter - top and one[-1 - bottom] == other[-1 - bottom]:
        bottom += 1
    return top, bottom
