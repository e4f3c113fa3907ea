"""Models that find, separate, restore and draw: detection, segmentation, depth, diffusion."""

import torch
import torchvision
import transformers as hf
from torch import nn
from torch_classifiers import VIT, image_model
from torch_family import Family, any_pixels, floats, ids, images, pixels
from torchvision.models import detection, segmentation

NO_WEIGHTS = {"weights": None, "weights_backbone": None, "num_classes": 5}


def found_by(model, size=(128, 160), **options):
    """torchvision's detectors take a list of images."""
    h, w = size
    make = lambda: {"image": images(3, h, w)}
    return Family(model, make, ((),), lambda m, x: m([x["image"]]))


class ConvBlock(nn.Sequential):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.SiLU())


class Yolo(nn.Module):
    """A detector in YOLO's manner: a pyramid, decoded boxes of three strides, and their best by NMS."""

    def __init__(self, classes=6, width=16):
        super().__init__()
        self.stem = nn.Sequential(ConvBlock(3, width, 2), ConvBlock(width, width, 2))
        self.stages = nn.ModuleList(ConvBlock(width, width, 2) for _ in range(3))
        self.merge = nn.ModuleList(ConvBlock(2 * width, width) for _ in range(2))
        self.heads = nn.ModuleList(nn.Conv2d(width, 4 * 8 + classes, 1) for _ in range(3))

    def forward(self, x):
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        for i in (1, 0):
            up = nn.functional.interpolate(maps[i + 1], size=maps[i].shape[-2:], mode="nearest")
            maps[i] = self.merge[i](torch.cat([maps[i], up], 1))
        boxes, scores = [], []
        for stride, head, level in zip((8, 16, 32), self.heads, maps):
            n, _, h, w = level.shape
            out = head(level).flatten(2).transpose(1, 2)
            bins = torch.arange(8, dtype=x.dtype)
            sides = (out[..., :32].reshape(n, -1, 4, 8).softmax(-1) * bins).sum(-1)
            gy, gx = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
            centre = torch.stack([gx, gy], -1).reshape(1, -1, 2)
            boxes.append(torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], -1) * stride)
            scores.append(out[..., 32:].sigmoid())
        boxes, scores = torch.cat(boxes, 1)[0], torch.cat(scores, 1)[0]
        best, label = scores.max(1)
        keep = torchvision.ops.batched_nms(boxes, best, label, 0.5)
        return boxes[keep], best[keep], label[keep]


def yolo():
    return Family(
        Yolo(), lambda h, w: {"pixels": images(1, 3, h, w)}, ((96, 128), (128, 64)), lambda m, x: m(x["pixels"])
    )


class UNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        block = lambda i, o: nn.Sequential(ConvBlock(i, o), ConvBlock(o, o))
        self.down = nn.ModuleList([block(3, width), block(width, 2 * width), block(2 * width, 4 * width)])
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(4 * width, 2 * width, 2, 2), nn.ConvTranspose2d(2 * width, width, 2, 2)]
        )
        self.join = nn.ModuleList([block(4 * width, 2 * width), block(2 * width, width)])
        self.out = nn.Conv2d(width, 2, 1)

    def forward(self, x):
        skips = []
        for down in self.down[:2]:
            skips.append(x := down(x))
            x = nn.functional.max_pool2d(x, 2)
        x = self.down[2](x)
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([up(x), skips.pop()], 1))
        return self.out(x)


class Operators(nn.Module):
    """torchvision's own operators and the resizing modes."""

    def __init__(self):
        super().__init__()
        self.offsets, self.deform = nn.Conv2d(3, 18, 3, padding=1), torchvision.ops.DeformConv2d(3, 4, 3, padding=1)

    def forward(self, x, rois):
        f = nn.functional
        grid = f.affine_grid(
            torch.tensor([[[0.9, 0.2, 0.1], [-0.1, 1.1, 0.0]]]).expand(x.shape[0], -1, -1), x.shape, False
        )
        sizes = [
            f.interpolate(x, scale_factor=1.7, mode=m, align_corners=a)
            for m in ("bilinear", "bicubic")
            for a in (True, False)
        ]
        return [
            self.deform(x, self.offsets(x) * 0.3),
            torchvision.ops.roi_align(x, rois, (3, 3), 0.5, 2, True),
            f.grid_sample(x, grid, "bilinear", "border", False),
            f.interpolate(x, size=(9, 7), mode="area"),
            f.adaptive_avg_pool2d(x, (8, 4)),
            *sizes,
            f.pixel_shuffle(torch.cat([x, x, x, x], 1), 2),
            f.unfold(x, 3, padding=1),
            f.pad(x, (2, 1, 1, 2), "reflect"),
        ]


def operators():
    def make(n):
        rois = torch.cat([torch.arange(5).remainder(n)[:, None].float(), images(5, 2) * 12, 12 + images(5, 2) * 18], 1)
        return {"pixels": images(n, 3, 32, 32), "rois": rois}

    return Family(Operators(), make, ((1,), (2,)), lambda m, x: m(*x.values()))


def sam(part):
    vision_config = VIT | {
        "mlp_dim": 48,
        "output_channels": 16,
        "num_pos_feats": 8,
        "window_size": 3,
        "global_attn_indexes": [1],
    }
    prompt = {
        "hidden_size": 16,
        "image_embedding_size": 4,
        "image_size": 64,
        "patch_size": 16,
        "mask_input_channels": 4,
    }
    decoder = {"hidden_size": 16, "num_attention_heads": 2, "mlp_dim": 24, "iou_head_hidden_dim": 16}
    config = hf.SamConfig(vision_config=vision_config, prompt_encoder_config=prompt, mask_decoder_config=decoder)
    model = hf.SamModel(config)
    if part == "encoder":
        return pixels(model.vision_encoder, 64)

    def make(points):
        x = {"image_embeddings": floats(1, 16, 4, 4), "input_points": images(1, 1, points, 2) * 64}
        return x | {"input_labels": ids(1, 1, points, below=2, start=0)}

    call = lambda m, x: [m(**x)[k] for k in ("pred_masks", "iou_scores")]
    return Family(model, make, ((2,), (5,)), call)


def resnet_backbone(**options):
    return hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 1, 1], layer_type="basic", **options
    )


def detr(name="Detr", **options):
    sizes = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "num_queries": 12, "num_labels": 5}
    sizes |= {k: 4 for k in ("encoder_attention_heads", "decoder_attention_heads")}
    sizes |= {
        "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48,
        "use_timm_backbone": False,
        "use_pretrained_backbone": False,
    }
    sizes |= {
        "backbone_config": resnet_backbone(out_features=options.pop("features", ["stage4"])),
        "backbone": None,
    } | options
    model = getattr(hf, name + "ForObjectDetection")(getattr(hf, name + "Config")(**sizes))
    make = lambda n, h, w: {"pixel_values": images(n, 3, h, w), "pixel_mask": torch.ones(n, h, w, dtype=torch.int64)}
    call = lambda m, x: [m(**x)[k] for k in ("logits", "pred_boxes")]
    return Family(model, make, ((1, 64, 96), (2, 64, 96)), call)


def rt_detr():
    config = hf.RTDetrConfig(
        backbone_config=hf.RTDetrResNetConfig(
            embedding_size=16,
            hidden_sizes=[16, 16, 32, 32],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            out_features=["stage2", "stage3", "stage4"],
        ),
        backbone=None,
        use_pretrained_backbone=False,
        encoder_hidden_dim=32,
        encoder_in_channels=[16, 32, 32],
        encoder_ffn_dim=48,
        encoder_attention_heads=4,
        d_model=32,
        decoder_in_channels=[32, 32, 32],
        num_queries=12,
        decoder_ffn_dim=48,
        decoder_attention_heads=4,
        decoder_layers=2,
        num_labels=5,
        hidden_expansion=0.5,
        feat_strides=[8, 16, 32],
    )
    call = lambda m, x: [m(pixel_values=x["pixels"])[k] for k in ("logits", "pred_boxes")]
    return pixels(hf.RTDetrForObjectDetection(config), 64, call=call)


def diffusion():
    import diffusers

    model = diffusers.UNet2DConditionModel(
        16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        cross_attention_dim=24,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        norm_num_groups=8,
    )
    make = lambda n, h: {"sample": floats(n, 4, h, h), "timestep": torch.full((n,), 7), "states": floats(n, 5, 24)}
    return Family(model, make, ((1, 16), (2, 16)), lambda m, x: m(*x.values(), return_dict=False))


def autoencoder(part):
    import diffusers

    sizes = {"block_out_channels": (16, 32), "norm_num_groups": 8, "layers_per_block": 1}
    sizes |= {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    model = diffusers.AutoencoderKL(**sizes)
    if part == "encoder":
        return any_pixels(model, ((1, 32, 48), (2, 48, 32)), call=lambda m, x: m.encode(x["pixels"]).latent_dist.mean)
    return any_pixels(model, ((1, 8, 12), (2, 12, 8)), 4, lambda m, x: m.decode(x["pixels"], return_dict=False))


# Few candidates: of hundreds some have scores so close that the last bit decides which of them stays.
FEW = {"topk_candidates": 12, "detections_per_img": 10}
SIZES = {"min_size": 96, "max_size": 160}
FEW_REGIONS = SIZES | {"rpn_pre_nms_top_n_test": 12, "rpn_post_nms_top_n_test": 16, "box_detections_per_img": 8}

VISION = {
    "Depth Anything": lambda: pixels(
        hf.DepthAnythingForDepthEstimation(
            hf.DepthAnythingConfig(
                backbone_config=hf.Dinov2Config(
                    **VIT | {"image_size": 56, "patch_size": 14}, out_indices=[1, 2], reshape_hidden_states=False
                ),
                backbone=None,
                patch_size=14,
                reassemble_hidden_size=32,
                reassemble_factors=[2, 1],
                neck_hidden_sizes=[16, 24],
                fusion_hidden_size=16,
                head_hidden_size=8,
            )
        ),
        56,
    ),
    "Swin2SR": lambda: image_model(
        "Swin2SR",
        "ForImageSuperResolution",
        32,
        image_size=32,
        patch_size=1,
        embed_dim=24,
        depths=[2],
        num_attention_heads=[2],
        num_hidden_layers=1,
        window_size=4,
        upscale=2,
    ),
    "YOLOS": lambda: image_model("Yolos", "ForObjectDetection", image_size=[64, 64], num_detection_tokens=10),
    "DETR": detr,
    "Conditional DETR": lambda: detr("ConditionalDetr"),
    "Deformable DETR": lambda: detr("DeformableDetr", features=["stage2", "stage3", "stage4"], num_feature_levels=3),
    "RT-DETR": rt_detr,
    "SAM encoder": lambda: sam("encoder"),
    "SAM decoder": lambda: sam("decoder"),
    "UNet": lambda: any_pixels(UNet()),
    "DeepLab v3": lambda: any_pixels(segmentation.deeplabv3_mobilenet_v3_large(**NO_WEIGHTS)),
    "LR-ASPP": lambda: any_pixels(segmentation.lraspp_mobilenet_v3_large(**NO_WEIGHTS)),
    "YOLO head with NMS": yolo,
    "SSDlite": lambda: found_by(detection.ssdlite320_mobilenet_v3_large(**NO_WEIGHTS, **FEW)),
    "Faster R-CNN": lambda: found_by(detection.fasterrcnn_mobilenet_v3_large_320_fpn(**NO_WEIGHTS, **FEW_REGIONS)),
    "Mask R-CNN": lambda: found_by(detection.maskrcnn_resnet50_fpn(**NO_WEIGHTS, **FEW_REGIONS)),
    "Keypoint R-CNN": lambda: found_by(
        detection.keypointrcnn_resnet50_fpn(**NO_WEIGHTS | {"num_classes": 2}, **FEW_REGIONS)
    ),
    "RetinaNet": lambda: found_by(detection.retinanet_resnet50_fpn(**NO_WEIGHTS, **FEW, **SIZES)),
    "FCOS": lambda: found_by(detection.fcos_resnet50_fpn(**NO_WEIGHTS, **FEW, **SIZES)),
    "RAFT": lambda: Family(
        torchvision.models.optical_flow.raft_small(),
        lambda: {"a": images(1, 3, 128, 128), "b": images(1, 3, 128, 129)[..., 1:]},
        ((),),
        lambda m, x: m(*x.values(), num_flow_updates=2)[-1],
    ),
    "ResNet 3D": lambda: Family(
        torchvision.models.video.r3d_18(num_classes=5),
        lambda n: {"clip": images(n, 3, 4, 32, 32)},
        ((1,), (2,)),
        lambda m, x: m(x["clip"]),
    ),
    "Operators of torchvision": operators,
    "Diffusion UNet": diffusion,
    "Diffusion VAE encoder": lambda: autoencoder("encoder"),
    "Diffusion VAE decoder": lambda: autoencoder("decoder"),
}
