"""What torch_models.py knows of a family: a model, its inputs for two shapes, and how to call it."""

import dataclasses
import inspect
from collections.abc import Callable

import torch


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def floats(*shape):
    return torch.randn(*shape, generator=seeded(sum(shape)))


def images(*shape):
    return torch.rand(*shape, generator=seeded(sum(shape)))


def ids(*shape, below=90, start=3):
    return torch.randint(start, below, shape, generator=seeded(sum(shape)))


def mask(batch, length, padding=2):
    """Ones; the first row ends in padding, and no other."""
    m = torch.ones(batch, length, dtype=torch.int64)
    m[0, length - padding :] = 0
    return m


def by_name(model, inputs):
    return model(**inputs)


def by_position(model, inputs):
    return model(*inputs.values())


@dataclasses.dataclass
class Family:
    """`given` makes inputs by name from the sizes; `sizes` are tuples of its arguments, one for each set."""

    model: torch.nn.Module
    given: Callable
    sizes: tuple
    call: Callable = by_name

    def sets(self):
        return [self.given(*size) for size in self.sizes]


def pixels(model, size=64, batches=(1, 3), channels=3, call=by_position):
    """A model of images whose batch is dynamic."""
    make = lambda n: {"pixels": images(n, channels, size, size)}
    return Family(model, make, tuple((n,) for n in batches), call)


def any_pixels(model, sizes=((1, 64, 96), (2, 96, 64)), channels=3, call=by_position):
    """A model of images whose batch, height and width are dynamic."""
    return Family(model, lambda n, h, w: {"pixels": images(n, channels, h, w)}, sizes, call)


def accepted(model, inputs):
    """Those inputs that the model's forward has a parameter for."""
    parameters = inspect.signature(model.forward).parameters
    return {k: v for k, v in inputs.items() if k in parameters}


def words(model, sizes=((2, 7), (1, 12)), names="input_ids attention_mask token_type_ids", call=by_name):
    """A model of token ids, of which one row is padded."""

    def make(n, length):
        given = {
            "input_ids": ids(n, length),
            "attention_mask": mask(n, length),
            "token_type_ids": ids(n, length, below=2, start=0),
        }
        return accepted(model, {k: given[k] for k in names.split()})

    return Family(model, make, sizes, call)


def with_past(model, sizes=((2, 3, 5), (3, 4, 8), (1, 1, 9))):
    """A decoder with a cache of keys and values: new tokens, the mask over all, and the past of each layer."""
    from transformers import DynamicCache

    config = model.config.get_text_config(decoder=True)
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    layers = config.num_hidden_layers

    def make(n, length, past):
        inputs = {"input_ids": ids(n, length), "attention_mask": torch.ones(n, past + length, dtype=torch.int64)}
        inputs["attention_mask"][0, :2] = 0
        inputs["position_ids"] = torch.arange(past, past + length).repeat(n, 1)
        for i in range(layers):
            inputs[f"past_key_{i}"] = floats(n, heads, past, width)
            inputs[f"past_value_{i}"] = floats(n, heads, past, width) / 2
        return inputs

    def call(model, inputs):
        cache = DynamicCache([(inputs[f"past_key_{i}"], inputs[f"past_value_{i}"]) for i in range(layers)])
        names = accepted(model, {k: v for k, v in inputs.items() if not k.startswith("past_")})
        out = model(**names, past_key_values=cache, use_cache=True)
        return out.logits, out.past_key_values

    return Family(model, make, sizes, call)
