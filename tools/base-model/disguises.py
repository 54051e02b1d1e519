"""Looks that no drawing has, in random colours: an autoencoder must serve styles that the model will only meet later."""
import numpy as np
import torch
import torch.nn.functional as F


def random_colours(rng, *shape):
    """Colours in [0, 1], saturated ones more often than uniform draws give."""
    return torch.from_numpy(rng.beta(0.6, 0.6, (*shape, 3)).astype(np.float32))


def premultiplied(rgba):
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)


def contours(rgba, rng):
    """RGBA [b, 4, h, w] → outlines as lines of one colour on paper of another, [b, 3, h, w]."""
    channels, width = premultiplied(rgba), int(rng.choice([3, 3, 5]))
    contrast = sum(F.max_pool2d(sign * channels, width, 1, width // 2) for sign in (1, -1)).amax(1, keepdim=True)
    ink = ((contrast - rng.uniform(0.05, 0.15)) * rng.uniform(4, 10)).clamp(0, 1)
    paper, line = random_colours(rng, 2, len(rgba))[..., None, None]
    return paper + (line - paper) * ink


def mosaic(rgba, rng):
    """RGBA [b, 4, h, w] → square tiles of a few colours with a rim, on paper; [b, 3, h, w]."""
    size, tiles = rgba.shape[-1], int(rng.choice([12, 16, 16, 20, 32]))
    small = F.interpolate(premultiplied(rgba), tiles, mode="area")
    solid = small[:, 3:] > 0.45
    colours = (small[:, :3] / small[:, 3:].clamp(min=0.2)).permute(0, 2, 3, 1).reshape(len(rgba), -1, 3)
    palette = random_colours(rng, len(rgba), rng.randint(6, 25))
    nearest = torch.cdist(colours, palette).argmin(2)
    body = torch.gather(palette, 1, nearest[:, :, None].expand(-1, -1, 3)).reshape(-1, tiles, tiles, 3).permute(0, 3, 1, 2)
    rim = F.max_pool2d(solid.float(), 3, 1, 1) > 0.5
    paper, edge = random_colours(rng, 2, len(rgba))[..., None, None]
    return F.interpolate(torch.where(solid, body, torch.where(rim, edge * 0.3, paper)), size, mode="nearest")


def disguised(rgba, rng):
    """A batch as contours, as mosaics or as it is on white or any colour; [b, 3, h, w] and whether it was left as it is."""
    chance = rng.rand()
    if chance < 0.27:
        return contours(rgba, rng), False
    if chance < 0.5:
        return mosaic(rgba, rng), False
    papers = torch.where(torch.from_numpy(rng.rand(len(rgba), 1) < 0.3), random_colours(rng, len(rgba)), torch.ones(3))
    images = rgba[:, :3] * rgba[:, 3:] + papers[:, :, None, None] * (1 - rgba[:, 3:])
    return (images[:, rng.permutation(3)], False) if chance < 0.55 else (images, True)
