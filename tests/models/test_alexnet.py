"""AlexNet is that of torchvision: its layers, its weights by name, and how images are written."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from weak2strong.ground.errors import UserError
from weak2strong.models.alexnet import AlexNet, alexnet_processor, read_alexnet

SHAPES = {
    "features.0": (64, 3, 11, 11),
    "features.3": (192, 64, 5, 5),
    "features.6": (384, 192, 3, 3),
    "features.8": (256, 384, 3, 3),
    "features.10": (256, 256, 3, 3),
    "classifier.1": (4096, 9216),
    "classifier.4": (4096, 4096),
}
"""Weights as torchvision publishes them, but for the last layer's (1000, 4096)."""


def test_weights_have_the_names_and_shapes_of_torchvision():
    with torch.device("meta"):
        weights = AlexNet().state_dict()
    assert {n[:-7]: tuple(w.shape) for n, w in weights.items() if n.endswith("weight")} == SHAPES


def test_a_pass_is_that_of_the_paper():
    torch.manual_seed(0)
    with torch.device("meta"):
        network = AlexNet()
    network = network.to_empty(device="cpu").eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.05)
    images = torch.randn(1, 3, 224, 224)
    w = dict(network.named_parameters())

    def convolved(x, n, **more):
        return F.relu(F.conv2d(x, w[f"features.{n}.weight"], w[f"features.{n}.bias"], **more))

    with torch.no_grad():
        x = F.max_pool2d(convolved(images, 0, stride=4, padding=2), 3, 2)
        x = F.max_pool2d(convolved(x, 3, padding=2), 3, 2)
        x = convolved(convolved(convolved(x, 6, padding=1), 8, padding=1), 10, padding=1)
        x = F.max_pool2d(x, 3, 2).flatten(1)
        for n in (1, 4):
            x = F.relu(x @ w[f"classifier.{n}.weight"].T + w[f"classifier.{n}.bias"])
        found = network(images).pooler_output
    torch.testing.assert_close(found, x, rtol=1e-4, atol=1e-4)


def test_images_are_written_as_its_publisher_writes_them():
    draws = np.random.default_rng(0).integers(0, 256, (300, 512, 3), dtype=np.uint8)
    image = Image.fromarray(draws)
    small = image.resize((int(512 * 256 / 300), 256), Image.Resampling.BILINEAR)
    left = round((small.width - 224) / 2)
    middle = small.crop((left, 16, left + 224, 240))
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    expected = ((np.asarray(middle) / 255 - mean) / deviation).transpose(2, 0, 1)
    found = alexnet_processor()(images=image, return_tensors="pt")["pixel_values"][0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(2)}, file)
    with pytest.raises(UserError, match="is not AlexNet as torchvision publishes it"):
        read_alexnet(file)
    file.write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read"):
        read_alexnet(file)
    named = {"features.0.weight": torch.zeros(1), "classifier.6.weight": torch.zeros(1)}
    torch.save(named | {"classifier.6.bias": torch.zeros(1)}, file)
    with pytest.raises(UserError, match="other weights than AlexNet"):
        read_alexnet(file)


def test_a_file_cannot_run_code(tmp_path):
    class Runs:
        def __reduce__(self):
            return print, ("this ran",)

    torch.save({"features.0.weight": Runs()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="cannot be read"):
        read_alexnet(tmp_path / "evil.pth")
