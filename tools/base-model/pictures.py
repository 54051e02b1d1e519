"""Augmented 64-px pictures of the drawings, for what reads pictures: the captioner's eye and the judge."""
import numpy as np
import torch
import torch.nn.functional as F

from data import CACHE, COLOUR_NAMES, COLOURS, WHITE
from disguises import contours, mosaic, premultiplied

SIZE = 64
OTHER = -1  # style of a disguised drawing: none that has a name
PAPERS = torch.tensor([COLOURS[name] for name in COLOUR_NAMES] + [(1, 1, 1)]).float()  # index WHITE is the last


def shrunk(drawings, size=SIZE):
    """Premultiplied RGBA of all drawings, u8 [concepts, styles, 4, size, size]; made once."""
    path = CACHE / f"drawings-{size}.npy"
    if not path.exists():
        rows = []
        for pixels in drawings.pixels:
            rgba = torch.from_numpy(pixels.astype(np.float32) / 255).permute(0, 3, 1, 2)
            rows.append((F.interpolate(premultiplied(rgba), size, mode="area") * 255).round().byte().numpy())
        np.save(path, np.stack(rows))
    return np.load(path, mmap_mode="r")


def on_paper(rgba, papers):
    """Premultiplied RGBA over paper colours [b, 3]; [b, 3, h, w] in [-1, 1]."""
    return (rgba[:, :3] + papers[:, :, None, None] * (1 - rgba[:, 3:])) * 2 - 1


def moved(rgba, rng, mirrors):
    """Each picture scaled, turned a little, shifted and, where its name allows, mirrored."""
    count = len(rgba)
    scale, angle = 1 / rng.uniform(0.7, 1.1, count), rng.normal(0, 0.12, count)
    flip = np.where(mirrors & (rng.rand(count) < 0.5), -1, 1)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    shift = rng.uniform(-0.12, 0.12, (2, count))
    matrix = np.stack([np.stack([flip * cos, -sin, shift[0]], 1), np.stack([flip * sin, cos, shift[1]], 1)], 1)
    grid = F.affine_grid(torch.from_numpy(matrix).float(), list(rgba.shape), align_corners=False)
    return F.grid_sample(rgba, grid, align_corners=False)


def blurred(images, rng):
    """What an autoencoder or a careless resize does to a picture."""
    small = F.interpolate(images, int(rng.randint(28, 56)), mode="area")
    return F.interpolate(small, images.shape[-1], mode="bilinear", align_corners=False)


class Pictures:
    """Random batches: images [b, 3, 64, 64], concepts, styles (OTHER if disguised), background colours."""

    def __init__(self, drawings, seed, disguised=0.2, blurred=0.15):
        self.pixels, self.pairs, self.rng = shrunk(drawings), drawings.train, np.random.RandomState(seed)
        self.mirrors = np.array([drawings.flips(c) for c in range(len(drawings.names))])
        self.disguised, self.blurred = disguised, blurred

    def rgba(self, concepts, styles):
        return torch.from_numpy(self.pixels[concepts, styles].astype(np.float32) / 255)

    def draw(self, count, colour=None):
        """`colour`: one background for all."""
        rng = self.rng
        concepts, styles = self.pairs[rng.randint(len(self.pairs), size=count)].T.copy()
        colours = np.where(rng.rand(count) < 0.5, WHITE, rng.randint(len(COLOUR_NAMES), size=count))
        if colour is not None:
            colours[:] = colour
        rgba = moved(self.rgba(concepts, styles), rng, self.mirrors[concepts])
        papers = (PAPERS[colours] + 0.04 * torch.randn(count, 3)).clamp(0, 1)
        images = on_paper(rgba, torch.where(torch.from_numpy(colours == WHITE)[:, None], PAPERS[colours], papers))
        strange = int(round(count * self.disguised))
        if strange:  # the first of the batch; a batch of one look is enough, the next has another
            straight = rgba[:strange] / torch.cat([rgba[:strange, 3:].clamp(min=1e-3)] * 3 + [torch.ones_like(rgba[:strange, 3:])], 1)
            look = contours if rng.rand() < 0.6 else mosaic
            images[:strange], styles[:strange] = look(straight, rng) * 2 - 1, OTHER
        if rng.rand() < self.blurred:
            images = blurred(images, rng)
        contrast, light = (torch.from_numpy(rng.normal(m, s, (count, 1, 1, 1))).float() for m, s in ((1, 0.08), (0, 0.05)))
        return (images * contrast + light).clamp(-1, 1), concepts, styles, colours

    def plain(self, pairs, colours=None):
        """Drawings as they are, on white or given backgrounds."""
        papers = PAPERS[[WHITE] * len(pairs) if colours is None else colours]
        return on_paper(self.rgba(*pairs.T), papers)
