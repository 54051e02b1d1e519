"""vae.py --minutes M [--decoder-only] [--resume]: the autoencoder, on crops and small versions of drawings.

--decoder-only sharpens a trained decoder on whole drawings; the encoder, and with it every latent, stays as it is."""
import argparse
import math

import numpy as np
import torch
import torch.nn.functional as F

from checkpoint import load_safetensors
from data import CACHE, Drawings
from loop import Clock, Ema, cosine_lr, prepare, save_state, set_lr
from net_vae import SCALING_FACTOR, Autoencoder
from parts import path_of, save_part

KL_WEIGHT, EMA_DECAY = 2e-4, 0.995


def contours(images, width, rng):
    """Outlines as lines of one random colour on another."""
    high, low = (F.max_pool2d(sign * images, width, 1, width // 2) for sign in (1, -1))
    ink = (((high + low).amax(1, keepdim=True) - 0.1) * 5).clamp(0, 1)
    paper, line = torch.from_numpy(rng.rand(2, len(images), 3, 1, 1).astype(np.float32))
    return paper + (line - paper) * ink


def mosaic(images, tile, levels):
    """Square tiles of few colours."""
    tiles = (F.avg_pool2d(images, tile) * levels).round() / levels
    return F.interpolate(tiles, scale_factor=tile, mode="nearest")


def disguised(images, rng):
    """Now and then looks that no drawing has: an autoencoder must serve styles that the model will only meet later."""
    chance = rng.rand()
    if chance < 0.2:
        return contours(images, rng.choice([3, 5]), rng)
    if chance < 0.3:
        return mosaic(images, rng.choice([4, 8]), rng.randint(2, 6))
    return images[:, rng.permutation(3)] if chance < 0.4 else images


def draw_batch(drawings, rng, count, whole):
    """[b, 3, s, s] in [-1, 1]: drawings on white or any colour, shrunk to 64 px, or 64-px crops; if whole, 128 px."""
    pairs = drawings.train[rng.randint(len(drawings.train), size=count)]
    rgba = torch.from_numpy(drawings.pixels[pairs[:, 0], pairs[:, 1]].astype(np.float32) / 255).permute(0, 3, 1, 2)
    backs = np.where(rng.rand(count, 1) < 0.35, rng.rand(count, 3), 1.0).astype(np.float32)
    images = rgba[:, :3] * rgba[:, 3:] + torch.from_numpy(backs)[:, :, None, None] * (1 - rgba[:, 3:])
    images = disguised(images, rng)
    if rng.rand() < 0.5:
        images = images.flip(3)
    large = rng.rand() < 0.65
    if whole and large:
        return images[: max(1, count // 4)] * 2 - 1
    if not large:
        return F.interpolate(images, 64, mode="area") * 2 - 1
    top, left = rng.randint(0, 65, 2)
    return images[:, :, top : top + 64, left : left + 64] * 2 - 1


def gradient_l1(difference):
    return difference.diff(dim=3).abs().mean() + difference.diff(dim=2).abs().mean()


def reconstruction_loss(vae, images, decoder_only, kl_weight):
    """Loss, and the mean squared error on [-1, 1]."""
    with torch.set_grad_enabled(not decoder_only):
        mean, logvar = vae.encode(images)
    difference = vae.decode(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)) - images
    squared = (difference**2).mean()
    loss = 3 * squared + difference.abs().mean() + 0.1 * gradient_l1(difference)
    if not decoder_only:
        loss = loss + kl_weight * 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    return loss, squared.item()


def psnr(squared_error):
    return 10 * math.log10(4 / squared_error)


def rescaled(tensors, latent_std):
    """Fold into the quant convolutions what makes 0.18215 the scale at which latents have unit variance."""
    ratio = 1 / (SCALING_FACTOR * latent_std)
    weight, bias = tensors["quant_conv.weight"].clone(), tensors["quant_conv.bias"].clone()
    weight[:4] *= ratio
    bias[:4] *= ratio
    bias[4:] += 2 * math.log(ratio)
    unscaled = tensors["post_quant_conv.weight"] / ratio
    return {**tensors, "quant_conv.weight": weight, "quant_conv.bias": bias, "post_quant_conv.weight": unscaled}


@torch.no_grad()
def latent_std(vae, drawings):
    pairs = drawings.train[:: len(drawings.train) // 128]
    return vae.encode(drawings.compose(pairs[:, 0], pairs[:, 1], [-1] * len(pairs)))[0].std().item()


def train(vae, drawings, args):
    """Returns the averaged weights."""
    trained = list((vae.decoder if args.decoder_only else vae).parameters())
    optimizer = torch.optim.AdamW(trained, lr=args.lr, betas=(0.9, 0.99), weight_decay=1e-4)
    ema, step, spent = Ema(vae.parameters(), EMA_DECAY), 0, 0.0
    state_path = CACHE / ("decoder.state.pt" if args.decoder_only else "vae.state.pt")
    if args.resume and state_path.exists():
        state = torch.load(state_path)
        vae.load_state_dict(state["vae"])
        optimizer.load_state_dict(state["optimizer"])
        ema.load(state["ema"])
        step, spent = state["step"], state["spent"]
    clock, rng, errors = Clock(args.minutes, spent), np.random.RandomState(step), []
    while not clock.over():
        set_lr(optimizer, cosine_lr(args.lr, step, clock.progress()))
        images = draw_batch(drawings, rng, args.batch, whole=args.decoder_only)
        loss, squared = reconstruction_loss(vae, images, args.decoder_only, KL_WEIGHT * min(1, step / 500))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        ema.update()
        errors.append(squared)
        step += 1
        if step % 50 == 0:
            print(f"{step} {clock.elapsed():.1f} min {psnr(np.mean(errors[-200:])):.2f} dB", flush=True)
        if step % 500 == 0:
            state = {"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.state()}
            save_state(state_path, **state, step=step, spent=clock.elapsed())
    return ema.named(vae)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    vae, drawings = Autoencoder(), Drawings()
    if args.decoder_only:
        vae.load_state_dict(load_safetensors(path_of("vae"))[0])
    tensors = train(vae, drawings, args)
    if not args.decoder_only:
        vae.load_state_dict(tensors)
        tensors = rescaled(tensors, latent_std(vae, drawings))
    save_part("vae", tensors)


if __name__ == "__main__":
    main()
