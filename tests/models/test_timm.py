"""Models of timm give the vectors that timm gives, and are trained as others are: needs timm."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.models.images import images

from weak2strong.config.model import ModelSpec
from weak2strong.config.training import Training
from weak2strong.losses.cross_entropy import CrossEntropy
from weak2strong.models.image_model import load_image_model
from weak2strong.models.image_types import reads_images
from weak2strong.models.layers import layers_of
from weak2strong.models.rates import shape_of
from weak2strong.training.activations import layer_activations
from weak2strong.training.fit import fit
from weak2strong.training.predict import pooled_activations, predict
from weak2strong.training.training_set import TrainingSet

timm = pytest.importorskip("timm")

SIZE, CLASSES = 32, 3

TINY = {
    "vit": (
        "vit_tiny_patch16_224",
        {"img_size": SIZE, "patch_size": 8, "embed_dim": 32, "num_heads": 2},
    ),
    "convnext": ("convnext_tiny", {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 32)}),
    "resnet": ("resnet18", {"layers": (1, 1, 1, 1), "channels": (8, 16, 24, 32)}),
}
LAYERS = {"vit": 11, "convnext": 3, "resnet": 4}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders as timm publishes models, and the models themselves."""
    root, found = tmp_path_factory.mktemp("timm"), {}
    for family, (architecture, arguments) in TINY.items():
        torch.manual_seed(0)
        model = timm.create_model(architecture, num_classes=CLASSES, **arguments).eval()
        (root / family).mkdir()
        weights = {name: value.contiguous() for name, value in model.state_dict().items()}
        save_file(weights, root / family / "model.safetensors")
        kept = ("interpolation", "crop_pct", "crop_mode", "mean", "std", "classifier")
        written = {name: model.pretrained_cfg[name] for name in kept}
        about = {
            "architecture": architecture,
            "num_classes": CLASSES,
            "num_features": model.num_features,
            "model_args": arguments,
            "pretrained_cfg": written | {"input_size": [3, SIZE, SIZE]},
        }
        (root / family / "config.json").write_text(json.dumps(about))
        found[family] = (root / family, model, about["pretrained_cfg"])
    return found


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    return images(tmp_path_factory.mktemp("images"))


def loaded(folder, adaptation="head", **more):
    spec = ModelSpec(str(folder), adaptation=adaptation, **more)
    return load_image_model(spec, "classification", CLASSES, 0)


def shown(items, about):
    """The images as timm's own transformation writes them."""
    data = timm.data.resolve_data_config({}, pretrained_cfg=about)
    transform = timm.data.create_transform(**data, is_training=False)
    return torch.stack([transform(Image.open(item.file).convert("RGB")) for item in items])


@pytest.mark.parametrize("family", TINY)
def test_a_vector_is_what_timm_gives(family, folders, items):
    folder, model, about = folders[family]
    with torch.no_grad():
        pixels = shown(items, about)
        expected = model.forward_head(model.forward_features(pixels), pre_logits=True)
        states = model.forward_intermediates(pixels, intermediates_only=True)
    ours = loaded(folder)
    np.testing.assert_allclose(pooled_activations(ours, items), expected.numpy(), atol=2e-6)
    assert reads_images(ModelSpec(str(folder)))
    last = layers_of(ModelSpec(str(folder)))
    assert last == LAYERS[family] == len(states) - 1
    layers = layer_activations(ours, items, (0, 1, last))
    np.testing.assert_allclose(layers[1], states[1].mean((2, 3)).numpy(), atol=2e-6)
    np.testing.assert_array_equal(layers[last], pooled_activations(ours, items))
    assert shape_of(ModelSpec(str(folder))).width == expected.shape[1]


@pytest.mark.parametrize("family", TINY)
@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
def test_each_adaptation_learns(family, adaptation, folders, items):
    if (family, adaptation) == ("resnet", "lora"):
        with pytest.raises(Exception, match="no linear layers"):
            loaded(folders[family][0], adaptation)
        return
    model = loaded(folders[family][0], adaptation)
    train = TrainingSet(items, np.eye(CLASSES)[[0, 1, 2, 0, 1, 2]])
    settings = Training(steps=6, batch_size=6, learning_rate=1e-3, head_rate=1e-2, stopping="none")
    result = fit(model, train, CrossEntropy(), settings, 0)
    assert result.curve.losses[-1] < result.curve.losses[0]
    assert np.isfinite(predict(model, items).values).all()


@pytest.mark.parametrize("family", TINY)
def test_a_head_starts_from_the_last_layer_of_timm(family, folders, items):
    folder, model, about = folders[family]
    with torch.no_grad():
        expected = model(shown(items, about)).softmax(-1).numpy()
    answers = predict(loaded(folder, head_start="own"), items).values
    np.testing.assert_allclose(answers, expected, atol=2e-6)


def test_a_mean_is_over_patches_alone(folders, items):
    folder, model, about = folders["vit"]
    with torch.no_grad():
        states = model.forward_features(shown(items, about))
    found = pooled_activations(loaded(folder, pooling="mean"), items)
    np.testing.assert_allclose(found, states[:, 1:].mean(1).numpy(), atol=2e-6)
