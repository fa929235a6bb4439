"""What is left out while transformers is imported changes nothing but the time that it takes.

Run with: python -m pytest tests/pipeline/models/test_imports.py
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
import transformers
from transformers.utils import import_utils

from pipeline.models import encoders, imports
from tests import alone

SMALL = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 200,
}
IDS = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
FAMILIES = {
    "Bert": SMALL,
    "Roberta": SMALL,
    "XLMRoberta": SMALL,
    "Electra": {**SMALL, "embedding_size": 4},
    "DebertaV2": {**SMALL, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "MPNet": SMALL,
    "Albert": {**SMALL, "embedding_size": 4},
    "ModernBert": {**SMALL, "pad_token_id": 0, **IDS},
    "DistilBert": {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "vocab_size": 200},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_encoder_is_what_the_library_alone_makes_of_its_files(family, tmp_path):
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    torch.manual_seed(5)
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path)
    encoders.characters.tokenizer().save_pretrained(tmp_path)
    found, _ = encoders.open_folder(tmp_path, 0.0)
    expected = transformers.AutoModel.from_pretrained(tmp_path, dtype="float32")
    for mine, theirs in (
        (found.state_dict(), expected.state_dict()),
        (dict(found.named_buffers()), dict(expected.named_buffers())),
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
    assert {each.device.type for each in found.parameters()} == {"cpu"}
    inputs = {"input_ids": torch.tensor([[1, 2, 3, 4]]), "attention_mask": torch.ones(1, 4)}
    with torch.inference_mode():
        hidden = [each.eval()(**inputs).last_hidden_state for each in (found, expected)]
    torch.testing.assert_close(*hidden, rtol=0, atol=0)


def test_reading_an_encoder_draws_no_random_numbers(tmp_path):
    transformers.BertModel(transformers.BertConfig(**SMALL)).save_pretrained(tmp_path)
    encoders.characters.tokenizer().save_pretrained(tmp_path)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    encoders.open_folder(tmp_path, 0.0)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


LATER = {
    "the compiler is there for who asks for it": (
        "import torch._dynamo; print(torch._dynamo.config.recompile_limit > 0)"
    ),
    "its marks work": (
        "import torch; f = torch.compiler.disable(lambda: 3);"
        "print(f() == 3 and 'torch._dynamo' in sys.modules)"
    ),
    "its class of masks too": (
        "import torch; from transformers import masking_utils\n"
        "with masking_utils.TransformGetItemToIndex(): print(True)"
    ),
    "scipy is available": "print(library.utils.is_scipy_available())",
    "torch.distributed is available": (
        "print(library.utils.import_utils.is_torch_distributed_available())"
    ),
    "models have been found": "print('bert.modeling_bert' in str(library.models._class_to_module))",
    "pandas is not shut out": "import pandas; print(True)",
}
IMPORTED = "import sys\nfrom pipeline.models import imports\nlibrary = imports.transformers()\n"


@pytest.mark.parametrize("code", LATER.values(), ids=LATER)
def test_nothing_is_hidden_afterwards(code):
    absent = "assert 'torch._dynamo' not in sys.modules\n"
    assert alone.printed(IMPORTED + absent + code) == "True"


def test_a_version_that_asks_for_more_is_imported_as_it_is():
    code = (
        "import sys\n"
        "from pipeline.models import imports\n"
        "imports._MARKS = ()\n"
        "print(imports.transformers().BertModel.__name__, 'torch._dynamo' in sys.modules)"
    )
    assert alone.printed(code) == "BertModel True"


def test_the_list_of_models_is_the_librarys_own():
    folder = Path(transformers.__file__).parent / "models"
    expected = import_utils.define_import_structure.__wrapped__(str(folder / "__init__.py"))
    with imports._models_listed_once(transformers):
        found = import_utils.define_import_structure(str(folder / "__init__.py"))
    assert {key: value for key, value in found.items() if value} == {
        key: value for key, value in expected.items() if value
    }


@pytest.mark.parametrize("installed", [True, False])
def test_sharded_tensors_are_shut_out_only_where_nothing_asks_for_them(installed, tmp_path):
    """Accelerate imports them when transformers saves a model, as it does where it is installed."""
    if installed:
        (tmp_path / "accelerate.py").touch()
    elif importlib.util.find_spec("accelerate"):
        pytest.skip("accelerate is installed")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from pipeline.models import imports\n"
        "with imports.unsharded(): print('torch.distributed.tensor' in sys.modules)\n"
        "assert sys.modules.get('torch.distributed.tensor', 1) is not None"
    )
    assert alone.printed(code) == str(not installed)
