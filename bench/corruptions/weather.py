"""Weather: what lies between the scene and the sensor.

fog, snow, frost and spatter are those of imagecorruptions: they know nothing of the
scene's depth, and lengths in pixels do not follow the resolution. depth_fog, rain and
night are the project's own and give lengths as fractions of the image height.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.core.seeding import legacy_generator, numpy_generator
from bench.corruptions.depth import street_depth
from bench.corruptions.filters import gaussian, magnified, motion_taps, trail
from bench.corruptions.pixels import UNIT, fractions, rounded, strips, truncated
from bench.corruptions.textures import crystals, frost_picture, plasma


def fog(image: np.ndarray, amount: float, decay: float, *, seed: int) -> np.ndarray:
    """Add a bright fractal layer, then scale back to the image's own maximum."""
    layer = fog_layer(image.shape[0], image.shape[1], decay, seed)[..., None]
    peak = UNIT[image.max()]
    out = np.empty_like(image)
    for rows in strips(image):
        foggy = fractions(image[rows]) + np.float32(amount) * layer[rows]
        foggy *= np.float32(peak / (peak + amount))
        out[rows] = truncated(foggy)
    return out


def fog_layer(height: int, width: int, decay: float, seed: int) -> np.ndarray:
    """Draw fog's density, float32 [H, W] in [0, 1]."""
    size = 1 << (max(height, width, 3) - 1).bit_length()  # the reference counts channels too
    return plasma(size, decay, legacy_generator(seed))[:height, :width]


def depth_fog(
    image: np.ndarray, visibility_m: float, *, depth: np.ndarray | None = None
) -> np.ndarray:
    """Fade the scene into the airlight with distance (Koschmieder's law).

    I = J t + A (1 - t), t = exp(-beta d), beta = 2.996 / visibility: the contrast of an
    object at the meteorological optical range falls to 5 % (Sakaridis et al.,
    arXiv:1708.07819, Eqs. 1-3, where 600, 300 and 150 m are used too). A is the mean
    colour of the brightest 1 % of the pixels, a simple stand-in for their
    dark-channel estimate.

    Args:
        image: uint8 [H, W, 3].
        visibility_m: meteorological optical range in metres.
        depth: float32 [H, W] in metres; without it ``street_depth``.
    """
    if depth is None:
        depth = street_depth(*image.shape[:2])
    through = np.exp(-2.996 / visibility_m * depth.astype(np.float32))[..., None]
    light = airlight(image)
    out = np.empty_like(image)
    for rows in strips(image):
        out[rows] = rounded((image[rows] - light) * through[rows] + light)
    return out


def airlight(image: np.ndarray) -> np.ndarray:
    """Average the brightest 1 % of the pixels, float32 [3] in 0..255."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    bright = image[grey >= np.quantile(grey, 0.99, method="higher")]
    return np.asarray(bright.mean(axis=0, dtype=np.float64).astype(np.float32))


def frost(
    image: np.ndarray, kept: float, added: float, *, seed: int, magnification: float = 1
) -> np.ndarray:
    """Add a random crop of one of imagecorruptions' five frost pictures.

    ``magnification`` is what a pixel of the pictures is in pixels of the image; 1 as
    published, or more where they would not cover it.

    Raises:
        FileNotFoundError: if that package, which owns the pictures, is not installed.
    """
    crop = frost_crop(image.shape[0], image.shape[1], seed, magnification)
    return overlay(image, crop, kept, added)


def frost_crop(height: int, width: int, seed: int, magnification: float = 1) -> np.ndarray:
    """Cut a random piece of a frost picture that covers the image, uint8 [H, W, 3]."""
    draws = legacy_generator(seed)
    picture = frost_picture(int(draws.randint(5)))
    scale = 1.1 * max(magnification, height / picture.shape[0], width / picture.shape[1])
    size = [int(np.ceil(side * scale)) for side in picture.shape[1::-1]]
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    top = draws.randint(0, picture.shape[0] - height)
    left = draws.randint(0, picture.shape[1] - width)
    return picture[top : top + height, left : left + width]


def frost_procedural(image: np.ndarray, kept: float, added: float, *, seed: int) -> np.ndarray:
    """Add drawn ice crystals, for machines without imagecorruptions' pictures.

    Looks alike and is blended alike, but is another corruption with other scores.
    """
    return overlay(
        image, crystals(image.shape[0], image.shape[1], legacy_generator(seed)), kept, added
    )


def overlay(image: np.ndarray, layer: np.ndarray, kept: float, added: float) -> np.ndarray:
    """Add two weighted uint8 images [H, W, 3], cut at white."""
    out = np.empty_like(image)
    for rows in strips(image):
        both = image[rows] * np.float32(kept)
        both += layer[rows] * np.float32(added)
        out[rows] = np.minimum(both, 255, out=both).astype(np.uint8)
    return out


def snow(
    image: np.ndarray,
    mean: float,
    std: float,
    size: float,
    threshold: float,
    radius: int,
    sigma: float,
    kept: float,
    *,
    seed: int,
) -> np.ndarray:
    """Whiten the image and add flakes: magnified, cut and motion-blurred noise, twice.

    Args:
        image: uint8 [H, W, 3].
        mean: of the noise that flakes are cut from.
        std: of that noise.
        size: magnification of the noise.
        threshold: values below it are no flake.
        radius: of the flakes' trail, px.
        sigma: of the flakes' trail, px.
        kept: weight of the image against its whitened form.
        seed: key of the draws.
    """
    draws = legacy_generator(seed)
    height, width = image.shape[:2]
    flakes = magnified(draws.normal(mean, std, (height, width)), size)
    flakes[flakes < threshold] = 0
    taps = motion_taps(radius, sigma, draws.uniform(-135, -45), flakes.shape)
    flakes = trail(np.clip(flakes, 0, 1).astype(np.float32), taps)
    flakes = (np.rint(flakes * 255) / 255)[:height, :width, None]
    falling = flakes + flakes[::-1, ::-1]
    out = np.empty_like(image)
    for rows in strips(image):
        clear = fractions(image[rows])
        grey = cv2.cvtColor(clear, cv2.COLOR_RGB2GRAY)[..., None]
        white = np.maximum(clear, grey * np.float32(1.5) + np.float32(0.5))
        out[rows] = truncated(kept * clear + (1 - kept) * white + falling[rows])
    return out


def spatter(
    image: np.ndarray,
    mean: float,
    std: float,
    sigma: float,
    threshold: float,
    weight: float,
    mud_sigma: float,
    *,
    seed: int,
) -> np.ndarray:
    """Splash water or mud on the lens where smoothed noise is high.

    Args:
        image: uint8 [H, W, 3].
        mean: of the noise that drops are cut from.
        std: of that noise.
        sigma: which smooths the noise, px.
        threshold: of the smoothed noise; below it the lens is clear.
        weight: of water; 0 for mud.
        mud_sigma: which softens the rim of mud, px; used where there is no water.
        seed: key of the draws.
    """
    draws = legacy_generator(seed)
    liquid = gaussian(draws.normal(mean, std, image.shape[:2]), sigma)
    if not weight:
        cover = gaussian((liquid > threshold).astype(np.float32), mud_sigma)
        cover[cover < 0.8] = 0
        colour, kept = np.array([63, 42, 20]) / 255, 1 - cover
    else:
        liquid[liquid < threshold] = 0
        cover = water((liquid * 255).astype(np.uint8)) * np.float32(weight)
        colour, kept = np.array([175, 238, 238]) / 255, np.ones_like(cover)
    out = np.empty_like(image)
    for rows in strips(image):
        splashed = fractions(image[rows]) * kept[rows, :, None]
        splashed += cover[rows, :, None] * colour.astype(np.float32)
        out[rows] = truncated(splashed)
    return out


def water(liquid: np.ndarray) -> np.ndarray:
    """Shade drops by the distance from their outline, float32 [H, W] in [0, 1]."""
    distance = cv2.distanceTransform(255 - cv2.Canny(liquid, 50, 150), cv2.DIST_L2, 5)
    near = cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8)
    relief = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])  # lit from the upper left
    lit = cv2.blur(cv2.filter2D(cv2.equalizeHist(near), cv2.CV_8U, relief), (3, 3))
    shade = liquid * lit.astype(np.float32)
    return shade / max(float(shade.max()), 1.0)


def rain(image: np.ndarray, streaks: int, length: float, veil: float, *, seed: int) -> np.ndarray:
    """Draw slanted streaks of airlight over a veil of spray.

    The grid was set by eye, from a shower that leaves all signs legible to a cloudburst
    in which a near car still shows.

    Args:
        image: uint8 [H, W, 3].
        streaks: number in a square as high as the image, if 1/500 of it thick; fewer
            where whole pixels make them thicker, so that they cover as much.
        length: mean of a streak's, as a fraction of the image height.
        veil: weight of the spray, of a colour between the airlight and the image's mean.
        seed: key of the draws; fewer streaks are a subset of more.
    """
    light = airlight(image)
    haze = (light + image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)) / 2
    height, width = image.shape[:2]
    cover = streak_cover(height, width, streaks, length, numpy_generator(seed))
    out = np.empty_like(image)
    for rows in strips(image):
        wet = image[rows] * np.float32(1 - veil) + haze * np.float32(veil)
        wet += cover[rows, :, None] * (light - wet)
        out[rows] = rounded(wet)
    return out


def streak_cover(
    height: int, width: int, streaks: int, length: float, draws: np.random.Generator
) -> np.ndarray:
    """Draw rain streaks that share the slant of the wind, float32 [H, W] opacity."""
    slant = draws.uniform(-0.25, 0.25)
    cover = np.zeros((height, width), np.uint8)
    thickness = max(1, round(height / 500))
    count = max(1, round(streaks * width / 500 / thickness))
    drops = draws.random((count, 5), dtype=np.float32)
    for across, down, stretch, tilt, opacity in drops.tolist():
        start = (1.2 * across - 0.1) * width, (1.2 * down - 0.2) * height
        fall = (0.5 + stretch) * length * height
        run = fall * (slant + 0.06 * (tilt - 0.5))
        head = round(start[0]), round(start[1])
        tail = round(start[0] + run), round(start[1] + fall)
        cv2.line(cover, head, tail, round(50 + 90 * opacity), thickness, cv2.LINE_AA)
    return fractions(cv2.GaussianBlur(cover, (3, 3), 0))


def night(image: np.ndarray, stops: float, electrons: float, *, seed: int) -> np.ndarray:
    """Expose the scene too little, under bluish light, with the noise of a sensor.

    In linear light (IEC 61966-2-1): the image times 2**-stops, plus normal noise of
    variance x / electrons (shot noise) + (2 / electrons)**2 (read noise). The grid goes
    from dusk to where noise hides what is not against the sky.

    Args:
        image: uint8 [H, W, 3].
        stops: of missing exposure.
        electrons: the sensor counts at full scale.
        seed: key of the draws.
    """
    draws = numpy_generator(seed)
    linear = np.where(UNIT <= 0.04045, UNIT / 12.92, ((UNIT + 0.055) / 1.055) ** 2.4)
    tint = np.array([0.8, 0.95, 1.15], np.float32)  # moonlight and sky glow, by eye
    exposed = (linear * 2**-stops).astype(np.float32)
    out = np.empty_like(image)
    for rows in strips(image):
        light = exposed[image[rows]] * tint
        noise = draws.standard_normal(light.shape, dtype=np.float32)
        light += noise * np.sqrt(light / electrons + (2 / electrons) ** 2)
        light = light.clip(0, 1)
        encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        out[rows] = rounded(encoded * 255)
    return out
