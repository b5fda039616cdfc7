"""What is on the hub is brought here: tried on a hub that this process serves.

The hub's own library asks it, by HTTP.
"""

import json
import threading
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import polars as pl
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load

from weak2strong.cli import main
from weak2strong.config.data import DataOptions
from weak2strong.config.model import ModelSpec
from weak2strong.config.study import StudyConfig
from weak2strong.engine import fetch
from weak2strong.models import pickled
from weak2strong.models.hub import commit_once
from weak2strong.models.load import load_model
from weak2strong.tasks.find import find_task

CONVERTED = "refs/convert/parquet"


class Hub:
    """Repositories by kind, id and revision, as files by name.

    Attributes:
        gated: ids of which nobody may have the files.
        asked: every method and path.
        broken: how often a file by this name still breaks in the middle.
    """

    def __init__(self):
        self.repos, self.gated, self.asked, self.broken = {}, set(), [], {}

    def put(self, kind, name, files, revision="main"):
        files = {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}
        commit = sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repos.setdefault((kind, name), {}).update({revision: files, commit: files})
        self.repos[kind, name][revision, "commit"] = commit
        self.repos[kind, name][commit, "commit"] = commit
        return commit

    @property
    def fetched(self):
        """Names of the files that were sent."""
        return sorted(path.rpartition("/")[2] for method, path in self.asked if method == "GET"
                      and "/resolve/" in path)  # fmt: skip

    def answer(self, method, path):
        """Status, headers and content."""
        self.asked.append((method, path))
        parts = path.strip("/").split("/")
        if parts[0] == "api":
            return self._about(parts[1], "/".join(parts[2:4]), parts[4:])
        kind = "datasets" if parts[0] == "datasets" else "models"
        parts = parts[1:] if kind == "datasets" else parts
        name, revision, file = "/".join(parts[:2]), unquote(parts[3]), unquote("/".join(parts[4:]))
        repo = self.repos.get((kind, name))
        if repo is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if name in self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        files = repo.get(revision, {})
        if file not in files:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        commit, etag = repo[revision, "commit"], sha1(files[file]).hexdigest()
        return 200, {"X-Repo-Commit": commit, "ETag": f'"{etag}"'}, files[file]

    def _about(self, kind, name, rest):
        repo = self.repos.get((kind, name))
        if repo is None:
            return 401, {"X-Error-Code": "RepoNotFound"}, b""
        revision = unquote(rest[1]) if rest else "main"
        if revision not in repo:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        files = repo[revision]
        found = {"id": name, "sha": repo[revision, "commit"], "tags": []}
        found["siblings"] = [{"rfilename": file} for file in files]
        if rest[:1] == ["tree"]:
            found = [
                {"type": "file", "path": n, "size": len(c), "oid": sha1(c).hexdigest()}
                for n, c in files.items()
            ]
        return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()


@contextmanager
def served(hub):
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send(*hub.answer("HEAD", urlsplit(self.path).path), whole=False)

        def do_GET(self):
            path = urlsplit(self.path).path
            status, headers, content = hub.answer("GET", path)
            begin = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
            name = path.rpartition("/")[2]
            left = hub.broken.get(name, 0)
            hub.broken[name] = left - 1
            self.send(206 if begin else status, headers, content[begin:], cut=left > 0)

        def send(self, status, headers, content, whole=True, cut=False):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if whole:
                self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub with nothing yet, and an empty cache; the network is on."""
    commit_once.cache_clear()
    one = Hub()
    with served(one) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield one


@pytest.fixture
def offline(monkeypatch):
    """Turn the network off."""

    def turn_off():
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")

    return turn_off


def files_of(folder):
    """The content of the files below a folder by their names in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def parquet(first, count):
    numbers = range(first, first + count)
    file = BytesIO()
    pl.DataFrame(
        {"text": [f"Number {i}" for i in numbers], "label": [i % 2 for i in numbers]}
    ).write_parquet(file)
    return file.getvalue()


UNWANTED = {
    "pytorch_model.bin": b"x" * 999,
    "model.fp16.safetensors": b"x" * 999,
    "onnx/model.onnx": b"x" * 999,
    "onnx/config.json": "{}",
    "picture.png": b"x",
}


def test_a_study_is_fetched_and_runs_without_a_network(hub, toy_models, tmp_path, capsys, offline):
    weak = hub.put("models", "some/weak", files_of(toy_models["gpt2"]) | UNWANTED)
    hub.put("models", "some/strong", files_of(toy_models["llama"]), revision="v2")
    data = hub.put("datasets", "some/data", {
        "data/train-00000-of-00002.parquet": parquet(0, 60),
        "data/train-00001-of-00002.parquet": parquet(60, 60),
        "data/test-00000-of-00001.parquet": parquet(500, 50),
        "README.md": "---\nlicense: mit\n---\n",
    })  # fmt: skip
    bench = hub.put("datasets", "some/bench", {"run.py": ""})
    hub.put("datasets", "some/bench", {"plain/train/0000.parquet": parquet(900, 40)}, CONVERTED)
    study = StudyConfig(
        tasks=("some/data",),
        weak=ModelSpec("some/weak"),
        strong=ModelSpec("some/strong", "v2"),
        data=DataOptions(test_on="some/bench"),
    )
    file = tmp_path / "study.yaml"
    file.write_text(study.to_yaml())
    assert main(["fetch", str(file), "atlas-asia", "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in told["downloads"]}
    assert rows["some/weak"]["commit"] == weak
    assert rows["some/weak"]["bytes"] == sum(map(len, files_of(toy_models["gpt2"]).values()))
    # With the card, which may say which files are which split.
    assert (rows["some/data"]["commit"], rows["some/data"]["files"]) == (data, 3)
    assert rows["some/bench"]["commit"] != bench
    assert rows["atlas-asia"]["bytes_missing"] == 0
    assert told["bytes_missing"] == sum(row["bytes_missing"] for row in rows.values())
    assert not {*UNWANTED, "test-00000-of-00001.parquet"} & {*hub.fetched}
    # Once more nothing has to be fetched.
    hub.asked.clear()
    assert main(["fetch", str(file), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes_missing"] == 0
    assert {*hub.fetched} <= {"config.json"}
    offline()
    for model in (study.weak, study.strong):
        network = load_model(model, "classification", 2, 0).network
        assert sum(p.numel() for p in network.trunk.parameters()) > 10_000
    task = find_task("some/data", study.data)
    assert (task.name, len(task.load())) == ("some-data-on-some-bench-plain", 160)
    assert task.revision == data


def run(*words):
    """The exit code of `w2s fetch`, without the hub's bars."""
    return main(["fetch", *words, "--quiet"])


def test_a_dry_run_fetches_nothing(hub, toy_models, tmp_path, capsys):
    commit = hub.put("models", "some/model", files_of(toy_models["gpt2"]))
    assert run("some/model", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bytes_missing"] == sum(map(len, files_of(toy_models["gpt2"]).values()))
    assert told["downloads"][0]["commit"] == commit
    assert {*hub.fetched} <= {"config.json"}
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert not (tmp_path / "cache" / "models--some--model" / "refs").exists()


def test_several_weights_are_those_that_the_list_of_them_names(hub, capsys):
    weights = {"a": "two.safetensors", "b": "one.safetensors"}
    hub.put("models", "some/model", {
        "config.json": "{}",
        "model.safetensors.index.json": json.dumps({"weight_map": weights}),
        "one.safetensors": b"1" * 100, "two.safetensors": b"2" * 100,
        "three.safetensors": b"3" * 100,
    })  # fmt: skip
    assert run("some/model") == 0
    # Twice: the list is read before sizes can be told.
    assert [name for name in hub.fetched if name.endswith("safetensors")] == [
        "one.safetensors", "two.safetensors"
    ]  # fmt: skip


def test_weights_that_are_pickles_alone_are_fetched_and_read_without_a_network(
    hub, toy_models, offline, monkeypatch
):
    """Also a study that fetches for itself finds them."""
    files = files_of(toy_models["llama"])
    weights = load(files.pop("model.safetensors"))
    pickle = BytesIO()
    torch.save(weights, pickle)
    hub.put("models", "some/model", files | {"pytorch_model.bin": pickle.getvalue()})
    spec = ModelSpec("some/model", adaptation="head")
    monkeypatch.setattr(pickled, "_in_a_process", in_this_process)
    (source,) = pickled._pickles(spec)
    assert source.read_bytes() == pickle.getvalue()
    assert run("some/model") == 0
    offline()
    norm = load_model(spec, "classification", 2, 0).network.trunk.norm.weight
    assert torch.equal(norm, weights["model.norm.weight"])


def in_this_process(sources, folder):
    """Pickles are read here, which saves the start of a process."""
    said = []
    pickled._write(SimpleNamespace(send=said.append), sources, folder)
    return said[0]


@pytest.mark.parametrize(("files", "sentence"), [
    ({"config.json": "{}", "flax_model.msgpack": b""}, "no weights in the form safetensors, nor"),
    ({"model.gguf": b""}, "has no config.json, so Transformers cannot load it: look for another"),
])  # fmt: skip
def test_what_cannot_be_loaded_is_not_fetched(hub, capsys, files, sentence):
    hub.put("models", "some/model", files)
    assert run("some/model") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Model some/model has ")
    assert sentence in line


def test_a_gated_model_is_one_sentence_before_anything_is_fetched(
    hub, toy_models, capsys, monkeypatch, tmp_path
):
    hub.put("models", "some/open", files_of(toy_models["gpt2"]))
    hub.put("models", "some/gated", files_of(toy_models["gpt2"]))
    hub.gated.add("some/gated")
    assert run("some/open", "some/gated") == 2
    (line,) = capsys.readouterr().err.splitlines()
    page = f"{constants.ENDPOINT}/some/gated"
    assert line == (
        f"error: Model some/gated is gated: accept its terms on {page}, then log in by `hf auth "
        "login` with a token of that account that may read, from "
        f"{constants.ENDPOINT}/settings/tokens."
    )
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert run("some/gated") == 2
    line = capsys.readouterr().err
    assert "by the account whose token is in the variable HF_TOKEN, which has no access yet" in line
    assert "secret" not in line


def test_a_broken_connection_goes_on_and_what_is_here_stays(hub, tmp_path, monkeypatch, capsys):
    content = bytes(range(256)) * 4096
    files = {"config.json": "{}", "model.safetensors": content, "a.json": "{}"}
    hub.put("models", "some/model", files)
    hub.broken["model.safetensors"] = 1
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert run("some/model") == 0
    (file,) = (tmp_path / "cache").rglob("model.safetensors")
    assert file.read_bytes() == content
    assert hub.fetched.count("model.safetensors") == 2
    # A fetch that fails leaves what has arrived, and the same command asks for the rest.
    hub.put("models", "some/model", files | {"model.safetensors": content[::-1], "b.json": "[]"})
    hub.broken["model.safetensors"] = 99
    assert run("some/model") == 2
    assert "some/model" in capsys.readouterr().err
    # The name stands for the older commit until all of the newer one is here.
    (ref,) = (tmp_path / "cache").rglob("refs/main")
    assert (ref.parents[1] / "snapshots" / ref.read_text() / "model.safetensors").is_file()
    hub.asked.clear()
    hub.broken.clear()
    assert run("some/model") == 0
    assert sorted(set(hub.fetched) - {"config.json"}) == ["model.safetensors"]
    assert (ref.parents[1] / "snapshots" / ref.read_text() / "b.json").is_file()


def test_too_small_a_disk_is_told_before_anything_is_fetched(hub, capsys, monkeypatch):
    hub.put("models", "some/model", {"config.json": "{}", "model.safetensors": b"1" * 5000})
    monkeypatch.setattr(fetch, "free_bytes", lambda folder: 4000)
    assert run("some/model") == 2
    shown = capsys.readouterr()
    assert "set HF_HUB_CACHE to a folder on a larger disk" in shown.err
    assert "some/model" in shown.out
    assert "model.safetensors" not in hub.fetched


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_adapters_bring_the_model_beneath(hub, toy_models, tmp_path, capsys, offline):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(toy_models["llama"])
    adapted = get_peft_model(model, LoraConfig())
    adapted.save_pretrained(tmp_path / "own")
    file = tmp_path / "own" / "adapter_config.json"
    told = json.loads(file.read_text()) | {"base_model_name_or_path": "some/base"}
    file.write_text(json.dumps(told))
    hub.put("models", "some/base", files_of(toy_models["llama"]))
    hub.put("models", "some/adapters", files_of(tmp_path / "own"))
    assert run("some/adapters") == 0
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("some/adapters holds adapters: name this folder as the model: ")
    folder = told.rpartition(" ")[2]
    assert run(folder, str(tmp_path / "own"), "--json") == 0
    rows = json.loads(capsys.readouterr().out)["downloads"]
    assert [row["name"] for row in rows] == ["some/base", folder, str(tmp_path / "own")]
    offline()
    commit_once.cache_clear()
    network = load_model(ModelSpec(folder), "classification", 2, 0).network
    assert sum(p.numel() for p in network.trunk.parameters()) > 10_000


def test_a_name_that_is_both_or_nothing_is_one_sentence(hub, tmp_path, capsys):
    hub.put("models", "some/both", {"config.json": "{}", "model.safetensors": b"1"})
    hub.put("datasets", "some/both", {"train.parquet": parquet(0, 9)})
    assert run("some/both") == 2
    assert "a dataset some/both: write models/some/both or datasets" in capsys.readouterr().err
    assert run("datasets/some/both", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["downloads"]
    assert (row["kind"], row["files"]) == ("dataset", 1)
    assert run("models/some/both", "--json") == 0
    assert json.loads(capsys.readouterr().out)["downloads"][0]["kind"] == "model"
    assert run("some/nothing") == 2
    assert "neither a model nor a dataset some/nothing, or it is pri" in capsys.readouterr().err
    assert run("atlas-asiaa") == 2
    assert "Unknown model or task 'atlas-asiaa': the nearest are" in capsys.readouterr().err
    assert run("./nowhere/at/all") == 2
    assert "'./nowhere/at/all' is no id of a hub model" in capsys.readouterr().err
    (tmp_path / "study.yaml").write_text("tasks: [./nowhere/at/all]")
    assert run(str(tmp_path / "study.yaml")) == 2
    assert "There is no folder ./nowhere/at/all: check the path" in capsys.readouterr().err
    assert run() == 2
    assert "Name what to fetch" in capsys.readouterr().err


def test_subset_and_split_choose_of_datasets_that_are_named(hub, tmp_path, capsys):
    hub.put("datasets", "some/data", {
        "en/train.parquet": parquet(0, 9), "en/test.parquet": parquet(0, 8),
        "de/train.parquet": parquet(0, 7),
    })  # fmt: skip
    assert run("some/data", "--subset", "en", "--split", "test") == 0
    assert hub.fetched == ["test.parquet"]
    assert run("some/data") == 2
    assert "has the subsets de, en: choose one with --subset" in capsys.readouterr().err
    file = tmp_path / "study.yaml"
    file.write_text("seeds: 1")
    assert run(str(file), "--subset", "en") == 2
    assert "leave --subset and --split out" in capsys.readouterr().err


def test_datasets_of_the_literature_bring_all_their_splits(hub, tmp_path):
    names = ("data/train-00000-of-00001.parquet", "data/validation-00000-of-00001.parquet")
    files = {n: parquet(0, len(n)) for n in names}
    hub.put("datasets", "google/boolq", files | {"README.md": "---\nlicense: mit\n---\n"})
    assert run("boolq", "--dry-run") == 0
    assert not (tmp_path / "cache" / "datasets--google--boolq" / "refs").exists()
    assert run("boolq") == 0
    assert hub.fetched == ["README.md", *(name.removeprefix("data/") for name in names)]


def test_nothing_is_looked_up_where_the_network_is_off_or_not_needed(hub, offline, capsys):
    offline()
    assert run("atlas-asia", "atlas-l", "--json") == 0
    assert json.loads(capsys.readouterr().out)["bytes_missing"] == 0
    for name in ("some/model", "boolq", "datasets/some/data", "openai-community/gpt2"):
        assert run(name) == 2
        assert "Offline mode is set, and fetching needs the hub" in capsys.readouterr().err
    assert not hub.asked


def test_all_models_of_a_grid_are_fetched(hub, tmp_path, capsys):
    file = tmp_path / "grid.yaml"
    for name in "ab":
        files = {"config.json": "{}", "model.safetensors": name.encode()}
        hub.put("models", f"some/{name}", files)
    file.write_text("models: [some/a, some/b]\ntasks: [atlas-asia]")
    assert run(str(file), "--json") == 0
    rows = json.loads(capsys.readouterr().out)["downloads"]
    assert [r["name"] for r in rows if r["commit"]] == ["some/a", "some/b"]
    file.write_text("modelz: 3")
    assert run(str(file)) == 2
    assert "modelz" in capsys.readouterr().err
