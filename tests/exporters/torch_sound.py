"""Models of sound: recognition, synthesis, codecs; and of time series."""

import torch
import transformers as hf
from torch_family import Family, floats, ids, words

BODY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 40}


def whisper_model():
    sizes = {"vocab_size": 99, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "num_mel_bins": 16}
    sizes |= {k: 4 for k in ("encoder_attention_heads", "decoder_attention_heads")}
    sizes |= {k: 48 for k in ("encoder_ffn_dim", "decoder_ffn_dim")}
    sizes |= {"max_source_positions": 30, "max_target_positions": 40, "pad_token_id": 0, "bos_token_id": 1}
    return hf.WhisperForConditionalGeneration(hf.WhisperConfig(**sizes, eos_token_id=2, decoder_start_token_id=3))


def whisper_encoder():
    make = lambda n: {"input_features": floats(n, 16, 60)}
    return Family(whisper_model().get_encoder(), make, ((1,), (2,)))


def whisper_decoder(cache):
    def make(n, past):
        new = 1 if cache else past
        x = {
            "decoder_input_ids": ids(n, new),
            "decoder_attention_mask": torch.ones(n, new + cache * past, dtype=torch.int64),
        }
        x["states"] = floats(n, 30, 32)
        for i in range(2 if cache else 0):
            for part, length in (("self", past), ("cross", 30)):
                x |= {f"{part}_key_{i}": floats(n, 4, length, 8), f"{part}_value_{i}": floats(n, 4, length, 8)}
        return x

    def call(model, x):
        past = None
        if cache:
            parts = ([(x[f"{p}_key_{i}"], x[f"{p}_value_{i}"]) for i in range(2)] for p in ("self", "cross"))
            past = hf.EncoderDecoderCache(*(hf.DynamicCache(part) for part in parts))
        states = hf.modeling_outputs.BaseModelOutput(x["states"])
        tokens = {k: v for k, v in x.items() if k.startswith("decoder_")}
        out = model(encoder_outputs=states, **tokens, past_key_values=past, use_cache=cache)
        return (out.logits, out.past_key_values.self_attention_cache) if cache else out.logits

    return Family(whisper_model(), make, ((2, 4), (3, 7), (1, 1)), call)


def wave(name, task="ForCTC", **options):
    sizes = BODY | {"conv_dim": [16, 16, 16], "conv_stride": [5, 4, 2], "conv_kernel": [10, 8, 4], "pad_token_id": 0}
    sizes |= {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 4, "num_feat_extract_layers": 3} | options
    model = getattr(hf, name + task)(getattr(hf, name + "Config")(**sizes))
    make = lambda n, length: {"input_values": floats(n, length)}
    return Family(model, make, ((2, 1600), (1, 2400)), lambda m, x: m(**x)[0])


def vits():
    """Without noise the model has one answer; torch's random numbers and ours would differ."""
    config = hf.VitsConfig(
        vocab_size=99,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        ffn_dim=32,
        flow_size=24,
        spectrogram_bins=17,
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2,
        depth_separable_num_layers=2,
        duration_predictor_num_flows=2,
        duration_predictor_filter_channels=32,
        upsample_initial_channel=32,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3, 5],
        resblock_dilation_sizes=[[1, 3], [1, 3]],
        noise_scale=0.0,
        noise_scale_duration=0.0,
        use_stochastic_duration_prediction=True,
        posterior_encoder_num_wavenet_layers=2,
        wavenet_dilation_rate=1,
        speaking_rate=1.0,
    )
    return words(hf.VitsModel(config), ((1, 12), (1, 17)), "input_ids", call=lambda m, x: m(**x).waveform)


def speech_t5_vocoder():
    config = hf.SpeechT5HifiGanConfig(
        model_in_dim=16,
        upsample_initial_channel=32,
        upsample_rates=[4, 4],
        upsample_kernel_sizes=[8, 8],
        resblock_kernel_sizes=[3, 5],
        resblock_dilation_sizes=[[1, 3], [1, 3]],
    )
    return Family(hf.SpeechT5HifiGan(config), lambda n, t: {"spectrogram": floats(n, t, 16)}, ((2, 9), (1, 14)))


def fast_speech():
    config = hf.FastSpeech2ConformerConfig(
        hidden_size=32,
        vocab_size=99,
        num_mel_bins=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_num_attention_heads=2,
        decoder_num_attention_heads=2,
        encoder_linear_units=48,
        decoder_linear_units=48,
        speech_decoder_postnet_units=16,
        duration_predictor_channels=16,
        pitch_predictor_channels=16,
        energy_predictor_channels=16,
    )
    call = lambda m, x: m(**x).spectrogram
    return words(hf.FastSpeech2ConformerModel(config), ((1, 7), (1, 12)), "input_ids attention_mask", call)


class StyleVoice(torch.nn.Module):
    """Synthesis in the manner of StyleTTS and Kokoro: recurrent text, durations, style through AdaIN, a sine source
    through snake activations, and a spectrum that an inverse short-time Fourier transform makes sound of."""

    def __init__(self, width=16, bins=9):
        super().__init__()
        self.embedding = torch.nn.Embedding(40, width)
        self.lstm = torch.nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)
        self.duration = torch.nn.Linear(width, 1)
        self.style = torch.nn.Linear(8, 2 * width)
        self.norm = torch.nn.InstanceNorm1d(width, affine=True)
        self.up = torch.nn.utils.parametrizations.weight_norm(torch.nn.ConvTranspose1d(width, width, 8, 4, 2))
        self.alpha = torch.nn.Parameter(torch.ones(1, width, 1))
        self.conv = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(width, width, 5, padding=2))
        self.out, self.bins = torch.nn.Conv1d(width, 2 * bins, 7, padding=3), bins
        n = 2 * (bins - 1)
        turn = 2 * torch.pi * torch.arange(bins)[:, None] * torch.arange(n)[None] / n
        window = torch.hann_window(n) * 2 / n
        self.register_buffer("cosine", (turn.cos() * window)[:, None])
        self.register_buffer("sine", (-turn.sin() * window)[:, None])

    def forward(self, input_ids, style):
        x, _ = self.lstm(self.embedding(input_ids))
        frames = torch.clamp(torch.round(torch.sigmoid(self.duration(x)).squeeze(-1) * 4), min=1).long()
        ends = frames.cumsum(1)
        places = torch.arange(int(ends[0, -1]) if not torch.jit.is_tracing() else ends[0, -1])
        path = ((places[None] < ends[0, :, None]) & (places[None] >= (ends - frames)[0, :, None])).float()
        x = x.transpose(1, 2) @ path
        gain, shift = self.style(style)[..., None].chunk(2, 1)
        x = self.up(self.norm(x) * (1 + gain) + shift)
        phase = torch.cumsum(torch.full_like(x[:, :1], 0.03), -1) % 1
        x = x + torch.sin(2 * torch.pi * phase)
        x = self.conv(x + torch.sin(self.alpha * x) ** 2 / self.alpha)
        spectrum, angle = self.out(x).chunk(2, 1)
        real, imaginary = torch.exp(spectrum) * torch.cos(angle), torch.exp(spectrum) * torch.sin(angle)
        f = torch.nn.functional
        hop = self.bins // 2
        return f.conv_transpose1d(real, self.cosine, stride=hop) + f.conv_transpose1d(
            imaginary, self.sine, stride=hop
        ), frames


def style_voice():
    make = lambda n: {"input_ids": ids(1, n, below=40), "style": floats(1, 8)}
    return Family(StyleVoice(), make, ((9,), (14,)), lambda m, x: m(*x.values()))


class Spectrum(torch.nn.Module):
    """What stands before recognisers: a short-time Fourier transform, its magnitudes in decibels."""

    def forward(self, wave):
        s = torch.stft(wave, 64, 16, window=torch.hann_window(64), center=False, return_complex=False)
        return torch.log10(torch.clamp((s**2).sum(-1), min=1e-6))


def codec(name, part):
    options = {
        "Encodec": {
            "hidden_size": 16,
            "num_filters": 4,
            "upsampling_ratios": [4, 2],
            "codebook_size": 32,
            "codebook_dim": 16,
            "sampling_rate": 800,
            "target_bandwidths": [1.0],
        },
        "Dac": {
            "encoder_hidden_size": 8,
            "decoder_hidden_size": 32,
            "downsampling_ratios": [2, 4],
            "upsampling_ratios": [4, 2],
            "n_codebooks": 3,
            "codebook_size": 32,
            "codebook_dim": 4,
        },
    }[name]
    model = getattr(hf, name + "Model")(getattr(hf, name + "Config")(**options))
    for codebook, values in model.named_buffers():
        if codebook.endswith("embed"):
            values.normal_()
    if part == "encoder":
        make = lambda n, t: {"input_values": floats(n, 1, t)}
        return Family(model, make, ((1, 320), (2, 480)), lambda m, x: m.encode(x["input_values"]).audio_codes)
    if name == "Encodec":
        make = lambda n, t: {"codes": ids(1, n, 2, t, below=32, start=0)}
        return Family(model, make, ((1, 20), (2, 30)), lambda m, x: m.decode(x["codes"], [None]).audio_values)
    make = lambda n, t: {"codes": ids(n, 3, t, below=32, start=0)}
    return Family(model, make, ((1, 20), (2, 30)), lambda m, x: m.decode(audio_codes=x["codes"]).audio_values)


def ast():
    config = hf.ASTConfig(**BODY | {"max_length": 64, "num_mel_bins": 32, "num_labels": 5})
    make = lambda n: {"input_values": floats(n, 64, 32)}
    return Family(hf.ASTForAudioClassification(config), make, ((1,), (2,)))


def moonshine():
    config = hf.MoonshineConfig(
        vocab_size=99,
        hidden_size=32,
        intermediate_size=48,
        encoder_num_hidden_layers=2,
        decoder_num_hidden_layers=2,
        encoder_num_attention_heads=4,
        decoder_num_attention_heads=4,
    )
    make = lambda n, t: {"input_values": floats(n, t)}
    return Family(hf.MoonshineModel(config).get_encoder(), make, ((1, 4000), (2, 6000)))


def series():
    config = hf.PatchTSTConfig(
        num_input_channels=3,
        context_length=32,
        prediction_length=8,
        patch_length=8,
        patch_stride=4,
        d_model=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        ffn_dim=48,
    )
    make = lambda n: {"past_values": floats(n, 32, 3)}
    return Family(hf.PatchTSTForPrediction(config), make, ((1,), (2,)), lambda m, x: m(**x).prediction_outputs)


SOUND = {
    "Whisper encoder": whisper_encoder,
    "Whisper decoder": lambda: whisper_decoder(False),
    "Whisper decoder with cache": lambda: whisper_decoder(True),
    "wav2vec2": lambda: wave("Wav2Vec2"),
    "wav2vec2, layer norms": lambda: wave("Wav2Vec2", feat_extract_norm="layer", do_stable_layer_norm=True),
    "HuBERT": lambda: wave("Hubert"),
    "WavLM": lambda: wave("WavLM", num_buckets=16, max_bucket_distance=32),
    "SEW": lambda: wave("SEW", squeeze_factor=2),
    "Conformer": lambda: wave("Wav2Vec2Conformer", conv_depthwise_kernel_size=7),
    "Conformer, rotary": lambda: wave(
        "Wav2Vec2Conformer", conv_depthwise_kernel_size=7, position_embeddings_type="rotary"
    ),
    "UniSpeech": lambda: wave("UniSpeech"),
    "Audio spectrogram transformer": ast,
    "Moonshine encoder": moonshine,
    "VITS": vits,
    "FastSpeech 2": fast_speech,
    "HiFi-GAN": speech_t5_vocoder,
    "Kokoro-style voice": style_voice,
    "Spectrum": lambda: Family(
        Spectrum(), lambda n, t: {"wave": floats(n, t)}, ((1, 400), (2, 640)), lambda m, x: m(x["wave"])
    ),
    "EnCodec encoder": lambda: codec("Encodec", "encoder"),
    "EnCodec decoder": lambda: codec("Encodec", "decoder"),
    "DAC decoder": lambda: codec("Dac", "decoder"),
    "PatchTST": series,
}
