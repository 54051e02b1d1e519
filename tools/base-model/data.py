"""The drawings as training images with captions."""
import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

CACHE = Path(os.environ.get("MINI_CACHE", Path(__file__).resolve().parents[2] / ".cache" / "base-model"))
COLOURS = {
    "red": (0.9, 0.25, 0.25),
    "blue": (0.3, 0.5, 0.95),
    "green": (0.4, 0.8, 0.45),
    "yellow": (0.98, 0.85, 0.35),
    "pink": (0.98, 0.7, 0.8),
    "purple": (0.6, 0.4, 0.85),
    "gray": (0.6, 0.6, 0.62),
    "black": (0.08, 0.08, 0.1),
}
COLOUR_NAMES = list(COLOURS)
WHITE = -1  # index of the background that captions do not mention


class Drawings:
    """[concepts, styles, 128, 128, RGBA] u8 on disk; about one drawing in 25 is held out of all training."""

    def __init__(self):
        meta = json.loads((CACHE / "drawings.json").read_text())
        self.names, self.styles, self.size = meta["names"], meta["styles"], meta["size"]
        shape = (len(self.names), len(self.styles), self.size, self.size, 4)
        self.pixels = np.memmap(CACHE / "drawings.bin", np.uint8, "r", shape=shape)
        concepts, styles = np.indices(shape[:2]).reshape(2, -1)
        held = (concepts * 7 + styles * 5) % 25 == 3
        self.train = np.stack([concepts[~held], styles[~held]], 1)
        self.held = np.stack([concepts[held], styles[held]], 1)

    def subject(self, concept):
        return f"a {self.names[concept].replace('-', ' ')}"

    def caption(self, concept, style, colour=WHITE):
        text = f"{self.subject(concept)}, {self.styles[style]} style"
        return text if colour == WHITE else f"{text}, {COLOUR_NAMES[colour]} background"

    def flips(self, concept):
        """Whether a mirrored drawing is still the thing its name says."""
        return not {"left", "right"} & set(self.names[concept].split("-"))

    def compose(self, concepts, styles, colours, size=128):
        """Drawings over their backgrounds: [b, 3, size, size] in [-1, 1]."""
        rgba = torch.from_numpy(self.pixels[concepts, styles].astype(np.float32) / 255).permute(0, 3, 1, 2)
        backs = torch.tensor([(1, 1, 1) if c == WHITE else COLOURS[COLOUR_NAMES[c]] for c in colours]).float()
        alpha = rgba[:, 3:]
        images = rgba[:, :3] * alpha + backs[:, :, None, None] * (1 - alpha)
        return (images if size == self.size else F.interpolate(images, size, mode="area")) * 2 - 1


def zoomed_out(images, factor, shift, fill):
    """Each image shrunk by a factor and moved by at most shift of the free border, on its background."""
    size = images.shape[-1]
    inner = F.interpolate(images, round(size * factor), mode="area")
    border = size - inner.shape[-1]
    left, top = (round(border / 2 * (1 + s)) for s in shift)
    canvas = fill[:, :, None, None].expand(-1, -1, size, size).clone()
    canvas[:, :, top : top + inner.shape[-1], left : left + inner.shape[-1]] = inner
    return canvas
