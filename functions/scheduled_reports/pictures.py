"""Charts as PNG, which every mail client shows: SVG and scripts are stripped by most.

They are transparent and of tones that can be read on white as on black.
"""

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

# Twice the 568 x 170 that they are shown at, for sharp screens.
WIDTH, HEIGHT = 1136, 340
LEFT, RIGHT, TOP, BOTTOM = 4, 1132, 48, 284
BAR_HEIGHT, PANEL_GAP, MAX_NAME = 56, 48, 14
TEXT, GRID = (128, 133, 144, 255), (128, 133, 144, 70)
BLUE, PALE, RED, GREEN = (47, 125, 246, 255), (47, 125, 246, 110), (224, 82, 77, 255), (34, 160, 107, 255)
FONT = ImageFont.load_default(size=30)

Format = Callable[[float], str]
Series = Sequence[float | None]


class Picture(NamedTuple):
    """A PNG with the words that stand for it; the name tells it from the report's others."""

    name: str
    title: str
    alt: str
    png: bytes


def bars(days: Sequence[date], values: Sequence[float], marked: set[date], words: Format) -> bytes:
    """Draw a bar a day, those of the period strong."""
    image, draw = _canvas(HEIGHT)
    _frame(draw, days, max(values), words)
    step = (RIGHT - LEFT) / len(days)
    for number, (day, value) in enumerate(zip(days, values, strict=True)):
        x, top = LEFT + number * step, _y(value, max(values))
        if value:
            draw.rectangle(
                (x + 4, min(top, BOTTOM - 2), x + step - 4, BOTTOM), BLUE if day in marked else PALE
            )
    return _png(image)


def lines(days: Sequence[date], series: Sequence[tuple[str, Series]], words: Format) -> bytes:
    """Draw a line a series with its name at its start; days without a value are gaps."""
    image, draw = _canvas(HEIGHT)
    most = max((value for _, values in series for value in values if value is not None), default=0)
    _frame(draw, days, most, words)
    step = (RIGHT - LEFT) / len(days)
    x = LEFT + 130
    for (name, values), colour in zip(series, (BLUE, GREEN, RED), strict=False):
        points: list[tuple[float, float]] = []
        for number, value in enumerate([*values, None]):
            if value is not None:
                points.append((LEFT + (number + 0.5) * step, _y(value, most)))
            elif points:
                draw.line(points, colour, 5, "curve")
                for px, py in points:
                    draw.ellipse((px - 5, py - 5, px + 5, py + 5), colour)
                points = []
        draw.ellipse((x, 12, x + 18, 30), colour)
        draw.text((x + 26, 4), name, TEXT, FONT)
        x += 110
    return _png(image)


def panels(names: Sequence[str], columns: Sequence[tuple[str, Series, Format]]) -> bytes:
    """Draw a row a name, and in it a bar for each column: its title, values and how they are written."""
    names = [name[:MAX_NAME] for name in names]
    image, draw = _canvas(52 + BAR_HEIGHT * len(names))
    label = max(draw.textlength(name, FONT) for name in names) + 20
    width = (RIGHT - LEFT - label - PANEL_GAP * (len(columns) - 1)) / len(columns)
    for row, name in enumerate(names):
        draw.text((LEFT, 56 + row * BAR_HEIGHT), name, TEXT, FONT)
    for column, ((title, values, words), colour) in enumerate(zip(columns, (RED, BLUE), strict=False)):
        x = LEFT + label + column * (width + PANEL_GAP)
        draw.text((x, 4), title, TEXT, FONT)
        most, told = max((value or 0 for value in values), default=0), 120
        for row, value in enumerate(values):
            y = 56 + row * BAR_HEIGHT
            length = (width - told) * value / most if value and most else 0
            draw.rectangle((x, y, x + max(length, 3), y + 34), colour if value else GRID)
            draw.text((x + length + 12, y), "-" if value is None else words(value), TEXT, FONT)
    return _png(image)


def _canvas(height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (WIDTH, height))
    return image, ImageDraw.Draw(image)


def _frame(draw: ImageDraw.ImageDraw, days: Sequence[date], most: float, words: Format) -> None:
    draw.text((LEFT, 4), words(most), TEXT, FONT)
    for y in (TOP, (TOP + BOTTOM) / 2, BOTTOM):
        draw.line((LEFT, y, RIGHT, y), GRID, 2)
    step = (RIGHT - LEFT) / len(days)
    for number, day in enumerate(days):
        if (len(days) - 1 - number) % 7 == 0:
            x = LEFT + (number + 0.5) * step
            anchor = "ma" if 40 < x < RIGHT - 40 else "ra" if x > RIGHT - 40 else "la"
            at = RIGHT if anchor == "ra" else LEFT if anchor == "la" else x
            draw.text((at, BOTTOM + 14), f"{day.day} {day:%b}", TEXT, FONT, anchor)


def _y(value: float, most: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / most if most else BOTTOM


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.quantize(64, Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
    return out.getvalue()
