"""What every test stands on: no network, no user's store, one thread, and toy models built here."""

import gc
import os
import socket
import uuid
from contextlib import contextmanager
from ipaddress import ip_address

# Read once, when the libraries are imported: so before any test module is. A test run without
# a GPU must not be another one on a machine that has one.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Tests run side by side, and their products are small: threads of linear algebra would wait for
# each other longer than they multiply.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Workers of a test run inherit the width of a terminal where the library of its prompt made one up.
os.environ.pop("COLUMNS", None)

import pytest
from hypothesis import settings

# The same examples on every run, a few dozen of each, and no clock on machines that are busy.
settings.register_profile("weak2strong", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("weak2strong")

SENTENCES = (
    "Lyon is a city in France.",
    "Lima is a city in Peru.",
    "The capital of Kenya is Nairobi.",
    "A red house stands beside a blue river.",
    "The blue bird sings in the morning, and the red one in the evening.",
    "Weak labels are what a small model says of examples it was not trained on.",
    "Question: Where is Quito? Answer: In Ecuador.",
)
"""What the toy tokenizers are trained on."""

VOCABULARY = 320

OF_STUDIES = (
    *("transformers.models.llama.modeling_llama", "transformers.models.gpt2.modeling_gpt2"),
    *("polars", "weak2strong.engine.run", "weak2strong.cli.commands"),
)
"""What a study of toy models imports besides the libraries of `ground.processes`."""


def pytest_configure(config):
    if "gpu" not in (config.option.markexpr or "").replace("not gpu", ""):
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """While modules are imported there is no garbage to speak of."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish():
    """What the imports made stays to the end: the collector of garbage need not look at it.

    Nor need it look as often as it does by itself, which took time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def one_processor():
    """A study is done in this process, which has the libraries loaded, on every machine.

    A worker process takes seconds to load them; a test of workers asks for them by a `Plan`.
    """
    from weak2strong.engine import places

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "processors", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def copies_have_loaded_all():
    """Workers and `copied` processes begin with all that they need, not with libraries alone."""
    from weak2strong.ground import processes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "LIBRARIES", (*processes.LIBRARIES, *OF_STUDIES))
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_are_read_once():
    """What the parser makes of a command's fields is the same each time, and takes a fifth of a
    second for the flags of a study."""
    from tyro._parsers import ParserSpecification

    read, known = ParserSpecification.from_callable_or_type, {}

    def once(f, **given):
        if callable(given["description"]):  # of fields within a command
            return read(f, **given)
        beside = {k: v for k, v in given.items() if k not in ("markers", "parent_classes")}
        try:
            key = (f, frozenset(given["markers"]), *beside.items())
            if key not in known:
                known[key] = read(f, **given)
        except TypeError:  # something that has no hash
            return read(f, **given)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ParserSpecification, "from_callable_or_type", staticmethod(once))
        yield read


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_disks():
    """Only a machine that loses its power could tell, and waiting takes milliseconds a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_network():
    """Any address but this machine's own fails the test, whoever catches exceptions."""

    def local(host):
        if host in (None, "", "localhost", b"localhost", socket.gethostname()):
            return True
        try:
            return ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
        except ValueError:
            return False

    def guarded(name):
        original = getattr(socket.socket, name)

        def connect(self, address):
            if isinstance(address, tuple) and not local(address[0]):
                pytest.fail(f"a test reached for the network: {address}")
            return original(self, address)

        return connect

    resolve = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        if not local(host):
            pytest.fail(f"a test reached for the network: {host}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, guarded(name))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def own_store(tmp_path_factory, monkeypatch):
    """The default store is a folder of the test's own."""
    root = tmp_path_factory.getbasetemp() / "stores" / uuid.uuid4().hex
    monkeypatch.setenv("W2S_STORE", str(root))


@pytest.fixture(scope="session")
def undrawn_pages():
    """A context in which pages have all but the shapes of their figures, which take the time."""

    @contextmanager
    def undrawn():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("weak2strong.report.pictures.drawn_inline", lambda *_: "<svg></svg>")
            yield

    return undrawn


@pytest.fixture
def undrawn(undrawn_pages):
    """The pages of a test have all but the shapes of their figures."""
    with undrawn_pages():
        yield


@pytest.fixture
def copied():
    """Starts a process that runs some code, with the libraries loaded, as workers start.

    The code has ``arguments``, a list of words, and the names that are passed.
    """
    from weak2strong.ground.processes import starting, without_main

    context, started = starting(loaded=True), []

    def start(code, *arguments, **names):
        given = {"__name__": "__main__", "arguments": list(map(str, arguments)), **names}
        process = context.Process(target=exec, args=(code, given))
        started.append(process)
        with without_main():
            process.start()
        return process

    start.pipe = context.Pipe
    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory):
    """Folders of tiny random models by name, as `from_pretrained` reads them.

    ``llama``: a decoder with a pad token. ``gpt2``: a decoder whose tokenizer has
    none. ``bert``: an encoder with ``[CLS]`` and a pad token. All take 64 tokens.
    """
    import torch
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
    )

    root = tmp_path_factory.mktemp("toys")
    tokenizers = {
        "llama": _tokenizer(bos_token="<s>", eos_token="</s>", pad_token="<pad>"),
        "gpt2": _tokenizer(bos_token="<end>", eos_token="<end>"),
        "bert": _tokenizer(cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]"),
    }

    def special(name):
        roles = ("bos_token_id", "eos_token_id", "pad_token_id")
        return {role: getattr(tokenizers[name], role) for role in roles}

    stack = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
        # Wider than usual, so that a random trunk tells texts apart.
        "initializer_range": 0.2,
    }
    small = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        models = {
            "llama": LlamaForCausalLM(LlamaConfig(**stack, **special("llama"))),
            "gpt2": GPT2LMHeadModel(GPT2Config(**small, initializer_range=0.2, **special("gpt2"))),
            "bert": BertForMaskedLM(BertConfig(**stack, **special("bert"))),
        }
    for name, model in models.items():
        model.save_pretrained(root / name)
        tokenizers[name].save_pretrained(root / name)
    return {name: root / name for name in models}


@pytest.fixture(scope="session")
def quick_study(toy_models):
    """Toy models on a real task, one seed, both methods; a fit takes a fraction of a second."""
    from weak2strong.config.model import ModelSpec
    from weak2strong.config.study import StudyConfig
    from weak2strong.config.training import Training

    quick = Training(epochs=1, evaluations=2, learning_rate=3e-3)
    return StudyConfig(
        tasks=("atlas-landlocked",),
        weak=ModelSpec(str(toy_models["gpt2"])),
        strong=ModelSpec(str(toy_models["llama"])),
        seeds=1,
        weak_training=quick,
        strong_training=quick,
    )


def _tokenizer(**special):
    """A byte-level BPE tokenizer; with a bos or cls token, every text begins with it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(dict.fromkeys(special.values())),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    templates = {"<s>": "<s> $A", "[CLS]": "[CLS] $A [SEP]"}
    for first, template in templates.items():
        if first in special.values():
            used = [t for t in template.split() if t != "$A"]
            tokenizer.post_processor = processors.TemplateProcessing(
                single=template, special_tokens=[(t, tokenizer.token_to_id(t)) for t in used]
            )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=64,
        clean_up_tokenization_spaces=False,
        **special,
    )
