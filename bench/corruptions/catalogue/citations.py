"""What to cite for a corruption, by what its ``source`` in the catalogue names."""

from __future__ import annotations

from collections.abc import Iterable

from bench.corruptions.catalogue import CATALOGUE

CITATIONS = {
    "imagecorruptions": """\
@article{michaelis2019imagecorruptions,
  title = {Benchmarking Robustness in Object Detection: Autonomous Driving when Winter is Coming},
  author = {Michaelis, Claudio and Mitzkus, Benjamin and Geirhos, Robert and Rusak, Evgenia and
    Bringmann, Oliver and Ecker, Alexander S. and Bethge, Matthias and Brendel, Wieland},
  journal = {arXiv preprint arXiv:1907.07484},
  year = {2019}
}
@inproceedings{hendrycks2019robustness,
  title = {Benchmarking Neural Network Robustness to Common Corruptions and Perturbations},
  author = {Hendrycks, Dan and Dietterich, Thomas},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}""",
    "CAM-Seg": """\
@article{ahmed2025camseg,
  title = {{CAM-Seg}: A Continuous-valued Embedding Approach for Semantic Image Generation},
  author = {Ahmed, Masud and Hasan, Zahid and Haque, Syed Arefinul and Faridee, Abu Zaher Md and
    Purushotham, Sanjay and You, Suya and Roy, Nirmalya},
  journal = {arXiv preprint arXiv:2503.15617},
  year = {2025}
}""",
    "ImageNet-C-bar": """\
@inproceedings{mintun2021cbar,
  title = {On Interaction Between Augmentations and Corruptions in Natural Corruption Robustness},
  author = {Mintun, Eric and Kirillov, Alexander and Xie, Saining},
  booktitle = {Advances in Neural Information Processing Systems (NeurIPS)},
  year = {2021}
}""",
}


def cite(names: Iterable[str]) -> list[str]:
    """Return the BibTeX of what some corruptions are taken from, each entry once.

    Names that the catalogue lacks, such as ``none``, have nothing to cite.
    """
    sources = {CATALOGUE[name].source for name in names if name in CATALOGUE}
    return [text for key, text in CITATIONS.items() if any(key in source for source in sources)]
