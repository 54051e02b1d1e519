"""evaluate.py [CHECKPOINT] [--concepts N] [--sheet PNG]: the figures of docs/mini.md.

Reconstruction in dB at 64 and 128 px; and what the judge (judge.py) reads in guided samples, against what it reads in real
drawings."""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from checkpoint import load_safetensors, part
from data import CACHE, WHITE, Drawings
from diffusion import ddim
from export import RESOLUTION
from images import sheet, to_bytes, write_png
from judge import verdict
from loop import prepare
from net_vae import SCALING_FACTOR
from parts import MODULES, PREFIXES, load_part
from tokenizer import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
SHOWN = 12  # columns of the sheet


def load_checkpoint(path):
    tensors, _ = load_safetensors(path)
    modules = {}
    for name, prefix in PREFIXES.items():
        modules[name] = MODULES[name]().eval().requires_grad_(False)
        modules[name].load_state_dict(part(tensors, prefix))
    return modules


def reconstruction_db(vae, batches):
    """Mean over images of the PSNR on [0, 1]."""
    values = []
    for images in batches:
        rebuilt = vae.decode(vae.encode(images)[0]).clamp(-1, 1)
        errors = ((rebuilt - images) ** 2).mean((1, 2, 3)) / 4
        values += [-10 * math.log10(e) for e in errors.tolist()]
    return float(np.mean(values))


def drawing_batches(drawings, pairs, size):
    for n in range(0, len(pairs), 16):
        concepts, styles = pairs[n : n + 16].T
        yield drawings.compose(concepts, styles, [WHITE] * len(concepts), size)


def sample_batches(name, size):
    pixels = np.fromfile(CACHE / f"{name}.bin", np.uint8).reshape(-1, 128, 128, 3)
    for n in range(0, len(pixels), 16):
        images = torch.from_numpy(pixels[n : n + 16].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
        yield F.interpolate(images, size, mode="area")


def rebuilt(vae, drawings, size):
    """dB of the autoencoder alone."""
    figures = {"held-out drawings": reconstruction_db(vae, drawing_batches(drawings, drawings.held, size))}
    for name in ("blueprint", "pixel-art"):
        figures[name] = reconstruction_db(vae, sample_batches(name, size))
    return figures


def draw(model, tokenizer, captions, size, steps=20, batch=20):
    """Guided samples, CFG 5, DDIM."""
    states = [model["text"](torch.tensor([tokenizer.encode(text)])) for text in [*captions, ""]]
    context, empty = torch.cat(states[:-1]), states[-1]
    images = []
    for n in range(0, len(captions), batch):
        latents = ddim(model["unet"], context[n : n + batch], empty, size, steps, seed=n + 1)
        images.append(model["vae"].decode(latents / SCALING_FACTOR))
    return torch.cat(images)


def prompts(drawings, count):
    """Concepts spread over the whole list, each in every style: rows (concept, style), style by style."""
    concepts = np.random.RandomState(5).permutation(len(drawings.names))[:count]
    return np.array([(c, s) for s in range(len(drawings.styles)) for c in concepts])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", nargs="?", default=ROOT / "public/models/mini.safetensors")
    parser.add_argument("--concepts", type=int, default=20)
    parser.add_argument("--size", type=int, default=RESOLUTION)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sheet", type=Path)
    args = parser.parse_args()
    prepare()
    model, drawings, tokenizer = load_checkpoint(args.checkpoint), Drawings(), Tokenizer()
    print(json.dumps({size: rebuilt(model["vae"], drawings, size) for size in (64, 128)}), flush=True)
    if args.concepts:
        pairs, judge = prompts(drawings, args.concepts), load_part("judge")
        images = draw(model, tokenizer, [drawings.caption(c, s) for c, s in pairs], args.size, args.steps)
        real = drawings.compose(pairs[:, 0], pairs[:, 1], [WHITE] * len(pairs))
        print("samples", json.dumps(verdict(judge, images, pairs)))
        print("real drawings", json.dumps(verdict(judge, real, pairs)))
        if args.sheet:
            shown = to_bytes(F.interpolate(images, 128, mode="bilinear")).reshape(len(drawings.styles), args.concepts, 128, 128, 3)[:, :SHOWN]
            write_png(args.sheet, sheet(shown.reshape(-1, 128, 128, 3), shown.shape[1]))
            print([drawings.names[c] for c in pairs[:SHOWN, 0]])


if __name__ == "__main__":
    with torch.no_grad():
        main()
