"""latents.py [--sizes 64,128] [--variants 6]: VAE means of augmented drawings, a file per size and variant."""
import argparse

import numpy as np
import torch

from data import CACHE, COLOUR_NAMES, COLOURS, WHITE, Drawings, zoomed_out
from loop import prepare
from net_vae import SCALING_FACTOR
from parts import load_part

# (share on a coloured background, flipped, zoomed out) of each variant of all drawings
VARIANTS = [(0.0, False, False), (0.8, False, False), (0.0, True, False), (0.0, False, True), (0.8, True, True), (0.3, True, True)]


def fills(colours):
    return torch.tensor([(1, 1, 1) if c == WHITE else COLOURS[COLOUR_NAMES[c]] for c in colours]).float() * 2 - 1


def augment(drawings, pairs, colours, size, flip, zoom, rng):
    images = drawings.compose(pairs[:, 0], pairs[:, 1], colours, size)
    if flip:
        mirrored = torch.tensor([drawings.flips(c) for c in pairs[:, 0]])
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if zoom:
        images = zoomed_out(images, rng.uniform(0.75, 0.95), rng.uniform(-1, 1, 2), fills(colours))
    return images


def encode_variant(vae, drawings, size, variant, seed):
    """All training drawings once: latents [n, 4, size/8, size/8] f16 and rows (concept, style, colour)."""
    coloured, flip, zoom = VARIANTS[variant]
    rng, latents, rows = np.random.RandomState(seed), [], []
    for start in range(0, len(drawings.train), 32):
        pairs = drawings.train[start : start + 32]
        colours = np.where(rng.rand(len(pairs)) < coloured, rng.randint(len(COLOUR_NAMES), size=len(pairs)), WHITE)
        with torch.no_grad():
            mean, _ = vae.encode(augment(drawings, pairs, colours, size, flip, zoom, rng))
        latents.append((mean * SCALING_FACTOR).half())
        rows.append(np.concatenate([pairs, colours[:, None]], 1))
    return {"latents": torch.cat(latents), "rows": np.concatenate(rows)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="64,128")
    parser.add_argument("--variants", type=int, default=len(VARIANTS))
    args = parser.parse_args()
    prepare()
    vae, drawings = load_part("vae"), Drawings()
    for variant in range(args.variants):
        for size in map(int, args.sizes.split(",")):
            path = CACHE / f"latents-{size}-{variant}.pt"
            if not path.exists():
                cached = encode_variant(vae, drawings, size, variant, seed=variant)
                torch.save(cached, path.with_suffix(".new"))
                path.with_suffix(".new").replace(path)
                print(path.name, len(cached["rows"]), "std", cached["latents"].float().std().item(), flush=True)


if __name__ == "__main__":
    main()
