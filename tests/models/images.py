"""Tiny models of images, built in code, with the processors of their families."""

import numpy as np
from PIL import Image

from weak2strong.tasks.image_files import key_of
from weak2strong.tasks.task import Item

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def made(family):
    """A model of a family with fresh weights, and its processor."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    if family.startswith("vit"):
        config = t.ViTConfig(image_size=16, patch_size=4, **SMALL)
        model = t.ViTModel(config, add_pooling_layer=family == "vit-with-pooler")
        return model, t.ViTImageProcessorPil(size={"height": 16, "width": 16})
    if family == "dinov2":
        model = t.Dinov2Model(t.Dinov2Config(image_size=28, patch_size=14, **SMALL))
        size = {"height": 28, "width": 28}
        return model, t.BitImageProcessorPil(size={"shortest_edge": 28}, crop_size=size)
    if family == "resnet":
        sizes = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
        model = t.ResNetModel(t.ResNetConfig(layer_type="basic", **sizes))
        return model, t.ConvNextImageProcessorPil(size={"shortest_edge": 32})
    if family == "convnext":
        config = t.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
        return t.ConvNextModel(config), t.ConvNextImageProcessorPil(size={"shortest_edge": 32})
    assert family == "clip"
    sees = {"image_size": 16, "patch_size": 4, **SMALL}
    reads = {"vocab_size": 50, "max_position_embeddings": 20, **SMALL}
    model = t.CLIPModel(t.CLIPConfig(vision_config=sees, text_config=reads))
    size = {"height": 16, "width": 16}
    return model, t.CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size=size)


def saved(family, folder):
    """The same in a folder, as its maker would publish it."""
    model, processor = made(family)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def images(folder, count=6):
    """Items of images of several sizes and forms, which lie in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    items = []
    for i in range(count):
        size = (20 + 3 * i, 40 - 2 * i, *([3] if i % 2 else []))
        file = folder / f"{i}.png"
        Image.fromarray(draws.integers(0, 256, size, dtype=np.uint8)).save(file)
        items.append(Item(str(i), str(i), key_of(file.read_bytes()), file=str(file)))
    return items
