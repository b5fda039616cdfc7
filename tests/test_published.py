"""What is published says the same everywhere, and recipes are found wherever the package is."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import weak2strong
from weak2strong.cli import main
from weak2strong.config import recipes as module
from weak2strong.config.recipes import recipe_at, recipes

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_citation_is_of_this_version_and_licence(project):
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["version"] == weak2strong.__version__
    assert cited["license"] == project["project"]["license"]
    assert cited["repository-code"] == project["project"]["urls"]["Source"]
    assert cited["abstract"] == project["project"]["description"]


def test_workflows_run_what_ci_runs_and_keep_no_token(project):
    flows = {p.stem: yaml.safe_load(p.read_text("utf-8")) for p in ROOT.glob(".github/*/*.yml")}
    assert sorted(flows) == ["release", "tests"]
    ours = re.findall(r"^make (\S+)", (ROOT / ".ci" / "run").read_text("utf-8"), re.MULTILINE)
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    # Windows has no make: there the tests are called as the Makefile calls them.
    assert [f"make {name}" in text for name in ours if name != "test"] == [True] * (len(ours) - 1)
    assert '-m "not slow and not gpu"' in text
    matrix = flows["tests"]["jobs"]["tests"]["strategy"]["matrix"]
    systems = {*matrix["os"], *(more["os"] for more in matrix["include"])}
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}
    declared = {
        line.rpartition(" ")[2]
        for line in project["project"]["classifiers"]
        if re.search(r"Python :: 3\.\d+$", line)
    }
    assert declared <= set(matrix["python"])
    assert flows["release"]["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text


def test_every_recipe_is_in_the_wheel_and_found_by_name(project, monkeypatch, tmp_path, capsys):
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"recipes": "weak2strong/recipes"}
    files = set((ROOT / "recipes").rglob("*.yaml"))
    assert set(recipes().values()) == files
    monkeypatch.chdir(tmp_path)
    for name in ("eleuther_2024", "eleuther_2024.yaml", "recipes/eleuther_2024.yaml"):
        assert recipe_at(Path(name)) == ROOT / "recipes" / "eleuther_2024.yaml"
    assert recipe_at(Path("embedded/eleuther_2024")).parent.name == "embedded"
    assert recipe_at(Path("nowhere")) == Path("nowhere")
    assert main(["run", "embedded/burns_2023_saliency", "--dry-run"]) == 0
    assert "Plan of" in capsys.readouterr().out
    # A file of that name comes first.
    Path("eleuther_2024").write_text("tasks: [atlas-asia]\nseeds: 2\n", encoding="utf-8")
    assert recipe_at(Path("eleuther_2024")) == Path("eleuther_2024")


def test_a_wheel_has_its_recipes_inside_of_the_package(monkeypatch, tmp_path):
    inside = tmp_path / "weak2strong" / "recipes" / "embedded"
    inside.mkdir(parents=True)
    (inside / "one.yaml").write_text("", encoding="utf-8")
    monkeypatch.setattr(module, "FOLDERS", (inside.parent, tmp_path / "recipes"))
    recipes.cache_clear()
    assert recipe_at(Path("embedded/one")) == inside / "one.yaml"
    recipes.cache_clear()
