"""A stage imports only what it uses: no module of the table is there when it has run.

Which modules are loaded is the same on every machine; what they cost is not, and is measured by
`python -m benchmarks overhead`. Run with: python -m pytest tests/test_overhead.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import usage
from pipeline.params import file

ROOT = Path(__file__).resolve().parent.parent
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))
STATISTICS = ("pandas", "scipy", "sklearn")
NETWORK = ("huggingface_hub", "requests", "urllib3")
MODELS = ("torch", "transformers", "tokenizers", "safetensors")
HEAVY = (*STATISTICS, *NETWORK, *MODELS, "dvc")
LIGHT = (*HEAVY, "rich")
# What transformers' and torch's own modules import for things that no encoder does.
UNUSED = (
    *("torch._dynamo", "torch._inductor", "torch.distributed.tensor", "sympy", "torchvision"),
    *("torch.export", "torch._meta_registrations"),
)

# Of what has run, the modules of a list that are loaded; as the last line, whatever it printed.
_REPORT = """
import atexit, json, sys
absent = json.loads(sys.argv.pop())
there = lambda: [name for name in absent if name in sys.modules]
atexit.register(lambda: print(chr(10) + json.dumps(there())))
"""


def loaded(code: str, names: tuple[str, ...], folder: Path, *options: str) -> list[str]:
    """Names of modules that are loaded when the code has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _REPORT + code, *options, json.dumps(names)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def run_stage(line: str, names: tuple[str, ...], folder: Path) -> list[str]:
    stage, *options = line.split()
    code = (
        "import runpy; sys.argv[0] = 'stage'; "
        f"runpy.run_module('stages.{stage}', run_name='__main__', alter_sys=True)"
    )
    return loaded(code, names, folder, *options)


@pytest.mark.parametrize("stage", STAGES)
def test_help_imports_nothing_heavy(stage: str, tmp_path: Path) -> None:
    assert run_stage(f"{stage} --help", HEAVY, tmp_path) == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample profile of two tasks, their encoders tiny."""
    folder = tmp_path_factory.mktemp("overhead")
    values = file.read_yaml(ROOT / "profiles" / "sample.yaml")
    values["data"]["sample"] |= {"train": 20, "dev": 20, "test": 20}
    values["tasks"] = {task: values["tasks"][task] for task in ("cola", "mrpc", "stsb")}
    values["selection"]["tasks"] = ["mrpc"]
    tiny = {"source": "random", "seed": 0, "depth": 2, "hidden": 8, "attention_heads": 2}
    short = {"epochs": 1, "max_length": 16, "encoder": tiny}
    members = {"m1": {"seed": 1}}
    values["teachers"] |= {**short, "tasks": {"mrpc": {}}, "members": members}
    values["student"] |= {**short, "encoder": {**tiny, "layers": "every_second"}}
    (folder / "params.yaml").write_text(json.dumps(values))
    (folder / "README.md").write_bytes((ROOT / "README.md").read_bytes())
    (folder / usage.FOLDER).mkdir(parents=True)  # as DVC's runs leave it
    cost = {"stage": "distil", **usage.measure()}
    (folder / usage.FOLDER / "distil.json").write_text(json.dumps(cost))
    return folder


ENCODER = """
import stages
from pipeline.learning import optimizers
from pipeline.models import checkpoint, encoders
from pipeline.models.model import MultiTaskModel
from pipeline.params import file
from pipeline.tasks import GLUE
from pathlib import Path

params = file.load(Path(sys.argv[1]))
settings = params.student
encoder, tokenizer = encoders.load(settings.encoder, settings.dropout)
model = MultiTaskModel(encoder, {"rte": GLUE["rte"]}, {"rte": settings.head})
for name in ("adamw", "adamax"):
    changed = settings.model_copy(update={"optimizer": name, "layer_decay": 0.9})
    optimizer = optimizers.build(optimizers.groups(model, changed), changed, "cpu")
    batch = {key: value for key, value in tokenizer(["a cat"], return_tensors="pt").items()}
    model.train()("rte", batch).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
checkpoint.save(model, tokenizer, Path("model"))
"""


def test_an_encoder_is_read_cut_trained_and_saved_without_what_it_does_not_use(
    tmp_path: Path,
) -> None:
    sample = str(ROOT / "profiles" / "sample.yaml")
    assert loaded(ENCODER, (*STATISTICS, *UNUSED), tmp_path, sample) == []


# In the order they need one another. `plan` reads the encoders' tokenizers.
RUNS = {
    **{f"download --task {task}": LIGHT for task in ("cola", "mrpc", "stsb")},
    **{f"prepare --task {task}": LIGHT for task in ("cola", "mrpc", "stsb")},
    "select": LIGHT,
    "start --member m1": LIGHT,
    "teach --task mrpc --member m1 --fold all": (*STATISTICS, *UNUSED),
    "ensemble --task mrpc": LIGHT,
    "distil": (*STATISTICS, *UNUSED),
    "baseline": (*STATISTICS, *UNUSED),
    "evaluate": LIGHT,
    "results": LIGHT,
    "usage": LIGHT,
    "plan": (*STATISTICS, "torch", "transformers"),
}


@pytest.mark.parametrize("line", RUNS)
def test_a_stage_imports_only_what_it_uses(line: str, folder: Path) -> None:
    assert run_stage(line, RUNS[line], folder) == []
