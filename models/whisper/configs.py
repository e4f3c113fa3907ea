"""What transformers' libraries ask about a Whisper beside its weights, from CTranslate2's config.json and the tokenizer."""

import json
import re
from pathlib import Path

import numpy as np

MOST_TOKENS, SECONDS, RATE, WINDOW, HOP = 448, 30, 16000, 400, 160


def write(weights: dict[str, np.ndarray], source: Path, folder: Path) -> None:
    tokens = {token["content"]: token["id"] for token in json.loads((source / "tokenizer.json").read_text())["added_tokens"]}
    given = json.loads((source / "config.json").read_text())
    words, width = weights["decoder/embeddings/weight"].shape
    inner = weights["decoder/layer_0/ffn/linear_0/weight"].shape[0]
    bands = weights["encoder/conv1/weight"].shape[1]
    languages = {token: i for token, i in tokens.items() if re.fullmatch(r"<\|[a-z]{2,3}\|>", token)}
    multilingual = words > 51864  # the models for English have one token less, and the languages' tokens without a use
    special = {"decoder_start_token_id": tokens["<|startoftranscript|>"]}
    special |= dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), tokens["<|endoftext|>"])

    def layers(part: str) -> int:
        return sum(name.startswith(part) and name.endswith("self_attention/linear_0/weight") for name in weights)

    def dump(name: str, content: dict) -> None:
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")

    dump(
        "config.json",
        {
            "architectures": ["WhisperForConditionalGeneration"],
            "model_type": "whisper",
            "is_encoder_decoder": True,
            "vocab_size": words,
            "d_model": width,
            "num_mel_bins": bands,
            "max_source_positions": weights["encoder/position_encodings/encodings"].shape[0],
            "max_target_positions": MOST_TOKENS,
            **special,
            **{f"{part}_layers": layers(part) for part in ("encoder", "decoder")},
            **{f"{part}_attention_heads": int(weights[f"{part}/num_heads"]) for part in ("encoder", "decoder")},
            **{f"{part}_ffn_dim": inner for part in ("encoder", "decoder")},
        },
    )
    tasks = {"lang_to_id": languages, "task_to_id": {task: tokens[f"<|{task}|>"] for task in ("transcribe", "translate")}}
    dump(
        "generation_config.json",
        {
            **special,
            "max_length": MOST_TOKENS,
            "is_multilingual": multilingual,
            "no_timestamps_token_id": tokens["<|notimestamps|>"],
            "suppress_tokens": given.get("suppress_ids", []),
            "begin_suppress_tokens": given.get("suppress_ids_begin", []),
            "alignment_heads": given.get("alignment_heads", []),
            **(tasks if multilingual else {}),
        },
    )
    dump(
        "preprocessor_config.json",
        {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "processor_class": "WhisperProcessor",
            "feature_size": bands,
            "sampling_rate": RATE,
            "chunk_length": SECONDS,
            "n_samples": SECONDS * RATE,
            "n_fft": WINDOW,
            "hop_length": HOP,
            "nb_max_frames": SECONDS * RATE // HOP,
            "padding_value": 0.0,
            "return_attention_mask": False,
        },
    )
    ends = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    dump("tokenizer_config.json", {"tokenizer_class": "WhisperTokenizer", **ends})
