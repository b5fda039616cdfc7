"""Models that a process keeps: read once in whatever form, and let go where memory is short."""

import pytest
import torch

from weak2strong.config.model import ModelSpec
from weak2strong.models import kept, weights
from weak2strong.models.kept import KEPT, Kept, keeping
from weak2strong.models.language import load_language_model
from weak2strong.models.load import load_model
from weak2strong.models.prompted import load_prompted
from weak2strong.models.weights import fresh_copy, read_tokenizer

NAMES = ["llama", "gpt2", "bert"]


@pytest.fixture(autouse=True)
def nothing_kept():
    yield
    KEPT.empty()


@pytest.fixture
def reads(monkeypatch):
    """Names of the models whose files were read, in order."""
    names = []

    def reading(spec, *rest):
        names.append(spec.name)
        return from_files(spec, *rest)

    from_files = weights.from_files
    monkeypatch.setattr(weights, "from_files", reading)
    return names


def load(folder, **settings):
    return load_model(ModelSpec(str(folder), **settings), "classification", 2, seed=0)


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_decoder_is_read_once_for_all_that_is_done_with_it(toy_models, reads, name):
    with keeping():
        for adaptation in ("full", "lora", "head", "full"):
            load(toy_models[name], adaptation=adaptation)
        load_prompted(ModelSpec(str(toy_models[name])))
        load_language_model(ModelSpec(str(toy_models[name]), adaptation="lora"))
        load(toy_models[name], head_start="answers", answers=("A", "B"))
    assert reads == [str(toy_models[name])]


def test_an_encoder_is_read_once(toy_models, reads):
    with keeping():
        for adaptation in ("full", "lora", "head"):
            load(toy_models["bert"], adaptation=adaptation)
    assert len(reads) == 1


def test_another_precision_and_other_files_are_read_again(toy_models, reads, tmp_path):
    import shutil

    folder = shutil.copytree(toy_models["llama"], tmp_path / "model")
    with keeping():
        load(folder)
        load(folder, adaptation="head", precision="bfloat16")
        shutil.copy(toy_models["gpt2"] / "config.json", folder)
        shutil.copy(toy_models["gpt2"] / "model.safetensors", folder)
        other = load(folder).network.trunk
    assert len(reads) == 3
    assert type(other).__name__ == "GPT2Model"


def test_outside_of_a_step_every_model_is_read(toy_models, reads):
    load(toy_models["llama"])
    with keeping():
        load(toy_models["llama"])
    load(toy_models["llama"])
    assert len(reads) == 3


@pytest.mark.parametrize("adaptation", ["full", "lora", "head"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_done_to_a_copy_is_not_seen_in_the_next(toy_models, name, adaptation):
    """Weights that are trained, buffers, flags, modes, and functions in place of others."""
    settings = {"adaptation": adaptation, "precision": "bfloat16"}
    fresh = load(toy_models[name], **settings).network
    with keeping():
        load(toy_models[name], **settings)
        network = load(toy_models[name], **settings).network
        before = state_of(network)
        trained = {n: p for n, p in network.named_parameters() if p.requires_grad}
        network.train()
        with torch.no_grad():
            for value in (*network.buffers(), *trained.values()):
                value.zero_()
        for part in network.modules():
            part.forward = None
        network.requires_grad_(False).to(torch.float64)
        again = load(toy_models[name], **settings).network
    pooler = {n for n in before if "pooler" in n}  # BERT's own, which no file has
    assert same(before, state_of(again))
    from_kept, from_files = state_of(again), state_of(fresh)
    assert from_kept.keys() == from_files.keys()
    assert all(torch.equal(from_kept[n], from_files[n]) for n in from_files.keys() - pooler)
    assert {n for n, p in again.named_parameters() if p.requires_grad} == trained.keys()
    for ours, theirs in zip(again.modules(), fresh.modules(), strict=True):
        assert type(ours) is type(theirs)
        assert not ours.training
        assert ("forward" in ours.__dict__) == ("forward" in theirs.__dict__)
        if "forward" in ours.__dict__:  # Of a layer with an adapter, which computes itself.
            assert ours.forward.args == (ours,)
    for (n, p), (m, q) in zip(again.named_buffers(), fresh.named_buffers(), strict=True):
        assert (n, p.dtype) == (m, q.dtype)
        assert torch.equal(p, q)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_frozen_weights_are_shared_and_trained_ones_are_not(toy_models, name):
    def places(network):
        return {p.data_ptr() for p in network.trunk.parameters()}

    with keeping():
        one, two = (load(toy_models[name], adaptation="lora").network for _ in range(2))
        whole, other = (load(toy_models[name], adaptation="full").network for _ in range(2))
    adapters = {p.data_ptr() for p in one.trunk.parameters() if p.requires_grad}
    assert places(one) - adapters <= places(two)
    assert not adapters & places(two)
    assert not places(whole) & (places(other) | places(one))


def test_tied_weights_are_tied_in_a_copy(toy_models):
    with keeping():
        for adaptation in ("full", "lora"):
            spec = ModelSpec(str(toy_models["gpt2"]), adaptation=adaptation)
            load_language_model(spec)
            whole = load_language_model(spec).network.whole
            assert whole.get_output_embeddings().weight is whole.get_input_embeddings().weight


def test_a_tokenizer_is_loaded_once(toy_models):
    specs = [ModelSpec(str(toy_models[name])) for name in ("llama", "gpt2")]
    with keeping():
        one, other, again = (read_tokenizer(specs[i]) for i in (0, 1, 0))
    assert one is again
    assert one is not other
    assert read_tokenizer(specs[0]) is not one


# Memory.


def linear(width):
    return torch.nn.Linear(width, width, bias=False)


def keep(models, name, width):
    return models.model(name, lambda: (linear(width), set()))[0]


def names(models):
    return list(models._models)


@pytest.fixture
def kept_here(monkeypatch):
    """Three models of 400 bytes each, with room for 1,000 bytes; "b" was used last."""
    monkeypatch.setattr(kept, "available_bytes", lambda: 1000 / kept.IN_HOST)
    models = Kept()
    for name in ("a", "b", "c", "b"):
        keep(models, name, 10)
    return models


def test_what_was_not_used_for_longest_goes_first(kept_here):
    assert names(kept_here) == ["a", "c", "b"]
    keep(kept_here, "d", 10)
    assert kept_here.make_room("d", copied=True)
    assert names(kept_here) == ["b", "d"]


def test_a_model_that_is_shared_takes_no_more_memory_than_its_use(kept_here):
    keep(kept_here, "large", 20)
    assert kept_here.make_room("large", copied=False)
    assert names(kept_here) == ["c", "b", "large"]


def test_a_copied_model_that_is_too_large_is_not_kept(kept_here):
    keep(kept_here, "large", 20)
    assert not kept_here.make_room("large", copied=True)
    assert names(kept_here) == []


def test_a_model_that_is_not_kept_is_handed_out_itself(toy_models, reads, monkeypatch):
    fresh = state_of(load(toy_models["llama"]).network)
    monkeypatch.setattr(kept, "available_bytes", lambda: 0.0)
    with keeping():
        for _ in range(2):
            network = load(toy_models["llama"]).network
            assert same(state_of(network), fresh)
            with torch.no_grad():
                network.trunk.embed_tokens.weight.zero_()
    assert len(reads) == 3


def test_the_memory_that_is_free_is_some_of_the_machines():
    from weak2strong.models.capacity import device_bytes

    assert 0 < kept.available_bytes() <= device_bytes(torch.device("cpu"))


class Elsewhere(torch.nn.Linear):
    """A module that seems to be on an accelerator until it is moved to the machine's memory."""

    def __init__(self, width):
        super().__init__(width, width, bias=False)
        self.place = "cuda"

    def to(self, device):
        self.place = device
        return self


def test_an_accelerator_has_room_for_a_tenth_besides_what_is_used(monkeypatch):
    monkeypatch.setattr(kept, "_device", lambda model: torch.device(model.place))
    monkeypatch.setattr(kept, "device_bytes", lambda device: 10_000)
    monkeypatch.setattr(kept, "available_bytes", lambda: 1e9)
    models = Kept()
    for name in "abcd":
        models.model(name, lambda: (Elsewhere(10), set()))
    assert models.make_room("d", copied=False)
    places = {name: model.place for name, (model, _) in models._models.items()}
    assert places == {"a": "cpu", "b": "cuda", "c": "cuda", "d": "cuda"}


def test_a_model_for_which_a_device_has_no_room_is_handed_out_where_it_is(toy_models, monkeypatch):
    """Whoever moves it then says so; before that, all else that is kept is let go."""
    tries = []

    def refuse(part, device):
        if torch.device(device).type != "cpu":
            tries.append(names(KEPT))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return part

    with keeping():
        load(toy_models["gpt2"])
        monkeypatch.setattr("transformers.PreTrainedModel.to", refuse)
        spec, device = ModelSpec(str(toy_models["llama"]), adaptation="head"), torch.device("cuda")
        monkeypatch.setattr(weights, "precision_of", lambda spec, device: torch.float32)
        from transformers import AutoModel

        trunk, _ = weights.read_weights(spec, AutoModel, device)
    assert [len(kept) for kept in tries] == [2, 1]
    assert next(trunk.parameters()).device.type == "cpu"


def test_a_copy_has_the_attributes_of_its_parameters(toy_models):
    model = linear(3)
    model.weight.marked = "yes"
    model.weight.requires_grad_(False)
    made = fresh_copy(model, torch.device("cpu"), shared=False)
    assert made.weight.marked == "yes"
    assert not made.weight.requires_grad
    assert made.weight.data_ptr() != model.weight.data_ptr()


@pytest.mark.gpu
def test_on_a_gpu_a_trained_copy_comes_from_pinned_memory_and_a_frozen_one_stays(toy_models):
    with keeping():
        whole = [load(toy_models["llama"], adaptation="full").network for _ in range(2)][-1]
        (model, _), *_ = KEPT._models.values()
        assert all(p.is_pinned() for p in model.base_model.parameters())
        assert all(p.is_cuda for p in whole.parameters())
        frozen = [
            load(toy_models["llama"], adaptation="head", precision="float32").network
            for _ in range(2)
        ]
        assert all(p.is_cuda for p in model.base_model.parameters())
        assert not model.lm_head.weight.is_cuda
        one, two = ([p.data_ptr() for p in net.trunk.parameters()] for net in frozen)
        assert one == two
    fresh = load(toy_models["llama"]).network
    assert same(state_of(whole), state_of(fresh))
