"""Plots made elsewhere, put into a page as data."""

import base64
import struct

from neural_mastering.errors import InputError
from neural_mastering.reporting.markup import Html, escape, tag
from neural_mastering.reporting.report_data import Picture

_PNG = b"\x89PNG\r\n\x1a\n"
_BROAD = 1.95  # width over height; a plain plot of this package has 1.9


def picture(plot: Picture) -> Html:
    """A figure with the image as a data address; an SVG stands in an image too, where its scripts can't run.

    Raises:
        InputError: neither PNG nor SVG, or a file that can't be read.
    """
    data = plot.image
    if not isinstance(data, bytes):
        try:
            data = data.read_bytes()
        except OSError as error:
            raise InputError(f"picture {plot.image} can't be read: {error}") from error
    if data.startswith(_PNG):
        mime = "image/png"
    elif b"<svg" in data[:2000]:
        mime = "image/svg+xml"
    else:
        raise InputError(f"picture {plot.title!r}: expected PNG or SVG, got something else")
    address = f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
    image = Html(f'<img src="{address}" alt="{escape(plot.alt)}">')
    broad = mime == "image/png" and _is_broad(data)
    return tag(
        "figure",
        tag("figcaption", tag("b", plot.title)),
        image,
        tag("p", plot.caption, class_="caption") if plot.caption else None,
        class_="broad" if broad else None,
    )


def _is_broad(png: bytes) -> bool:
    """Whether a PNG is so wide that half a page is too little for it."""
    width, height = struct.unpack(">II", png[16:24]) if len(png) >= 24 else (1, 1)
    return width >= _BROAD * height
