"""Palettes as released, six hexadecimal digits a colour, the last one that of void.

Source: fudan-zvg/GSS, configs/gss/_base_/models and configs/gss/mseg. The palette of
Cityscapes is the dataset's own for display (mcordts/cityscapesScripts).
"""

from __future__ import annotations

import numpy as np

_CITYSCAPES = """
804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 4682b4 dc143c ff0000 00008e
000046 003c64 005064 0000e6 770b20 000000
"""
_ADE20K = """
dede91 121e07 08172f 1e0660 010da4 0c1cbf 193420 1d3034 0f335f 1938a7 192ad2 1b511f 095836 1b5c71
0b6397 1a6eb7 18821a 047a4b 038462 1a93a7 1184c5 05a91c 13b843 00be7a 0ca793 06a1c4 02cd03 05dc3d
17e16b 07d99d 19d0bf 4a0a08 451e45 380462 3d1da4 3c0ac2 3c3413 4a4534 414474 5129a1 463cc5 42510e
376b3d 4c6e6c 4a68a2 485ec5 3c8510 458043 3b9468 41859a 4480b7 4fb50b 4caa38 47af67 35a289 35b6b7
33e51a 33ca33 45d57a 3fd5a1 47cbc5 780b1f 7c0344 830262 7101a2 660dd1 6d321e 7e292f 6b2e76 703193
6d29bd 67530f 7e6346 7c6568 83679f 806eb7 779409 708932 7b7f74 6b7ca7 6694cb 7cb40f 74a841 68b666
6fa4a3 69aebf 66da14 7ecb40 6cd76d 6edd9d 6be6c0 a0190b a50c41 990275 b6158d a013bc b03a13 af3a38
aa455d b02a92 9d2cd3 9d6902 b46249 b6555c a95d98 9c59ca 9d9016 b4974d 9a9276 a2888f ab86b8 aaae0f
b2b441 b0b778 afa993 b5a5c5 9ce303 a7da3d a0d877 a4fb8d b1c9fb e71e0d db063b d31a7a d81099 d10cc0
d8460f d72e3c ea3d70 e0359d e331cf dd6c08 dc5d49 e66f71 da598f e75ac3 e39016 d08931 d28074 e1879d
dd87c1 d3ae12 deb932 e5b75d e9a29b ffa7cd d3d70f e8e147 000000 ffffff d7d8c4
"""
_MSEG = """
0207d6 0910ea 033405 0d4132 09344f 05406a 054388 0341b4 093ed7 0e3bf2 067508 03682a 0b734c 027173
047286 056ca7 026ecb 0676f1 0ea80d 0d9c28 059e52 099e65 059b89 09a6a9 0ea0d4 02a5f3 0cd20d 09d729
07d64e 0cd26c 0bd08a 00d8b1 00cec8 0ed2ea 3a0a09 370f32 420752 460172 3b0486 3f10ae 440bcd 3a10f5
3d3606 39342e 434045 3c3c68 3d3e95 3a42a7 413bcb 3c43f7 42760e 37752e 376d4a 436d71 446c89 406cb5
4169d5 3774f3 45a709 41a228 3ba64d 3ca165 3e9e8c 3fa0b2 469acf 419ef7 3dd504 3ed72c 42da4f 39d96c
3fd488 3cd7b3 37cdc8 38d2ef 70040e 730623 7b0552 77066d 740587 7902b5 6f05d4 7606ee 744205 7a352b
743b45 6e3570 703792 753daf 783dd3 6f39f8 7c760b 7a6a24 7b6953 6e6a6c 747389 7468ab 6f6cd1 7769ea
7da709 7aa630 77a948 76a365 73a189 74a2a7 76a2d3 7ba6ec 7cda02 76d125 7cd753 6fd374 73db8b 7ccdb0
73dbd3 72cff8 ab0d0f b30a2d ac0a4f ab0e74 b10687 ad04b6 b401d7 ab08eb ab4205 b33923 a84246 ab3e6b
ac388a a939b2 b243cd b443ec b2730a ad7529 b36b4f b16873 ae6889 a673a9 a76dd4 af74eb aca80f b09e24
a99f44 a59e73 a79a93 b09aac a59ace ab9af7 b0d804 a6cd32 a9d853 b4d86a b0cf8c abcdb3 addbd7 b4dcf6
ea030a e50e2e e00f45 e30767 e60794 eb0da9 dd02d5 e507eb ea3e0a eb3526 e24144 e33c69 e53891 e736a8
e634d7 e839f0 e4670a dd6f2f e56746 e5766c ea6b8a e66db1 e571d1 ea67ef e7a811 ea9a2b e3a253 e3a470
de9c92 e99bae dc9ed5 dda3ec e4d304 e8dc28 e9d54e e9dc71 e9d28e dfd9ad e1cfcf e2dcf3 000000
"""


def _parse(text: str) -> np.ndarray:
    return np.array([list(bytes.fromhex(colour)) for colour in text.split()], dtype=np.float64)


RELEASED = {
    "cityscapes": _parse(_CITYSCAPES),
    "ade20k": _parse(_ADE20K),
    "mseg": _parse(_MSEG),
}
"""Float64 [K + 1, 3] in 0..255, by dataset."""
