"""Images are opened as what they show, whatever form their file has."""

import io

import numpy as np
import pytest
from PIL import Image

from weak2strong.ground.errors import UserError
from weak2strong.tasks.image_files import content_of, key_of, opened, thumbnail, uri_of

GREY = np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)


def written(image, form, **more):
    content = io.BytesIO()
    image.save(content, form, **more)
    return content.getvalue()


def saved(tmp_path, image, form="PNG", **more):
    file = tmp_path / f"image.{form.lower()}"
    file.write_bytes(written(image, form, **more))
    return str(file)


def test_grey_and_colours_stay_as_they_are(tmp_path):
    assert np.array_equal(np.asarray(opened(saved(tmp_path, Image.fromarray(GREY)))), GREY)
    colours = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)
    assert np.array_equal(np.asarray(opened(saved(tmp_path, Image.fromarray(colours)))), colours)


def test_sixteen_bits_are_rounded_to_eight(tmp_path):
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert deep.mode.startswith("I")
    assert np.array_equal(np.asarray(opened(saved(tmp_path, deep))), GREY)


def test_what_is_transparent_is_white(tmp_path):
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0] = 10, 20, 30, 255
    pixels[0, 1] = 0, 0, 0, 128
    seen = np.asarray(opened(saved(tmp_path, Image.fromarray(pixels))))
    assert seen[0, 0].tolist() == [10, 20, 30]
    assert seen[1, 1].tolist() == [255] * 3
    assert seen[0, 1].tolist() == [127] * 3


def test_colours_of_a_palette_may_be_transparent(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putdata([0, 1])
    file = saved(tmp_path, image, "PNG", transparency=0)
    assert np.asarray(opened(file)).tolist() == [[[255] * 3, [200, 0, 0]]]


def test_an_animation_is_its_first_picture(tmp_path):
    first, second = (Image.new("L", (2, 2), shade) for shade in (50, 200))
    file = saved(tmp_path, first, "GIF", save_all=True, append_images=[second])
    assert np.asarray(opened(file).convert("L")).tolist() == [[50, 50], [50, 50]]


def test_a_camera_says_which_side_is_up(tmp_path):
    image = Image.fromarray(GREY)
    exif = Image.Exif()
    exif[0x0112] = 6
    file = saved(tmp_path, image, "PNG", exif=exif)
    assert np.array_equal(np.asarray(opened(file)), np.rot90(GREY, -1))


@pytest.mark.parametrize("mode", ["1", "CMYK", "YCbCr"])
def test_other_forms_become_grey_or_colours(tmp_path, mode):
    image = Image.new("RGB", (2, 2), "white").convert(mode)
    assert np.asarray(opened(saved(tmp_path, image, "TIFF")).convert("L")).min() >= 250


def test_what_is_no_image_is_told_in_a_sentence(tmp_path):
    whole = written(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64)).astype("u1")), "PNG"
    )
    for content in (b"", b"no image", whole[: len(whole) // 2], whole[:40]):
        file = tmp_path / "broken.png"
        file.write_bytes(content)
        with pytest.raises(UserError, match=r"Image .*broken\.png cannot be read \(.+\): mend it"):
            opened(str(file))
    with pytest.raises(UserError, match="cannot be read"):
        opened(str(tmp_path / "missing.png"))


def test_an_image_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3)
    with pytest.raises(UserError, match="far more pixels"):
        opened(saved(tmp_path, Image.fromarray(GREY)))


def test_a_uri_holds_an_image_whole():
    content = written(Image.fromarray(GREY), "PNG")
    uri = uri_of(content, "png")
    assert content_of(uri) == content
    assert np.array_equal(np.asarray(opened(uri)), GREY)
    with pytest.raises(UserError, match="not base64"):
        opened("data:image/png;base64,%%%")


def test_a_key_is_that_of_the_bytes(tmp_path):
    assert key_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_thumbnail_is_small_and_keeps_what_is_small(tmp_path):
    large = saved(tmp_path, Image.new("RGB", (400, 200), "red"))
    assert opened(thumbnail(large)).size == (96, 48)
    small = saved(tmp_path, Image.fromarray(GREY))
    assert np.array_equal(np.asarray(opened(thumbnail(small))), GREY)
    assert thumbnail(str(tmp_path / "missing.png")) is None
