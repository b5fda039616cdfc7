"""A model of images gives one vector an image, the one that its family is used by."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from tests.models.images import SMALL, images, made, saved

from weak2strong.config.model import ModelSpec
from weak2strong.ground.errors import UserError
from weak2strong.models.configuration import loading
from weak2strong.models.image_model import load_image_model
from weak2strong.models.image_types import reads_images
from weak2strong.models.rates import shape_of
from weak2strong.training.activations import layer_activations
from weak2strong.training.predict import pooled_activations, predict

FAMILIES = ("vit", "vit-with-pooler", "dinov2", "resnet", "convnext", "clip")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {family: saved(family, root / family) for family in FAMILIES}


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    return images(tmp_path_factory.mktemp("images"))


def loaded(folder, adaptation="head", **more):
    spec = ModelSpec(str(folder), adaptation=adaptation, **more)
    return load_image_model(spec, "classification", 3, 0)


def expected(family, items):
    """The vectors by the model's own forward pass, image by image, and what its papers say."""
    model, processor = made(family)
    model = getattr(model, "vision_model", model).eval()
    vectors = []
    for item in items:
        image = Image.open(item.file).convert("RGB")
        pixels = processor(images=image, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            output = model(pixel_values=pixels)
        states = output.last_hidden_state
        vector = {
            "vit": lambda states=states: states[0, 0],
            "resnet": lambda states=states: states[0].mean((1, 2)),
        }.get(family, lambda output=output: output.pooler_output[0])()
        vectors.append(vector.numpy())
    return np.stack(vectors)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_vector_is_that_of_the_family(family, folders, items):
    found = pooled_activations(loaded(folders[family]), items)
    np.testing.assert_allclose(found, expected(family, items), atol=2e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_model_is_known_to_read_images(family, folders):
    assert reads_images(ModelSpec(str(folders[family])))
    assert not reads_images(ModelSpec("atlas-s"))
    assert not reads_images(ModelSpec("owner/nothing"))
    assert reads_images(ModelSpec("timm/resnet50.a1_in1k"))


def test_what_is_trained_goes_by_the_adaptation(folders):
    counts = {}
    for adaptation in ("full", "lora", "head"):
        network = loaded(folders["vit"], adaptation).network
        counts[adaptation] = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert counts["head"] == 3 * 16 + 3
    # Two matrices of rank 16 for each of six linear layers of two blocks.
    assert counts["lora"] - counts["head"] == 2 * 16 * (4 * (16 + 16) + 2 * (16 + 32))
    assert counts["full"] > counts["head"]
    with pytest.raises(UserError, match="no linear layers"):
        loaded(folders["resnet"], "lora")


@pytest.mark.parametrize("family", ["vit", "resnet"])
def test_layers_end_in_the_vector(family, folders, items):
    model = loaded(folders[family])
    layers = layer_activations(model, items, (0, 1, 2))
    assert np.array_equal(layers[2], pooled_activations(model, items))
    assert not np.array_equal(layers[0], layers[1])
    assert all(len(of_layer) == len(items) for of_layer in layers.values())


def test_a_mean_is_over_patches_alone(folders, items):
    found = pooled_activations(loaded(folders["vit"], pooling="mean"), items[:1])
    model, processor = made("vit")
    pixels = processor(images=Image.open(items[0].file).convert("RGB"), return_tensors="pt")
    with torch.no_grad():
        states = model.eval()(**pixels).last_hidden_state
    np.testing.assert_allclose(found[0], states[0, 1:].mean(0).numpy(), atol=1e-6)
    with pytest.raises(UserError, match="no token for a whole image"):
        loaded(folders["resnet"], pooling="cls")
    with pytest.raises(UserError, match="another pooling than last"):
        loaded(folders["vit"], pooling="last")


def test_answers_do_not_depend_on_the_cut_of_a_batch(folders, items):
    model = loaded(folders["convnext"], "full")
    whole = predict(model, items).probabilities
    alone = np.concatenate([predict(model, [item]).probabilities for item in items])
    np.testing.assert_allclose(whole, alone, atol=1e-6)


def test_settings_of_texts_are_refused(folders):
    with pytest.raises(UserError, match="has no words"):
        loaded(folders["vit"], head_start="answers", answers=("a", "b", "c"))
    with pytest.raises(UserError, match="4 bits are for models of texts"):
        loaded(folders["vit"], precision="4bit")


def test_images_that_do_not_pass_together_are_told(folders, items, tmp_path):
    import transformers

    folder = saved("resnet", tmp_path / "uncut")
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, do_center_crop=False)
    processor.save_pretrained(folder)
    with pytest.raises(UserError, match="do not pass together: set do_center_crop"):
        predict(loaded(folder), items)


def test_a_shape_is_known_without_weights(folders):
    spec = ModelSpec(str(folders["convnext"]), adaptation="head")
    shape = shape_of(spec)
    network = load_image_model(spec, "classification", 3, 0).network
    assert shape.width == network.head.in_features == 16
    assert shape.parameters == sum(p.numel() for p in network.trunk.parameters())


def test_a_folder_without_a_processor_is_told(folders, tmp_path):
    model, _ = made("vit")
    model.save_pretrained(tmp_path / "bare")
    with pytest.raises(UserError, match=r"bare' cannot be loaded: .*preprocessor_config\.json"):
        loaded(tmp_path / "bare")


def test_a_torchvision_of_another_pytorch_is_told(tmp_path, monkeypatch):
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    told = pytest.raises(UserError, match=r"nms does not exist.*built for another PyTorch")
    with told, loading(ModelSpec("digits-s")):
        raise ImportError("Could not import module 'ViTModel'.")
    told = pytest.raises(UserError, match=r"one of timm: install that by `pip install 'weak2str")
    with told, loading(ModelSpec("timm/resnet18.a1_in1k")):
        raise ImportError("TimmWrapperConfig requires the timm library but it was not found")


def test_a_head_starts_from_the_last_layer_that_was_published(tmp_path):
    import transformers

    _, processor = made("vit")
    torch.manual_seed(1)
    config = transformers.ViTConfig(image_size=16, patch_size=4, num_labels=3, **SMALL)
    published = transformers.ViTForImageClassification(config).eval()
    published.save_pretrained(tmp_path / "vit")
    processor.save_pretrained(tmp_path / "vit")
    model, items = loaded(tmp_path / "vit", head_start="own"), images(tmp_path / "images")
    shown = [Image.open(item.file).convert("RGB") for item in items]
    with torch.no_grad():
        logits = published(**processor(images=shown, return_tensors="pt")).logits
    expected = logits.softmax(-1).numpy()
    np.testing.assert_allclose(predict(model, items).probabilities, expected, atol=1e-6)
    spec = ModelSpec(str(tmp_path / "vit"), adaptation="head", head_start="own")
    with pytest.raises(UserError, match="tells 3 classes apart, and the task has 4"):
        load_image_model(spec, "classification", 4, 0)
