"""vae.py --minutes M [--anchored | --decoder-only] [--resume]: the autoencoder, on drawings and on looks no drawing has.

--anchored goes on with a trained autoencoder and holds the latents of ordinary drawings near where they are, so that a UNet
trained on them stays valid. --decoder-only leaves the encoder, and with it every latent, as it is."""
import argparse
import copy
import math

import numpy as np
import torch
import torch.nn.functional as F

from checkpoint import load_safetensors
from data import CACHE, Drawings
from disguises import disguised
from loop import Clock, Ema, cosine_lr, prepare, save_state, set_lr
from net_vae import SCALING_FACTOR, Autoencoder
from parts import path_of, save_part

KL_WEIGHT, ANCHOR_WEIGHT, EMA_DECAY = 1e-4, 2.0, 0.995


def draw_batch(drawings, rng, count):
    """[b, 3, s, s] in [-1, 1] and whether these are ordinary drawings: 64-px crops, small versions, or fewer whole ones."""
    pairs = drawings.train[rng.randint(len(drawings.train), size=count)]
    rgba = torch.from_numpy(drawings.pixels[pairs[:, 0], pairs[:, 1]].astype(np.float32) / 255).permute(0, 3, 1, 2)
    kind = rng.choice(["crop", "whole", "small"], p=[0.5, 0.4, 0.1])
    if kind == "whole":
        rgba = rgba[: max(1, count // 3)]
    images, ordinary = disguised(rgba.flip(3) if rng.rand() < 0.5 else rgba, rng)
    if kind == "small":
        images = F.interpolate(images, 64, mode="area")
    if kind == "crop":
        top, left = rng.randint(0, 65, 2)
        images = images[:, :, top : top + 64, left : left + 64]
    return images * 2 - 1, ordinary


def gradient_l1(difference):
    return difference.diff(dim=3).abs().mean() + difference.diff(dim=2).abs().mean()


def reconstruction_loss(vae, images, kl_weight):
    """Loss, the mean squared error of each image on [-1, 1], and the latents' means. Its logarithm is the PSNR, so that every
    image counts alike; differences of neighbours and absolute values keep edges sharp."""
    mean, logvar = vae.encode(images)
    difference = vae.decode(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)) - images
    squared = (difference**2).mean((1, 2, 3))
    loss = torch.log(squared + 3e-4).mean() + difference.abs().mean() + 0.3 * gradient_l1(difference)
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    return loss + kl_weight * kl, squared.detach(), mean


class Anchor:
    """The encoder as it was: drift of the latents of ordinary drawings, in units of their variance."""

    def __init__(self, vae):
        self.vae = copy.deepcopy(vae).requires_grad_(False)

    def drift(self, images, mean):
        return SCALING_FACTOR**2 * ((mean - self.vae.encode(images)[0]) ** 2).mean()


def psnr(squared_errors):
    """Mean PSNR of images in [-1, 1] by their squared errors."""
    return 10 * float(np.mean(np.log10(4 / np.array(squared_errors))))


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


class Training:
    """Parameters of the chosen mode with their optimizer, average and resumable state."""

    def __init__(self, vae, args):
        self.vae, self.args = vae, args
        if args.decoder_only:
            vae.requires_grad_(False)
            vae.decoder.requires_grad_(True)
        self.anchor = Anchor(vae) if args.anchored else None
        self.trained = [p for p in vae.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=args.lr, betas=(0.9, 0.99), weight_decay=1e-4)
        self.ema, self.step, spent = Ema(vae.parameters(), EMA_DECAY), 0, 0.0
        mode = "decoder" if args.decoder_only else "anchored" if args.anchored else "vae"
        self.path = CACHE / f"{mode}.state.pt"
        if args.resume and self.path.exists():
            spent = self.load(torch.load(self.path))
        self.clock = Clock(args.minutes, spent)

    def load(self, state):
        self.vae.load_state_dict(state["vae"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema.load(state["ema"])
        if self.anchor:
            self.anchor.vae.load_state_dict(state["anchor"])
        self.step = state["step"]
        return state["spent"]

    def save(self):
        anchor = self.anchor.vae.state_dict() if self.anchor else None
        state = {"vae": self.vae.state_dict(), "optimizer": self.optimizer.state_dict(), "ema": self.ema.state()}
        save_state(self.path, **state, anchor=anchor, step=self.step, spent=self.clock.elapsed())

    def update(self, images, ordinary):
        """One step; squared error of each image."""
        set_lr(self.optimizer, cosine_lr(self.args.lr, self.step, self.clock.progress(), warmup=30))
        loss, squared, mean = reconstruction_loss(self.vae, images, KL_WEIGHT * min(1, self.step / 500))
        if self.anchor and ordinary:
            loss = loss + ANCHOR_WEIGHT * self.anchor.drift(images, mean)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.ema.update()
        self.step += 1
        return squared


def train(vae, drawings, args):
    """Returns the averaged weights."""
    training = Training(vae, args)
    rng, errors = np.random.RandomState(training.step), {True: [], False: []}
    while not training.clock.over():
        images, ordinary = draw_batch(drawings, rng, args.batch)
        errors[ordinary] += training.update(images, ordinary).tolist()
        if training.step % 50 == 0:
            figures = [f"{name} {psnr(errors[key][-200:]):.2f} dB" for key, name in ((True, "drawings"), (False, "others"))]
            print(f"{training.step} {training.clock.elapsed():.1f} min", *figures, flush=True)
        if training.step % 200 == 0:
            training.save()
    training.save()
    return training.ema.named(vae)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=9)
    parser.add_argument("--anchored", action="store_true")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    vae, drawings = Autoencoder(), Drawings()
    goes_on = args.anchored or args.decoder_only
    if goes_on:
        vae.load_state_dict(load_safetensors(path_of("vae"))[0])
    tensors = train(vae, drawings, args)
    if not goes_on:
        vae.load_state_dict(tensors)
        tensors = rescaled(tensors, latent_std(vae, drawings))
    save_part("vae", tensors)


if __name__ == "__main__":
    main()
