"""Models that classify images or turn them into features."""

import torchvision
import transformers as hf
from torch_family import any_pixels, pixels

VIT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
VIT |= {"image_size": 64, "patch_size": 16, "num_labels": 7}


def vision(name, size=64, **options):
    return pixels(torchvision.models.get_model(name, weights=None, num_classes=11, **options), size)


def timm(name, size=64, **options):
    import timm as library

    return pixels(library.create_model(name, pretrained=False, num_classes=11, **options), size)


def image_model(name, task, size=64, **options):
    config = getattr(hf, name + "Config")(**VIT | {"image_size": size} | options)
    call = lambda model, x: model(pixel_values=x["pixels"])
    return pixels(getattr(hf, name + task)(config), size, call=call)


SWIN = {"embed_dim": 24, "depths": [2, 1], "num_attention_heads": [2, 4], "window_size": 4, "patch_size": 4}
LEVELS = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]}

CLASSIFIERS = {
    "ResNet": lambda: vision("resnet18"),
    "ResNet, any size": lambda: any_pixels(torchvision.models.resnet18(num_classes=11)),
    "ResNeXt": lambda: timm("resnext26ts"),
    "MobileNet v2": lambda: vision("mobilenet_v2"),
    "MobileNet v3": lambda: vision("mobilenet_v3_small"),
    "EfficientNet": lambda: vision("efficientnet_b0"),
    "ShuffleNet v2": lambda: vision("shufflenet_v2_x0_5"),
    "SqueezeNet": lambda: vision("squeezenet1_1"),
    "MNASNet": lambda: vision("mnasnet0_5"),
    "DenseNet": lambda: vision("densenet121"),
    "GoogLeNet": lambda: vision("googlenet", init_weights=False, aux_logits=False, transform_input=True),
    "Inception v3": lambda: vision("inception_v3", 96, init_weights=False, aux_logits=False),
    "RegNet": lambda: vision("regnet_y_400mf"),
    "MaxViT": lambda: pixels(torchvision.models.MaxVit((64, 64), 16, 8, [16, 32], [1, 1], 8, 0.0, num_classes=11)),
    "ViT (torchvision)": lambda: pixels(torchvision.models.VisionTransformer(64, 16, 2, 4, 32, 48, num_classes=11)),
    "Swin (torchvision)": lambda: pixels(
        torchvision.models.SwinTransformer([4, 4], 24, [2, 1], [2, 4], [4, 4], num_classes=11)
    ),
    "Swin v2 (torchvision)": lambda: pixels(
        torchvision.models.SwinTransformer(
            [4, 4],
            24,
            [2, 1],
            [2, 4],
            [4, 4],
            num_classes=11,
            block=torchvision.models.swin_transformer.SwinTransformerBlockV2,
            downsample_layer=torchvision.models.swin_transformer.PatchMergingV2,
        )
    ),
    "ConvNeXt": lambda: timm("convnext_atto"),
    "ConvNeXt v2": lambda: timm("convnextv2_atto"),
    "ViT": lambda: timm("vit_tiny_patch16_224", img_size=64, depth=2),
    "DeiT": lambda: timm("deit_tiny_distilled_patch16_224", img_size=64, depth=2),
    "Swin": lambda: timm(
        "swin_tiny_patch4_window7_224", 56, img_size=56, depths=(2, 2), embed_dim=24, num_heads=(2, 4)
    ),
    "MLP-Mixer": lambda: timm("mixer_s32_224", img_size=64),
    "MobileViT": lambda: timm("mobilevit_xxs"),
    "EfficientFormer": lambda: timm("efficientformerv2_s0", 224),
    "GhostNet": lambda: timm("ghostnet_050"),
    "EdgeNeXt": lambda: timm("edgenext_xx_small"),
    "PoolFormer": lambda: timm("poolformer_s12"),
    "LeViT": lambda: timm("levit_128s", 224),
    "CoAtNet": lambda: timm("coatnet_pico_rw_224", 224),
    "FastViT": lambda: timm("fastvit_t8"),
    "MobileOne": lambda: timm("mobileone_s0"),
    "RepVGG": lambda: timm("repvgg_a0"),
    "HRNet": lambda: timm("hrnet_w18_small"),
    "NFNet": lambda: timm("eca_nfnet_l0"),
    "BEiT": lambda: timm("beit_base_patch16_224", img_size=64, depth=2, embed_dim=48, num_heads=4),
    "EVA-02": lambda: timm("eva02_tiny_patch14_224", 56, img_size=56, depth=2),
    "DaViT": lambda: timm("davit_tiny", depths=(1, 1), embed_dims=(24, 48), num_heads=(2, 4)),
    "MobileNet v4": lambda: timm("mobilenetv4_conv_small_050"),
    "EfficientViT": lambda: timm("efficientvit_m0", 224),
    "VoVNet": lambda: timm("ese_vovnet19b_slim_dw"),
    "ViT (transformers)": lambda: image_model("ViT", "ForImageClassification"),
    "DINOv2": lambda: image_model("Dinov2", "Model"),
    "DINOv3": lambda: image_model("DINOv3ViT", "Model"),
    "Swin v2": lambda: image_model("Swinv2", "ForImageClassification", **SWIN),
    "Hiera": lambda: image_model(
        "Hiera",
        "Model",
        image_size=[64, 64],
        patch_size=[7, 7],
        embed_dim=16,
        depths=[1, 2, 1],
        num_attention_heads=[1, 2, 4],
        num_query_pool=2,
        num_hidden_layers=3,
    ),
    "PVT v2": lambda: image_model("PvtV2", "ForImageClassification", **LEVELS, num_attention_heads=[1, 2, 2, 4]),
    "Segformer": lambda: image_model(
        "Segformer",
        "ForSemanticSegmentation",
        hidden_sizes=[8, 16, 24, 32],
        depths=[1] * 4,
        num_attention_heads=[1, 2, 2, 4],
        decoder_hidden_size=16,
    ),
    "BEiT (transformers)": lambda: image_model("Beit", "ForImageClassification", use_relative_position_bias=True),
}
