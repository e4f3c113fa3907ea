"""The tokenizer of a GGUF file as tokenizer.json and tokenizer_config.json, the form of Hugging Face's libraries."""

import json
from pathlib import Path

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CONTROL, DEFINED_BY_USER = 3, 4  # types of tokens

# How text is cut before its pieces become tokens, by the file's tokenizer.ggml.pre.
CUTS = {
    "gpt-2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
    "smollm": [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)],
}


def write(fields: dict, folder: Path) -> None:
    kind, cut = fields["tokenizer.ggml.model"], fields.get("tokenizer.ggml.pre", "gpt-2")
    if kind != "gpt2" or cut not in CUTS:
        raise ValueError(f"a tokenizer '{kind}' that cuts text like '{cut}'; there are gpt2 and {', '.join(CUTS)}")
    words = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(CUTS[cut])
    tokenizer.decoder = decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"]
    for special in (True, False):
        kind = CONTROL if special else DEFINED_BY_USER
        added = [AddedToken(word, normalized=False, special=special) for word, t in zip(words, types) if t == kind]
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)(added)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    ids = {name: fields.get(f"tokenizer.ggml.{key}_token_id") for name, key in names.items()}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": fields.get("tokenizer.chat_template"),
        **{name: words[i] for name, i in ids.items() if i is not None},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def fields_of(reader: gguf.GGUFReader) -> dict:
    return {name: field.contents() for name, field in reader.fields.items()}
