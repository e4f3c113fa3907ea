"""Signs that come as pictures: printed letters in the fonts of this machine, and scikit-learn's handwritten digits."""

import pathlib

import numpy as np
from glyphs import LABELS
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits
from strokes import BOX, SIZE


def frame(ink):
    """A picture (PIL, ink is white) cropped to its ink, scaled to the box and centred in the frame, 0 to 1."""
    box = ink.point(lambda value: 255 * (value > 40)).getbbox()
    if box is None:
        return None
    ink = ink.crop(box)
    scale = BOX / max(ink.size)
    ink = ink.resize([max(1, round(side * scale)) for side in ink.size], Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    out = Image.new("L", (SIZE, SIZE))
    out.paste(ink, [(SIZE - side) // 2 for side in ink.size])
    return np.asarray(out, np.float32) / 255


def fonts(folders):
    """The fonts that draw every label, each differently."""
    usable = []
    for path in sorted(p for folder in folders for p in pathlib.Path(folder).rglob("*.[ot]tf")):
        try:
            font = ImageFont.truetype(str(path), 56)
            drawn = [bytes(font.getmask(label)) for label in LABELS]
            undefined = bytes(font.getmask("\U0010fffe"))
        except (OSError, ValueError):
            continue
        if undefined not in drawn and all(any(glyph) for glyph in drawn) and len(set(drawn)) >= len(LABELS) - 2:
            usable.append(path)
    return usable


def printed(paths, copies, rng):
    """`copies` slanted and turned pictures of every label in every font."""
    pictures, classes = [], []
    for path in paths:
        font = ImageFont.truetype(str(path), 56)
        for label, text in enumerate(LABELS):
            for _ in range(copies):
                canvas = Image.new("L", (128, 128))
                ImageDraw.Draw(canvas).text((64, 64), text, 255, font, "mm")
                slant, turn = rng.normal(0.05, 0.15), rng.normal(0, 6)
                canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, (1, slant, -64 * slant, 0, 1, 0))
                picture = frame(canvas.rotate(turn, Image.Resampling.BILINEAR))
                if picture is not None:
                    pictures.append(picture)
                    classes.append(label)
    return np.array(pictures), np.array(classes)


def digits():
    """scikit-learn's 1797 digits, 8 by 8 as scanned, in the same frame."""
    data = load_digits()
    pictures = []
    for values in data.images:
        small = Image.fromarray((values * 255 / 16).astype(np.uint8))
        pictures.append(frame(small.resize((64, 64), Image.Resampling.BICUBIC)))
    return np.array(pictures), data.target
