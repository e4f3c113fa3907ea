"""Models of text: encoders, decoders with caches, both together, and what reads text beside something else."""

import torch
import transformers as hf
from torch_family import Family, floats, ids, images, mask, with_past, words

SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
SMALL |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
BERT = SMALL | {"max_position_embeddings": 64}
DECODER = BERT | {"num_key_value_heads": 2, "head_dim": 8, "attn_implementation": "eager"}


def transformer(name, task, **options):
    """An option of None is one that this configuration does not have."""
    known = {k: v for k, v in options.items() if v is not None}
    return getattr(hf, name + task)(getattr(hf, name + "Config")(**known))


def encoder(name, task="Model", **options):
    return words(transformer(name, task, **BERT | options))


def decoder(name, task="ForCausalLM", **options):
    return with_past(transformer(name, task, **DECODER | options))


def no_cache(name, **options):
    call = lambda m, x: m(**x, use_cache=False).logits
    return words(transformer(name, "ForCausalLM", **DECODER | options), names="input_ids attention_mask", call=call)


def seq2seq(model, part, width):
    """`part`: the encoder alone, or the decoder that is given the encoder's states."""
    if part == "encoder":
        return words(model.get_encoder(), names="input_ids attention_mask")

    def make(n, source, target):
        states = {"encoder_hidden_states": floats(n, source, width), "attention_mask": mask(n, source)}
        return {"decoder_input_ids": ids(n, target)} | states

    def call(model, x):
        states = hf.modeling_outputs.BaseModelOutput(x["encoder_hidden_states"])
        inputs = {"attention_mask": x["attention_mask"], "decoder_input_ids": x["decoder_input_ids"]}
        return model(encoder_outputs=states, **inputs, use_cache=False).logits

    return Family(model, make, ((2, 7, 4), (1, 9, 6)), call)


def t5(part, **options):
    sizes = {"vocab_size": 99, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    return seq2seq(hf.T5ForConditionalGeneration(hf.T5Config(**sizes, decoder_start_token_id=0, **options)), part, 32)


def bart(name, part, **options):
    sizes = {"vocab_size": 99, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "max_position_embeddings": 64}
    sizes |= {k: 4 for k in ("encoder_attention_heads", "decoder_attention_heads")}
    sizes |= {k: 48 for k in ("encoder_ffn_dim", "decoder_ffn_dim")}
    sizes |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2} | options
    model = {"Bart": hf.BartForConditionalGeneration, "Marian": hf.MarianMTModel}[name]
    return seq2seq(model(getattr(hf, name + "Config")(**sizes)), part, 32)


def t5_with_past():
    sizes = {"vocab_size": 99, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    model = hf.T5ForConditionalGeneration(hf.T5Config(**sizes, decoder_start_token_id=0))

    def make(n, source, past):
        x = {
            "decoder_input_ids": ids(n, 1),
            "encoder_hidden_states": floats(n, source, 32),
            "attention_mask": mask(n, source),
        }
        for i in range(2):
            for part, length in (("self", past), ("cross", source)):
                x |= {f"{part}_key_{i}": floats(n, 4, length, 8), f"{part}_value_{i}": floats(n, 4, length, 8)}
        return x

    def call(model, x):
        caches = (
            hf.DynamicCache([(x[f"{part}_key_{i}"], x[f"{part}_value_{i}"]) for i in range(2)])
            for part in ("self", "cross")
        )
        past = hf.EncoderDecoderCache(*caches)
        states = hf.modeling_outputs.BaseModelOutput(x["encoder_hidden_states"])
        inputs = {"attention_mask": x["attention_mask"], "decoder_input_ids": x["decoder_input_ids"]}
        out = model(encoder_outputs=states, **inputs, past_key_values=past, use_cache=True)
        return out.logits, out.past_key_values.self_attention_cache

    return Family(model, make, ((2, 7, 4), (1, 9, 6)), call)


class Tagger(torch.nn.Module):
    """A recurrent tagger: embedding, layers in both directions, scores for each token."""

    def __init__(self, kind, packed=False, **options):
        super().__init__()
        self.packed = packed
        self.embedding = torch.nn.Embedding(99, 24)
        self.layers = kind(24, 16, num_layers=2, bidirectional=True, batch_first=True, **options)
        self.scores = torch.nn.Linear(2 * (options.get("proj_size") or 16), 9)

    def forward(self, input_ids, lengths):
        x = self.embedding(input_ids)
        if self.packed:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        x, last = self.layers(x)
        if self.packed:
            x, _ = torch.nn.utils.rnn.pad_packed_sequence(x, batch_first=True)
        return self.scores(x), last


def tagger(kind, **options):
    def make(n, length):
        lengths = torch.full((n,), length, dtype=torch.int64)
        lengths[1:] -= 2
        return {"input_ids": ids(n, length)} | ({"lengths": lengths} if options.get("packed") else {})

    call = lambda model, x: model(x["input_ids"], x.get("lengths"))
    return Family(Tagger(kind, **options), make, ((2, 7), (3, 11)), call)


class Transformer(torch.nn.Module):
    """torch.nn's own encoder and decoder with their masks."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(99, 32)
        self.body = torch.nn.Transformer(32, 4, 2, 2, 48, batch_first=True, norm_first=True, activation="gelu")

    def forward(self, source, target):
        causal = self.body.generate_square_subsequent_mask(target.shape[1])
        return self.body(self.embedding(source), self.embedding(target), tgt_mask=causal)


def torch_transformer():
    make = lambda n, s, t: {"source": ids(n, s), "target": ids(n, t)}
    return Family(Transformer(), make, ((2, 7, 4), (1, 9, 6)), lambda m, x: m(*x.values()))


VISION_TOWER = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
VISION_TOWER |= {"image_size": 32, "patch_size": 8}


def text_and_image(model):
    make = lambda n, length: {
        "input_ids": ids(n, length),
        "pixel_values": images(n, 3, 32, 32),
        "attention_mask": mask(n, length),
    }
    call = lambda m, x: [m(**x)[k] for k in ("logits_per_image", "text_embeds", "image_embeds")]
    return Family(model, make, ((2, 7), (3, 12)), call)


def clip():
    towers = {"text_config": BERT, "vision_config": VISION_TOWER, "projection_dim": 24}
    return text_and_image(hf.CLIPModel(hf.CLIPConfig(**towers)))


def siglip(name="Siglip"):
    towers = {"text_config": BERT, "vision_config": VISION_TOWER}
    return text_and_image(getattr(hf, name + "Model")(getattr(hf, name + "Config")(**towers)))


def mamba(name, **options):
    sizes = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "conv_kernel": 4} | options
    model = getattr(hf, name + "ForCausalLM")(getattr(hf, name + "Config")(**sizes))
    return words(model, names="input_ids", call=lambda m, x: m(**x, use_cache=False).logits)


HEADS = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "num_key_value_heads": 4}
EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 24}
ALTERNATING = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 6}

LANGUAGE = {
    "BERT": lambda: encoder("Bert"),
    "BERT, eager attention": lambda: encoder("Bert", attn_implementation="eager"),
    "BERT, tokens": lambda: encoder("Bert", "ForTokenClassification"),
    "BERT, questions": lambda: encoder("Bert", "ForQuestionAnswering"),
    "BERT, masked words": lambda: encoder("Bert", "ForMaskedLM"),
    "RoBERTa": lambda: encoder("Roberta"),
    "XLM-RoBERTa": lambda: encoder("XLMRoberta", "ForSequenceClassification"),
    "DistilBERT": lambda: encoder("DistilBert", dim=32, n_layers=2, n_heads=4, hidden_dim=48),
    "ALBERT": lambda: encoder("Albert", embedding_size=16),
    "DeBERTa": lambda: encoder("Deberta", relative_attention=True, pos_att_type="c2p|p2c", max_relative_positions=16),
    "DeBERTa v2": lambda: encoder(
        "DebertaV2",
        relative_attention=True,
        pos_att_type="c2p|p2c",
        position_buckets=8,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
    ),
    "ELECTRA": lambda: encoder("Electra", embedding_size=16),
    "MPNet": lambda: encoder("MPNet"),
    "MobileBERT": lambda: encoder("MobileBert", embedding_size=32, intra_bottleneck_size=32, true_hidden_size=32),
    "SqueezeBERT": lambda: encoder("SqueezeBert", embedding_size=32),
    "ConvBERT": lambda: encoder("ConvBert", embedding_size=32),
    "FNet": lambda: encoder("FNet"),
    "ModernBERT": lambda: encoder("ModernBert", local_attention=8),
    "NomicBERT": lambda: encoder("NomicBert"),
    "ESM": lambda: encoder("Esm", position_embedding_type="rotary"),
    "Longformer": lambda: encoder("Longformer", attention_window=4),
    "Funnel": lambda: encoder(
        "Funnel", num_hidden_layers=None, block_sizes=[1, 1], d_model=32, n_head=4, d_head=8, d_inner=48
    ),
    "XLNet": lambda: encoder("XLNet", max_position_embeddings=None, d_model=32, n_layer=2, n_head=4, d_inner=48),
    "CANINE": lambda: encoder("Canine", downsampling_rate=2, local_transformer_stride=8),
    "T5 encoder": lambda: t5("encoder"),
    "T5 decoder": lambda: t5("decoder"),
    "T5 decoder with cache": t5_with_past,
    "Flan-T5 decoder": lambda: t5("decoder", feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "BART encoder": lambda: bart("Bart", "encoder"),
    "BART decoder": lambda: bart("Bart", "decoder"),
    "Marian encoder": lambda: bart("Marian", "encoder"),
    "Marian decoder": lambda: bart("Marian", "decoder"),
    "GPT-2": lambda: decoder("GPT2", "LMHeadModel", **HEADS),
    "GPT-Neo": lambda: decoder(
        "GPTNeo",
        num_layers=2,
        num_heads=4,
        num_key_value_heads=4,
        attention_types=[[["global", "local"], 1]],
        window_size=4,
    ),
    "GPT-NeoX": lambda: decoder("GPTNeoX", num_key_value_heads=4),
    "GPT-J": lambda: decoder("GPTJ", **HEADS, rotary_dim=4),
    "OPT": lambda: decoder("OPT", ffn_dim=48, word_embed_proj_dim=32, num_key_value_heads=4),
    "BLOOM": lambda: decoder("Bloom", n_layer=2, n_head=4, num_key_value_heads=4),
    "Falcon": lambda: decoder(
        "Falcon", head_dim=None, new_decoder_architecture=True, num_kv_heads=2, num_key_value_heads=4
    ),
    "Llama": lambda: decoder("Llama"),
    "Llama, SDPA": lambda: decoder("Llama", attn_implementation="sdpa"),
    "Llama without cache": lambda: no_cache("Llama"),
    "Llama 3 scaling": lambda: decoder(
        "Llama",
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    ),
    "Mistral": lambda: decoder("Mistral", sliding_window=6),
    "Qwen 2": lambda: decoder("Qwen2"),
    "Qwen 3": lambda: decoder("Qwen3"),
    "Gemma": lambda: decoder("Gemma"),
    "Gemma 2": lambda: decoder("Gemma2", **ALTERNATING, query_pre_attn_scalar=8),
    "Gemma 3": lambda: with_past(
        hf.Gemma3ForCausalLM(hf.Gemma3TextConfig(**DECODER | ALTERNATING, query_pre_attn_scalar=8))
    ),
    "Phi": lambda: decoder("Phi", partial_rotary_factor=0.5),
    "Phi 3": lambda: decoder("Phi3"),
    "StableLM": lambda: decoder("StableLm"),
    "Cohere": lambda: decoder("Cohere"),
    "OLMo 2": lambda: decoder("Olmo2"),
    "Granite": lambda: decoder("Granite"),
    "SmolLM 3": lambda: decoder("SmolLM3"),
    "gpt-oss": lambda: decoder("GptOss", num_local_experts=4, **ALTERNATING, num_experts_per_tok=2),
    "Mixtral": lambda: decoder("Mixtral", num_local_experts=4),
    "Qwen 3 experts": lambda: decoder("Qwen3Moe", num_experts=4, **EXPERTS),
    "Mamba": lambda: mamba("Mamba"),
    "Mamba 2": lambda: mamba("Mamba2", num_heads=8, head_dim=8, n_groups=2, chunk_size=4),
    "RWKV": lambda: mamba("Rwkv", attention_hidden_size=32),
    "RecurrentGemma": lambda: no_cache("RecurrentGemma", lru_width=32, attention_window_size=8, num_hidden_layers=3),
    "LFM 2": lambda: no_cache("Lfm2", layer_types=["conv", "full_attention"]),
    "CLIP": clip,
    "SigLIP": siglip,
    "LSTM tagger": lambda: tagger(torch.nn.LSTM),
    "LSTM tagger, projected": lambda: tagger(torch.nn.LSTM, proj_size=8),
    "LSTM tagger, packed": lambda: tagger(torch.nn.LSTM, packed=True),
    "GRU tagger": lambda: tagger(torch.nn.GRU),
    "GRU tagger, packed": lambda: tagger(torch.nn.GRU, packed=True),
    "RNN tagger": lambda: tagger(torch.nn.RNN, nonlinearity="relu"),
    "torch.nn.Transformer": torch_transformer,
}
