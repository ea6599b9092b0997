"""Settings of decode heads, and the networks that GSS and MSeg compare with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bench import (
    Augment,
    DataSpec,
    Fraction,
    MethodConfig,
    ParameterGroup,
    Positive,
    Stage,
)
from methods._nn.settings import BackboneSettings, Weight

Head = Literal[
    "fcn", "nonlocal", "ccnet", "danet", "hrnet", "ocr", "setr_naive", "setr_pup", "setr_mla"
]


class Config(MethodConfig):
    """One head on one image encoder, trained with cross-entropy per pixel."""

    version: ClassVar[int] = 1
    family: ClassVar[Literal["discriminative"]] = "discriminative"
    citation: ClassVar[str] = """\
@inproceedings{long2015fcn,
  title = {Fully Convolutional Networks for Semantic Segmentation},
  author = {Long, Jonathan and Shelhamer, Evan and Darrell, Trevor},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2015}
}
@inproceedings{wang2018nonlocal,
  title = {Non-local Neural Networks},
  author = {Wang, Xiaolong and Girshick, Ross and Gupta, Abhinav and He, Kaiming},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2018}
}
@inproceedings{huang2019ccnet,
  title = {{CCNet}: Criss-Cross Attention for Semantic Segmentation},
  author = {Huang, Zilong and Wang, Xinggang and Huang, Lichao and Huang, Chang and Wei, Yunchao and
    Liu, Wenyu},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2019}
}
@inproceedings{fu2019danet,
  title = {Dual Attention Network for Scene Segmentation},
  author = {Fu, Jun and Liu, Jing and Tian, Haijie and Li, Yong and Bao, Yongjun and Fang, Zhiwei
    and Lu, Hanqing},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2019}
}
@article{sun2019hrnetv2,
  title = {High-Resolution Representations for Labeling Pixels and Regions},
  author = {Sun, Ke and Zhao, Yang and Jiang, Borui and Cheng, Tianheng and Xiao, Bin and
    Liu, Dong and Mu, Yadong and Wang, Xinggang and Liu, Wenyu and Wang, Jingdong},
  journal = {arXiv preprint arXiv:1904.04514},
  year = {2019}
}
@inproceedings{yuan2020ocr,
  title = {Object-Contextual Representations for Semantic Segmentation},
  author = {Yuan, Yuhui and Chen, Xilin and Wang, Jingdong},
  booktitle = {European Conference on Computer Vision},
  year = {2020}
}
@inproceedings{zheng2021setr,
  title = {Rethinking Semantic Segmentation from a Sequence-to-Sequence Perspective with
    Transformers},
  author = {Zheng, Sixiao and Lu, Jiachen and Zhao, Hengshuang and Zhu, Xiatian and Luo, Zekun and
    Wang, Yabiao and Fu, Yanwei and Feng, Jianfeng and Xiang, Tao and Torr, Philip H. S. and
    Zhang, Li},
  booktitle = {IEEE/CVF Conference on Computer Vision and Pattern Recognition},
  year = {2021}
}
@inproceedings{sener2018mgda,
  title = {Multi-Task Learning as Multi-Objective Optimization},
  author = {Sener, Ozan and Koltun, Vladlen},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2018}
}
@inproceedings{motiian2017ccsa,
  title = {Unified Deep Supervised Domain Adaptation and Generalization},
  author = {Motiian, Saeid and Piccirilli, Marco and Adjeroh, Donald A. and Doretto, Gianfranco},
  booktitle = {IEEE/CVF International Conference on Computer Vision},
  year = {2017}
}"""

    head: Head
    backbone: BackboneSettings
    blocks: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Of a plain transformer, for SETR: the blocks that are read, counted from 0."""
    width: Positive = 512
    """Channels that are attended with, or of SETR's convolutions."""
    recurrence: Positive = 2
    """How often criss-cross attention is applied."""
    auxiliary_width: Positive = 256
    """Of the head on a ResNet's last level but one."""
    auxiliary_weight: Weight = 0.4
    """Of the loss of each map that is trained and not predicted with, OCRNet's coarse one
    included; dual attention's branches have 1."""
    dropout: Fraction = 0.1
    """Before the classifiers."""
    domains: Literal["", "mgda", "ccsa"] = ""
    """How data sets that are mixed are held together in training: not at all; by weights of their
    losses (MGDA); or by drawing pixels of one class near to each other across data sets (CCSA).
    Without a mixture the last two do nothing."""
    contrast_weight: Fraction = 0.25
    """Of the loss across data sets of ``ccsa``, in whose favour the others are lowered."""
    train: Stage

    @property
    def gives_probabilities(self) -> bool:
        return True

    def needs(self, folder: str = "") -> tuple[tuple[str, str], ...]:
        return self.backbone.needs(bool(self.weights))

    def files(self) -> Mapping[str, tuple[Path, ...]]:
        return self.backbone.files(bool(self.weights))

    def depends_on(self, stage: str) -> Mapping[str, Any]:
        return {**super().depends_on(stage), **self.backbone.content}

    def pretraining(self, stage: str) -> str:
        return self.backbone.pretraining

    def stages(self, data: DataSpec) -> tuple[Stage, ...]:
        return (self.train,)


def _stage(steps: int, batch_size: int, lr: float, **settings: Any) -> Stage:
    return Stage(
        name="network",
        modules=("network",),
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        **{"power": 0.9, **settings},
    )


def _sgd(steps: int, batch_size: int, **settings: Any) -> Stage:
    """Stochastic gradient descent as mmsegmentation has it (configs/_base_/schedules)."""
    usual = {"optimizer": "sgd", "weight_decay": 5e-4, "decay_vectors": True, "grad_clip": None}
    augment = Augment(scale=(0.5, 2.0))
    return _stage(steps, batch_size, 0.01, sync_bn=True, augment=augment, **{**usual, **settings})


RESNET101 = BackboneSettings(name="resnet101c", options={"output_stride": 8}, pretrained=True)
HRNET_W48 = BackboneSettings(name="hrnet_w48", options={"feature_location": ""}, pretrained=True)
VIT_L = BackboneSettings(name="vit_large_patch16_384", options={"img_size": 768}, pretrained=True)
_TINY_RESNET = BackboneSettings(
    name="resnet10t", options={"channels": (32, 64, 128, 256), "stem_width": 16}
)
_TINY_DILATED = _TINY_RESNET.model_copy(
    update={"options": {**_TINY_RESNET.options, "output_stride": 8}}
)
_TINY_VIT = BackboneSettings(
    name="vit_tiny_patch16_224",
    options={"patch_size": 8, "depth": 4, "embed_dim": 128, "num_heads": 4},
)
_OF_THE_LAST = (9, 14, 19, 23)
_EVENLY = (5, 11, 17, 23)


def _tiny(head: Head, **changes: Any) -> Config:
    """About a minute and a half on two CPU cores, at 96 x 192; the head is narrow as well."""
    train = _stage(
        300,
        8,
        1e-3,
        weight_decay=0.05,
        warmup_steps=20,
        augment=Augment(scale=(0.75, 1.5), colour=0.2),
    )
    settings: dict[str, Any] = {"backbone": _TINY_DILATED, "width": 64, "auxiliary_width": 32}
    return Config(head=head, dropout=0.0, train=train, **{**settings, **changes})


def _setr(head: Head, blocks: tuple[int, ...]) -> Config:
    """Return what mmsegmentation's configs/setr have for Cityscapes, at crops of 768 x 768."""
    faster = ParameterGroup(match=("network.head.*",), lr_multiplier=10)
    train = _sgd(80_000, 8, weight_decay=0.0, groups=(faster,))
    return Config(head=head, backbone=VIT_L, blocks=blocks, width=256, dropout=0.0, train=train)


PRESETS = {
    "fcn_tiny": _tiny("fcn"),
    "nonlocal_tiny": _tiny("nonlocal"),
    "ccnet_tiny": _tiny("ccnet"),
    "danet_tiny": _tiny("danet"),
    "hrnet_tiny": _tiny("hrnet", backbone=_TINY_RESNET),
    "ocr_tiny": _tiny("ocr", backbone=_TINY_RESNET),
    "setr_naive_tiny": _tiny("setr_naive", backbone=_TINY_VIT, blocks=(0, 1, 2, 3)),
    "setr_pup_tiny": _tiny("setr_pup", backbone=_TINY_VIT, blocks=(1, 3), width=32),
    "setr_mla_tiny": _tiny("setr_mla", backbone=_TINY_VIT, blocks=(0, 1, 2, 3)),
    # Encoders start from timm's weights of ImageNet, as the published ones do from OpenMMLab's;
    # `backbone: {pretrained: false}` draws them, and `initialise: {network: FILE}` has any other.
    # mmsegmentation, configs/fcn, nonlocal_net, ccnet and danet: Cityscapes at 512 x 1024, 80k.
    "fcn_r101": Config(head="fcn", backbone=RESNET101, train=_sgd(80_000, 8)),
    "nonlocal_r101": Config(head="nonlocal", backbone=RESNET101, train=_sgd(80_000, 8)),
    "ccnet_r101": Config(head="ccnet", backbone=RESNET101, train=_sgd(80_000, 8)),
    "danet_r101": Config(head="danet", backbone=RESNET101, train=_sgd(80_000, 8)),
    # mmsegmentation, configs/ocrnet: 160k.
    "ocr_hrnet_w48": Config(head="ocr", backbone=HRNET_W48, dropout=0.0, train=_sgd(160_000, 8)),
    # mseg-dataset/mseg-semantic: batches of 35 and decay of 1e-4; 160k as GSS repeated it.
    "hrnet_w48": Config(
        head="hrnet",
        backbone=HRNET_W48,
        dropout=0.0,
        train=_sgd(160_000, 35, weight_decay=1e-4),
    ),
    "setr_naive": _setr("setr_naive", _OF_THE_LAST),
    "setr_pup": _setr("setr_pup", _OF_THE_LAST),
    "setr_mla": _setr("setr_mla", _EVENLY),
}
