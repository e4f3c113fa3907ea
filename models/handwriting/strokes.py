"""Handwriting from glyphs.py: jittered, slanted, rounded pen strokes, as line segments in the 28 by 28 input frame."""

import numpy as np
from glyphs import GLYPHS, LABELS

SIZE = 28
BOX = 20  # the glyph's longer side, as demo/src/draw/ink.ts scales it
POINTS = 24  # per Bézier piece


def _pieces(path):
    """The cubic Bézier pieces of each stroke of a path: a list of strokes, each (pieces, 4, 2)."""
    words, strokes, i = path.split(), [], 0

    def take(count):
        nonlocal i
        values = [float(word) for word in words[i : i + count]]
        i += count
        return np.array(values)

    while i < len(words):
        command = words[i]
        i += 1
        if command == "M":
            pen = take(2)
            strokes.append([])
        elif command == "L":
            end = take(2)
            strokes[-1].append([pen, pen + (end - pen) / 3, pen + (end - pen) * 2 / 3, end])
            pen = end
        elif command == "C":
            a, b, end = take(2), take(2), take(2)
            strokes[-1].append([pen, a, b, end])
            pen = end
        elif command == "E":
            cx, cy, rx, ry, start, stop = take(6)
            strokes.append([])
            corners = np.radians(np.linspace(start, stop, 5))
            bend = 4 / 3 * np.tan((corners[1] - corners[0]) / 4)
            for a, b in zip(corners, corners[1:]):
                p, q = np.array([np.cos(a), np.sin(a)]), np.array([np.cos(b), np.sin(b)])
                arc = [p, p + bend * np.array([-p[1], p[0]]), q - bend * np.array([-q[1], q[0]]), q]
                strokes[-1].append([np.array([cx, cy]) + point * [rx, ry] for point in arc])
        else:
            raise ValueError(f"unknown command {command} in {path}")
    return [np.array(stroke) for stroke in strokes]


_T = np.linspace(0, 1, POINTS)[:, None]
_BEZIER = np.concatenate([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3], axis=1)
_TEMPLATES = {label: [_pieces(path) for path in paths] for label, paths in GLYPHS.items()}


def _smooth(points, passes):
    """Rounds corners as a quick hand does."""
    for _ in range(passes):
        points = np.concatenate([points[:1], (points[:-2] + 2 * points[1:-1] + points[2:]) / 4, points[-1:]])
    return points


def write(label, rng):
    """One handwritten sign: a list of strokes, each (points, 2), y downwards, of any size and place."""
    template = _TEMPLATES[label][rng.integers(len(_TEMPLATES[label]))]
    jitter, warp_phase = rng.uniform(1, 5), rng.uniform(0, 2 * np.pi, (2, 2))
    warp = rng.normal(0, 2.5, (2, 2))
    strokes = []
    for pieces in template:
        pieces = pieces.copy()
        shift = rng.normal(0, 2.5, 2)
        ends = rng.normal(0, jitter, (len(pieces) + 1, 2))
        for k, piece in enumerate(pieces):  # neighbours keep their common point and its tangent
            piece[:2] += ends[k] + shift
            piece[2:] += ends[k + 1] + shift
            piece[1:3] += rng.normal(0, jitter * 0.6, (2, 2))
        points = np.concatenate([_BEZIER @ piece for piece in pieces])
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        along = np.concatenate([[0], np.cumsum(steps)])
        start, stop = rng.uniform(-0.02, 0.06), 1 - rng.uniform(-0.02, 0.06)
        even = np.linspace(max(start, 0) * along[-1], min(stop, 1) * along[-1], 28)
        points = np.stack([np.interp(even, along, points[:, axis]) for axis in (0, 1)], axis=1)
        points = _smooth(points, rng.integers(0, 5))
        wave = np.sin(points[:, None, :] / 100 * np.pi * 2 + warp_phase) @ warp.T
        strokes.append(points + wave[:, :, 0] * 0.8)
    angle, slant = rng.normal(0, 0.1), rng.normal(0.08, 0.16)
    stretch = np.exp(rng.normal(-0.12, 0.18))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    bend = turn @ np.array([[stretch, -slant], [0, 1]])
    return [points @ bend.T for points in strokes]


def segments(strokes):
    """The strokes scaled to the box and centred in the frame, as segments (n, 4)."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = BOX / max(*(high - low), 1e-6)
    move = SIZE / 2 - (low + high) / 2 * scale
    lines = [np.concatenate([s[:-1], s[1:]], axis=1) for s in strokes if len(s) > 1]
    return np.concatenate(lines) * scale + np.tile(move, 2)


def batch(count, rng, most=112):
    """`count` signs as segments (count, most, 4), padded by repeating the last one, and their classes."""
    classes = rng.integers(len(LABELS), size=count)
    out = np.empty((count, most, 4), np.float32)
    for row, label in zip(out, classes):
        lines = segments(write(LABELS[label], rng))[:most]
        row[: len(lines)] = lines
        row[len(lines) :] = lines[-1]
    return out, classes
