"""ADE20K: scenes of every kind, the 150 classes of the scene parsing benchmark.

Layout: ``ADEChallengeData2016.zip``. Stored values are 0 for void and 1..150 for the classes
in this order; many evaluations call this ``reduce_zero_label``. Classes, their shares of the
training pixels and their order: ``objectInfo150.txt`` and colours: ``color150.mat``, both of
github.com/CSAILVision/sceneparsing (names as MSeg abbreviates them, colours as MSeg lists
them: github.com/mseg-dataset/mseg-api, ``mseg/dataset_lists``).

Deviation: the published palette has runway in the colour of road; here it has its own.
"""

from __future__ import annotations

from bench.core.schema import IGNORE_INDEX
from bench.data.dataset import LabelSpace
from bench.data.files.colours import distinct
from bench.data.files.hub import HubDataset, HubSource
from bench.data.files.layout import Layout

_CLASSES = (  # name, colour, share of the training pixels
    ("wall", (120, 120, 120), 0.1576),
    ("building", (180, 120, 120), 0.1072),
    ("sky", (6, 230, 230), 0.0878),
    ("floor", (80, 50, 50), 0.0621),
    ("tree", (4, 200, 3), 0.048),
    ("ceiling", (120, 120, 80), 0.045),
    ("road", (140, 140, 140), 0.0398),
    ("bed", (204, 5, 255), 0.0231),
    ("windowpane", (230, 230, 230), 0.0198),
    ("grass", (4, 250, 7), 0.0183),
    ("cabinet", (224, 5, 255), 0.0181),
    ("sidewalk", (235, 255, 7), 0.0166),
    ("person", (150, 5, 61), 0.016),
    ("earth", (120, 120, 70), 0.0151),
    ("door", (8, 255, 51), 0.0118),
    ("table", (255, 6, 82), 0.011),
    ("mountain", (143, 255, 140), 0.0109),
    ("plant", (204, 255, 4), 0.0104),
    ("curtain", (255, 51, 7), 0.0104),
    ("chair", (204, 70, 3), 0.0103),
    ("car", (0, 102, 200), 0.0098),
    ("water", (61, 230, 250), 0.0074),
    ("painting", (255, 6, 51), 0.0067),
    ("sofa", (11, 102, 255), 0.0065),
    ("shelf", (255, 7, 71), 0.0061),
    ("house", (255, 9, 224), 0.006),
    ("sea", (9, 7, 230), 0.0053),
    ("mirror", (220, 220, 220), 0.0052),
    ("rug", (255, 9, 92), 0.0046),
    ("field", (112, 9, 255), 0.0044),
    ("armchair", (8, 255, 214), 0.0044),
    ("seat", (7, 255, 224), 0.0044),
    ("fence", (255, 184, 6), 0.0033),
    ("desk", (10, 255, 71), 0.0031),
    ("rock", (255, 41, 10), 0.003),
    ("wardrobe", (7, 255, 255), 0.0027),
    ("lamp", (224, 255, 8), 0.0026),
    ("bathtub", (102, 8, 255), 0.0024),
    ("railing", (255, 61, 6), 0.0024),
    ("cushion", (255, 194, 7), 0.0023),
    ("base", (255, 122, 8), 0.0023),
    ("box", (0, 255, 20), 0.0022),
    ("column", (255, 8, 41), 0.0022),
    ("signboard", (255, 5, 153), 0.002),
    ("chest of drawers", (6, 51, 255), 0.0019),
    ("counter", (235, 12, 255), 0.0019),
    ("sand", (160, 150, 20), 0.0018),
    ("sink", (0, 163, 255), 0.0018),
    ("skyscraper", (140, 140, 140), 0.0018),
    ("fireplace", (250, 10, 15), 0.0018),
    ("refrigerator", (20, 255, 0), 0.0018),
    ("grandstand", (31, 255, 0), 0.0018),
    ("path", (255, 31, 0), 0.0018),
    ("stairs", (255, 224, 0), 0.0017),
    ("runway", (153, 255, 0), 0.0017),
    ("case", (0, 0, 255), 0.0017),
    ("pool table", (255, 71, 0), 0.0017),
    ("pillow", (0, 235, 255), 0.0017),
    ("screen door", (0, 173, 255), 0.0015),
    ("stairway", (31, 0, 255), 0.0015),
    ("river", (11, 200, 200), 0.0015),
    ("bridge", (255, 82, 0), 0.0015),
    ("bookcase", (0, 255, 245), 0.0014),
    ("blind", (0, 61, 255), 0.0014),
    ("coffee table", (0, 255, 112), 0.0014),
    ("toilet", (0, 255, 133), 0.0014),
    ("flower", (255, 0, 0), 0.0014),
    ("book", (255, 163, 0), 0.0013),
    ("hill", (255, 102, 0), 0.0013),
    ("bench", (194, 255, 0), 0.0013),
    ("countertop", (0, 143, 255), 0.0012),
    ("stove", (51, 255, 0), 0.0012),
    ("palm", (0, 82, 255), 0.0012),
    ("kitchen island", (0, 255, 41), 0.0012),
    ("computer", (0, 255, 173), 0.0011),
    ("swivel chair", (10, 0, 255), 0.001),
    ("boat", (173, 255, 0), 0.0009),
    ("bar", (0, 255, 153), 0.0009),
    ("arcade machine", (255, 92, 0), 0.0009),
    ("hovel", (255, 0, 255), 0.0009),
    ("bus", (255, 0, 245), 0.0009),
    ("towel", (255, 0, 102), 0.0008),
    ("light", (255, 173, 0), 0.0008),
    ("truck", (255, 0, 20), 0.0008),
    ("tower", (255, 184, 184), 0.0008),
    ("chandelier", (0, 31, 255), 0.0008),
    ("awning", (0, 255, 61), 0.0007),
    ("streetlight", (0, 71, 255), 0.0007),
    ("booth", (255, 0, 204), 0.0007),
    ("television receiver", (0, 255, 194), 0.0007),
    ("airplane", (0, 255, 82), 0.0007),
    ("dirt track", (0, 10, 255), 0.0007),
    ("apparel", (0, 112, 255), 0.0007),
    ("pole", (51, 0, 255), 0.0006),
    ("land", (0, 194, 255), 0.0006),
    ("bannister", (0, 122, 255), 0.0006),
    ("escalator", (0, 255, 163), 0.0006),
    ("ottoman", (255, 153, 0), 0.0006),
    ("bottle", (0, 255, 10), 0.0006),
    ("buffet", (255, 112, 0), 0.0006),
    ("poster", (143, 255, 0), 0.0006),
    ("stage", (82, 0, 255), 0.0006),
    ("van", (163, 255, 0), 0.0006),
    ("ship", (255, 235, 0), 0.0006),
    ("fountain", (8, 184, 170), 0.0005),
    ("conveyer belt", (133, 0, 255), 0.0005),
    ("canopy", (0, 255, 92), 0.0005),
    ("washer", (184, 0, 255), 0.0005),
    ("plaything", (255, 0, 31), 0.0005),
    ("swimming pool", (0, 184, 255), 0.0005),
    ("stool", (0, 214, 255), 0.0005),
    ("barrel", (255, 0, 112), 0.0005),
    ("basket", (92, 255, 0), 0.0005),
    ("waterfall", (0, 224, 255), 0.0005),
    ("tent", (112, 224, 255), 0.0005),
    ("bag", (70, 184, 160), 0.0005),
    ("minibike", (163, 0, 255), 0.0005),
    ("cradle", (153, 0, 255), 0.0005),
    ("oven", (71, 255, 0), 0.0005),
    ("ball", (255, 0, 163), 0.0005),
    ("food", (255, 204, 0), 0.0005),
    ("step", (255, 0, 143), 0.0004),
    ("tank", (0, 255, 235), 0.0004),
    ("trade name", (133, 255, 0), 0.0004),
    ("microwave", (255, 0, 235), 0.0004),
    ("pot", (245, 0, 255), 0.0004),
    ("animal", (255, 0, 122), 0.0004),
    ("bicycle", (255, 245, 0), 0.0004),
    ("lake", (10, 190, 212), 0.0004),
    ("dishwasher", (214, 255, 0), 0.0004),
    ("screen", (0, 204, 255), 0.0004),
    ("blanket", (20, 0, 255), 0.0004),
    ("sculpture", (255, 255, 0), 0.0004),
    ("hood", (0, 153, 255), 0.0004),
    ("sconce", (0, 41, 255), 0.0003),
    ("vase", (0, 255, 204), 0.0003),
    ("traffic light", (41, 0, 255), 0.0003),
    ("tray", (41, 255, 0), 0.0003),
    ("ashcan", (173, 0, 255), 0.0003),
    ("fan", (0, 245, 255), 0.0003),
    ("pier", (71, 0, 255), 0.0003),
    ("crt screen", (122, 0, 255), 0.0003),
    ("plate", (0, 255, 184), 0.0003),
    ("monitor", (0, 92, 255), 0.0003),
    ("bulletin board", (184, 255, 0), 0.0003),
    ("shower", (0, 133, 255), 0.0003),
    ("radiator", (255, 214, 0), 0.0003),
    ("glass", (25, 194, 194), 0.0002),
    ("clock", (102, 255, 0), 0.0002),
    ("flag", (92, 0, 255), 0.0002),
)
_SPACE = LabelSpace(
    name="ade20k-150",
    classes=tuple(entry[0] for entry in _CLASSES),
    palette=distinct(entry[1] for entry in _CLASSES),
)


class ADE20K(HubDataset):
    """The scene parsing benchmark of ADE20K."""

    title = "ADE20K (scene parsing benchmark, 150 classes)"
    licence = "Annotations: BSD-3-Clause; images: non-commercial research and teaching."
    homepage = "http://sceneparsing.csail.mit.edu"
    access = (
        "download ADEChallengeData2016.zip from "
        "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip"
    )
    citation = """\
@inproceedings{zhou2017scene,
  title = {Scene Parsing through {ADE20K} Dataset},
  author = {Zhou, Bolei and Zhao, Hang and Puig, Xavier and Fidler, Sanja and Barriuso, Adela
            and Torralba, Antonio},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition (CVPR)},
  year = {2017}
}"""
    splits = ("train", "val")
    published = {"train": 20210, "val": 2000}
    shares = {name: share for name, _, share in _CLASSES}
    folders = (
        *("ade20k", "ADEChallengeData2016", "ade/ADEChallengeData2016"),
        "ADE20K/ADEChallengeData2016",
    )
    encodings = {
        "zero is void": {0: IGNORE_INDEX, **{index + 1: index for index in range(150)}},
        "zero is the first class": {**{index: index for index in range(150)}, 255: IGNORE_INDEX},
    }
    hub = HubSource(
        repository="zhoubolei/scene_parse_150",
        config="scene_parsing",
        # The repository's own form is a script, which datasets 4 no longer runs.
        revision="refs/convert/parquet",
        splits={"train": "train", "val": "validation"},
        image="image",
        label="annotation",
    )
    label_space = _SPACE
    """The 150 classes, most frequent first."""
    split_folders = {"train": "training", "val": "validation"}
    where = (Layout("images/{split}/{frame}.jpg", "annotations/{split}/{frame}.png"),)
