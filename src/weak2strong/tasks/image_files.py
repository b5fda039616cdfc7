"""Images as they lie in files: which they are, and how they look to a model and on a page.

A file is named by its path. A small image that has no file of its own is named by a URI that holds
it (RFC 2397, ``data:image/png;base64,...``), so that it goes wherever its item goes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weak2strong.ground.errors import UserError, first_line
from weak2strong.tasks.opening import read_file

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".pgm", ".ppm")
"""Endings of files that are images."""

IN_URI = "data:"
"""How a URI begins that holds its content."""

THUMBNAIL = 96
"""Pixels of the longer side of a small image on a page."""


def content_of(file: str) -> bytes:
    """The content of an image file.

    Args:
        file: its path, or a URI that holds it.

    Raises:
        UserError: where it cannot be read.
    """
    if not file.startswith(IN_URI):
        return read_file(Path(file))
    try:
        return base64.b64decode(file.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as e:
        raise UserError(f"An image given as {file[:40]}... is not base64: write it anew.") from e


def uri_of(content: bytes, form: str) -> str:
    """The URI that holds an image; ``form`` is such as ``png``."""
    return f"{IN_URI}image/{form};base64,{base64.b64encode(content).decode('ascii')}"


def key_of(content: bytes) -> str:
    """What tells an image from all others: a digest of its file, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def opened(file: str, content: bytes | None = None) -> Image:
    """An image, whole and upright, in one of the modes ``L`` (grey) and ``RGB``.

    Of an animated image it is the first picture. What is transparent is put on white. Colours of
    16 bits are rounded to 8. A camera's note on which side is up is heeded.

    Args:
        file: its path, or a URI that holds it.
        content: of the file, if it has been read already.

    Raises:
        UserError: where it cannot be read, or is no image.
    """
    from PIL import Image, ImageOps

    name = file if len(file) < 200 else f"{file[:40]}..."
    content = content_of(file) if content is None else content
    try:
        with warnings.catch_warnings():
            # What is wrong with notes beside the pixels is no concern of ours.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                image.load()
                return _plain(ImageOps.exif_transpose(image))
    # Each format has errors of its own: of its structure, of numbers in it, of memory.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, ArithmeticError) as e:
        raise _unreadable(name, first_line(e).rstrip(".:")) from e
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise UserError(
            f"Image {name} has far more pixels than a photograph: make it smaller, or take it out."
        ) from e


def _unreadable(name: str, reason: str) -> UserError:
    if "cannot identify" in reason:
        reason = "it is in no form of images that is known"
    return UserError(f"Image {name} cannot be read ({reason}): mend it, or take it out.")


def _plain(image: Any) -> Image:
    """An image as grey or as colours, 8 bits each, on white."""
    import numpy as np
    from PIL import Image

    if image.mode in ("L", "RGB"):
        return image.copy()
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        most = _most(image.mode, values)
        return Image.fromarray((np.clip(values / most, 0, 1) * 255).round().astype(np.uint8))
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        whole = Image.new("RGBA", seen.size, "white")
        whole.alpha_composite(seen)
        return whole.convert("L" if image.mode in ("LA", "La") else "RGB")
    return image.convert("RGB")


def _most(mode: str, values: Any) -> float:
    """The number that stands for white in an image of more than 8 bits."""
    largest = float(values.max(initial=0))
    if mode.startswith("F"):
        # There is no rule: numbers up to 1, or those of 8 bits, or of more.
        return next((most for most in (1.0, 255.0) if largest <= most), largest)
    return 65535.0 if mode.startswith("I;16") or largest > 255 else 255.0


def thumbnail(file: str) -> str | None:
    """A small picture of an image as a URI that holds it, for a page; None where it is gone."""
    from PIL import Image

    try:
        image = opened(file)
    except UserError:
        return None
    longer = max(image.size)
    if longer > THUMBNAIL:
        image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    if longer > THUMBNAIL:
        image.save(written, "JPEG", quality=80)
        return uri_of(written.getvalue(), "jpeg")
    # What is smaller is kept to the pixel, so that nothing is blurred.
    image.save(written, "PNG", optimize=True)
    return uri_of(written.getvalue(), "png")
