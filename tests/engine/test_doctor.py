"""The doctor tells what is so on a machine, and what to do; it shows no token."""

import json
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from weak2strong.cli import main
from weak2strong.engine.doctor import folders, machine, packages
from weak2strong.engine.doctor.folders import file_system
from weak2strong.models.devices import FAKE

ROOT = Path(__file__).parents[2]


def findings(capsys, *words):
    """What `w2s doctor` found, by what it is about; the last where there are several."""
    assert main(["doctor", "--json", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    problems = sum(row["level"] == "problem" for row in told["findings"])
    assert told["problems"] == problems
    return {row["about"]: row for row in told["findings"]}


def test_this_machine_is_told_without_a_problem(capsys, tmp_path):
    found = findings(capsys, "--store", str(tmp_path))
    assert found["device"]["found"].startswith("CPU, ")
    assert found["locks of the store"]["found"].startswith("they hold")
    assert found["links of the store"]["found"] == "hard links work"
    assert found["hub"]["found"].startswith("not asked, as offline mode is set")
    assert str(tmp_path) in found["store"]["found"]
    # Which packages there are is not this test's business.
    problems = {name for name, row in found.items() if row["level"] == "problem"}
    assert problems <= packages.TESTED.keys()
    # What was tried there has left nothing behind.
    assert [p.name for p in tmp_path.rglob("*")] == ["locks"]


def test_the_table_ends_in_how_many_problems_there_are(capsys, monkeypatch):
    for names, told in ((("numpy",), "No problems."), (("numpy", "nowhere"), "1 problem.")):
        monkeypatch.setattr(packages, "TESTED", dict.fromkeys(names, "1.0"))
        assert main(["doctor"]) == 0
        assert capsys.readouterr().out.rstrip().endswith(told)


def test_a_token_is_told_by_its_place_alone(capsys, monkeypatch, tmp_path):
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    assert findings(capsys)["token of the hub"]["todo"].endswith("hf auth login")
    (tmp_path / "token").write_text("hf_secret")
    assert findings(capsys)["token of the hub"]["found"] == f"in the file {tmp_path / 'token'}"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert main(["doctor"]) == 0
    shown = capsys.readouterr()
    assert "in the variable HF_TOKEN" in shown.out
    assert "secret" not in shown.out + shown.err


def test_a_store_that_cannot_be_is_a_problem_and_no_error(capsys, tmp_path):
    (tmp_path / "file").touch()
    found = findings(capsys, "--store", str(tmp_path / "file" / "store"))
    assert found["store"]["level"] == "problem"
    assert "a folder above it, is a file" in found["store"]["found"]
    assert "locks of the store" not in found


def test_locks_that_do_not_hold_and_links_that_fail_are_told(capsys, monkeypatch):
    class Loose:
        def __init__(self, *args, **options):
            pass

        def acquire(self, timeout):
            import contextlib

            return contextlib.nullcontext()

        def release(self):
            pass

    def refuse(*args):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("filelock.FileLock", Loose)
    monkeypatch.setattr("os.link", refuse)
    found = findings(capsys)
    assert found["locks of the store"]["found"].startswith("they do not hold")
    assert "one study at a time" in found["locks of the store"]["todo"]
    assert "none (Operation not permitted)" in found["links of the store"]["found"]


def test_a_disk_with_little_room_is_told(capsys, monkeypatch):
    monkeypatch.setattr(folders, "free_bytes", lambda folder: 10**9)
    found = findings(capsys)
    assert found["store"]["level"] == found["cache of the hub"]["level"] == "note"
    assert "w2s store prune" in found["store"]["todo"]


def test_the_file_system_is_that_of_the_longest_mount_point(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    inner = tmp_path / "a b" / "c"
    inner.mkdir(parents=True)
    outer = str(inner.parent).replace(" ", r"\040")
    mounts.write_text(f"x / ext4 rw 0 0\nx {outer} xfs rw 0 0\nserver:/y {outer} nfs4 rw 0 0\n")
    monkeypatch.setattr(folders, "MOUNTS", mounts)
    assert file_system(inner) == "nfs4"
    assert file_system(tmp_path) == "ext4"
    monkeypatch.setattr(folders, "MOUNTS", tmp_path / "nowhere")
    assert file_system(inner) == "file system not told"


@pytest.mark.parametrize(
    ("visible", "built", "found", "todo"),
    [
        ("", "12.8", "no GPU is visible", "unset CUDA_VISIBLE_DEVICES"),
        (None, None, "is built without CUDA", "install PyTorch for CUDA"),
        (None, "12.8", "CUDA fails: the driver is too old", "take a driver for CUDA 12.8"),
    ],
)
def test_gpus_that_pytorch_does_not_see_are_a_problem(monkeypatch, visible, built, found, todo):
    def fails():
        raise RuntimeError("the driver is too old\nand more")

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(machine, "driver", lambda: "550.1")
    monkeypatch.setattr("torch.version.cuda", built)
    monkeypatch.setattr("torch.cuda.init", fails)
    told = machine._driver(machine.devices())
    assert told.level == "problem"
    assert found in told.found
    assert todo in told.todo


def test_gpus_are_told_by_kind(capsys, monkeypatch):
    monkeypatch.setenv(FAKE, "cuda:8:24000000000")
    assert findings(capsys)["device"]["found"] == "8 x fake cuda, 22.4 GiB"


def test_the_limit_of_a_container_is_told(capsys, monkeypatch, tmp_path):
    (tmp_path / "max").write_text(f"{2**29}\n")
    monkeypatch.setattr(machine, "LIMITS", (str(tmp_path / "nowhere"), str(tmp_path / "max")))
    found = findings(capsys)["memory"]
    assert found["found"].endswith("this container may take 0.5 GiB")
    (tmp_path / "max").write_text("max\n")
    assert "container" not in findings(capsys)["memory"]["found"]


def test_the_tested_versions_are_those_that_we_install():
    pinned = dict(
        line.lower().split("==") for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    )  # fmt: skip
    assert {name: pinned[name] for name in packages.TESTED} == packages.TESTED
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.split("[>=]", line)[0] for line in project["dependencies"]}
    assert asked <= packages.TESTED.keys()
    assert packages.TESTED.keys() - asked == packages.EXTRAS.keys()
    for name, (extra, _) in packages.EXTRAS.items():
        assert any(line.startswith(name) for line in project["optional-dependencies"][extra])


def test_packages_that_lack_or_are_too_old_are_problems(monkeypatch):
    def version(name):
        if name in ("tyro", "ray"):
            raise packages.PackageNotFoundError
        return {"numpy": "1.0", "torch": "2.13.0+cpu", "peft": "0.99"}[name]

    monkeypatch.setattr(packages, "version", version)
    names = ("tyro", "ray", "numpy", "torch", "peft")
    monkeypatch.setattr(packages, "TESTED", {name: packages.TESTED[name] for name in names})
    ranges = SimpleNamespace(requires=lambda name: ["numpy>=2.0", "torch>=2.6"])
    monkeypatch.setattr(packages, "requires", ranges.requires)
    found = {one.about: one for one in packages.packages()}
    assert [found[name].level for name in names] == ["problem", "fine", "problem", "fine", "fine"]
    assert found["numpy"].found == "1.0, and >=2.0 is needed"
    assert found["tyro"].todo == 'pip install "tyro==1.0.17"'
    assert found["torch"].found == "2.13.0+cpu, as tested"
    assert found["peft"].found == "0.99, tested with 0.21.2"
    assert "weak2strong[ray]" in found["ray"].todo
