"""Makes small models with random weights for every task of transformers.js, in the folders it expects.

    python make_models.py OUT [TASK…]

The architectures are those of PyPI's transformers, exported by optimum; the tokenizers are trained on the lines below.
Weights are drawn wider than usual, so that scores differ from each other.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers as t
from optimum.exporters.onnx import main_export
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LINES = """the quick brown fox jumps over the lazy dog while a small bird sings in the tall green tree
a woman reads a book about the sea and a man drinks coffee in the kitchen of an old house in Paris
children play in the garden when it rains and the train to London leaves at seven in the morning
what is the name of the city where the river meets the sea and who lives there all year
this film is good and that one is bad but the music was great and the story never ends
translate English to German the house is wonderful summarize the report of last week please
""".splitlines()


def widened(model, factor):
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(factor)
    return model.eval()


def wordpiece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.decoder = decoders.WordPiece()
    return t.BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=64)


def byte_level(kind, special, vocab=400, last=False, **more):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[] if last else special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(LINES, trainer)
    if last:
        tokenizer.add_special_tokens(special)
    return kind(tokenizer_object=tokenizer, **more)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return t.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64
    )


def export(out, name, model, parts, task, factor=8.0):
    """The model's folder, its .onnx files in onnx/."""
    source, target = out / "torch" / name, out / name
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    widened(model, factor).save_pretrained(source)
    for part in parts:
        part.save_pretrained(source)
    main_export(str(source), output=str(target), task=task, do_validation=False, device="cpu", opset=18)
    (target / "onnx").mkdir()
    for file in target.glob("*.onnx*"):
        file.rename(target / "onnx" / file.name)
    for file in source.glob("*.json"):
        if not (target / file.name).exists():
            shutil.copy(file, target / file.name)
    shutil.rmtree(source)


def amend(file, **fields):
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def bert(**more):
    return t.BertConfig(
        vocab_size=300,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        **more,
    )


def labels(*names):
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}


def encoder_task(task, model, config):
    return lambda out: export(out, task, model(config), [wordpiece()], task)


def quantised(folder):
    """The same model with weights of 16, 8 and 4 bits, under the names that transformers.js gives them."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    from onnxruntime.transformers.float16 import convert_float_to_float16

    plain = folder / "model.onnx"
    quantize_dynamic(plain, folder / "model_quantized.onnx", weight_type=QuantType.QUInt8)
    onnx.save(convert_float_to_float16(onnx.load(plain), keep_io_types=True), folder / "model_fp16.onnx")
    quantizer = MatMulNBitsQuantizer(onnx.load(plain), block_size=32, is_symmetric=True)
    quantizer.process()
    onnx.save(quantizer.model.model, folder / "model_q4.onnx")


def llama(out):
    tokenizer = byte_level(t.PreTrainedTokenizerFast, ["<s>", "</s>"], bos_token="<s>", eos_token="</s>")
    config = t.LlamaConfig(
        vocab_size=400,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        bos_token_id=0,
        eos_token_id=1,
    )
    export(out, "llama", t.LlamaForCausalLM(config), [tokenizer], "text-generation-with-past")
    quantised(out / "llama" / "onnx")


def gpt2(out):
    tokenizer = byte_level(t.GPT2TokenizerFast, ["<|endoftext|>"])
    config = t.GPT2Config(
        vocab_size=400, n_positions=128, n_embd=64, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
    )
    export(out, "gpt2", t.GPT2LMHeadModel(config), [tokenizer], "text-generation-with-past")
    quantised(out / "gpt2" / "onnx")


def t5(out):
    config = t.T5Config(
        vocab_size=200,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    export(out, "t5", t.T5ForConditionalGeneration(config), [unigram()], "text2text-generation-with-past", 1.5)


def marian(out):
    config = t.MarianConfig(
        vocab_size=200,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=64,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        forced_eos_token_id=1,
    )
    export(out, "marian", t.MarianMTModel(config), [unigram()], "text2text-generation-with-past")


def whisper(out):
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    # Whatever follows the last of them counts as a time.
    end = {f"{name}_token": special[0] for name in ("bos", "eos", "unk")}
    tokenizer = byte_level(t.WhisperTokenizerFast, special, vocab=360, last=True, **end)
    first = tokenizer.convert_tokens_to_ids(special[0])
    config = t.WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_target_positions=64,
        bos_token_id=first,
        eos_token_id=first,
        pad_token_id=first,
        decoder_start_token_id=first + 1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = t.WhisperForConditionalGeneration(config)
    parts = [tokenizer, t.WhisperFeatureExtractor()]
    export(out, "whisper", model, parts, "automatic-speech-recognition-with-past")
    # What a random model would say first is its end.
    silent = {"suppress_tokens": list(range(first, len(tokenizer))), "begin_suppress_tokens": [first]}
    more = {"is_multilingual": False, "no_timestamps_token_id": len(tokenizer) - 1, "max_length": 24}
    amend(out / "whisper" / "generation_config.json", **silent, **more)


def image_processor(kind, size, **more):
    return kind(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3, **more)


SQUARE = {"height": 32, "width": 32}
VIT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}


def image_classification(out):
    model = t.ViTForImageClassification(t.ViTConfig(**VIT, **labels("cat", "dog", "bird", "tree")))
    export(out, "image-classification", model, [image_processor(t.ViTImageProcessor, SQUARE)], "image-classification")


def object_detection(out):
    config = t.YolosConfig(**{**VIT, "image_size": [32, 32]}, num_detection_tokens=12, **labels(*"abcdefghijkl"))
    processor = image_processor(t.YolosImageProcessor, {"height": 32, "width": 32}, do_pad=False)
    export(out, "object-detection", t.YolosForObjectDetection(config), [processor], "object-detection")


def segformer(name, *names):
    def make(out):
        config = t.SegformerConfig(
            depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 20, 32], decoder_hidden_size=16, **labels(*names)
        )
        model = t.SegformerForSemanticSegmentation(config)
        export(out, name, model, [image_processor(t.SegformerImageProcessor, SQUARE)], "semantic-segmentation", 3.0)

    return make


def depth_estimation(out):
    config = t.GLPNConfig(depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 20, 32], decoder_hidden_size=16)
    model = t.GLPNForDepthEstimation(config)
    export(out, "depth-estimation", model, [t.GLPNImageProcessor(size_divisor=32)], "depth-estimation", 3.0)
    # transformers.js knows the class by its old name.
    amend(out / "depth-estimation" / "preprocessor_config.json", image_processor_type="GLPNFeatureExtractor")


def clip(out):
    special = ["<|startoftext|>", "<|endoftext|>"]
    letters = pre_tokenizers.ByteLevel.alphabet()
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=special, initial_alphabet=sorted(letters), end_of_word_suffix="</w>"
    )
    trained.train_from_iterator(LINES, trainer)
    trained.model.save(str(out))
    tokenizer = t.CLIPTokenizerFast(str(out / "vocab.json"), str(out / "merges.txt"), model_max_length=32)
    text = {
        "vocab_size": 700,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 32,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    config = t.CLIPConfig(text_config=text, vision_config=VIT, projection_dim=16)
    size = {"shortest_edge": 32}
    processor = image_processor(t.CLIPImageProcessor, size, crop_size=SQUARE)
    export(
        out,
        "zero-shot-image-classification",
        t.CLIPModel(config),
        [tokenizer, processor],
        "zero-shot-image-classification",
    )


def image_to_text(out):
    tokenizer = byte_level(t.GPT2TokenizerFast, ["<|endoftext|>"])
    decoder = t.GPT2Config(
        vocab_size=400,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        is_decoder=True,
        add_cross_attention=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    config = t.VisionEncoderDecoderConfig.from_encoder_decoder_configs(t.ViTConfig(**VIT), decoder)
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = 0
    model = t.VisionEncoderDecoderModel(config)
    processor = image_processor(t.ViTImageProcessor, SQUARE)
    export(out, "image-to-text", model, [tokenizer, processor], "image-to-text-with-past")


def vits(out):
    vocabulary = {letter: i for i, letter in enumerate("_abcdefghijklmnopqrstuvwxyz '")}
    file = out / "vocab.json"
    file.write_text(json.dumps(vocabulary))
    tokenizer = t.VitsTokenizer(str(file), pad_token="_", unk_token="_", phonemize=False, is_uroman=False)
    config = t.VitsConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        ffn_dim=32,
        flow_size=16,
        spectrogram_bins=9,
        prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        prior_encoder_num_flows=1,
        upsample_initial_channel=16,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        use_stochastic_duration_prediction=False,
        noise_scale=0.0,
        noise_scale_duration=0.0,
        sampling_rate=4000,
    )
    export(out, "text-to-speech", t.VitsModel(config), [tokenizer], "text-to-audio", 1.0)
    # transformers.js looks for a fast tokenizer's file, which the class has none of.
    fast = Tokenizer(models.WordLevel(vocabulary, unk_token="_"))
    fast.normalizer = normalizers.Lowercase()
    fast.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast.save(str(out / "text-to-speech" / "tokenizer.json"))


MODELS = {
    "feature-extraction": encoder_task("feature-extraction", t.BertModel, bert()),
    "text-classification": encoder_task(
        "text-classification", t.BertForSequenceClassification, bert(**labels("good", "bad", "so-so"))
    ),
    "token-classification": encoder_task(
        "token-classification", t.BertForTokenClassification, bert(**labels("O", "B-PER", "I-PER", "B-LOC"))
    ),
    "question-answering": encoder_task("question-answering", t.BertForQuestionAnswering, bert()),
    "fill-mask": encoder_task("fill-mask", t.BertForMaskedLM, bert()),
    "zero-shot-classification": lambda out: export(
        out,
        "zero-shot-classification",
        t.BertForSequenceClassification(bert(**labels("contradiction", "neutral", "entailment"))),
        [wordpiece()],
        "text-classification",
    ),
    "t5": t5,
    "marian": marian,
    "llama": llama,
    "gpt2": gpt2,
    "whisper": whisper,
    "text-to-speech": vits,
    "image-classification": image_classification,
    "object-detection": object_detection,
    "image-segmentation": segformer("image-segmentation", "sky", "tree", "road"),
    "background-removal": segformer("background-removal", "foreground"),
    "depth-estimation": depth_estimation,
    "zero-shot-image-classification": clip,
    "image-to-text": image_to_text,
}


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in sys.argv[2:] or MODELS:
        torch.manual_seed(1)
        print(f"— {name}", flush=True)
        try:
            MODELS[name](out)
        except Exception as error:  # The others are made all the same; what is missing is told at the end.
            failed.append(name)
            print(f"{name} failed: {type(error).__name__}: {error}", flush=True)
    shutil.rmtree(out / "torch", ignore_errors=True)
    if failed:
        sys.exit(f"not made: {', '.join(failed)}")


if __name__ == "__main__":
    main()
