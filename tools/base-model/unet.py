"""unet.py --minutes M [--resume]: trains the UNet on cached latents with the frozen text encoder."""
import argparse
import re

import numpy as np
import torch

from data import CACHE, WHITE, Drawings
from diffusion import diffusion_loss
from loop import Clock, Ema, cosine_lr, prepare, save_state, set_lr
from net_unet import UNet
from parts import load_part, path_of, save_part
from checkpoint import load_safetensors
from tokenizer import Tokenizer

BATCH, EMA_DECAY = 16, 0.998
STATE = CACHE / "unet.state.pt"


def small_share(progress):
    """Share of steps at 64 px, which cost a quarter; the end is 128 px only."""
    return 0.3 if progress < 0.3 else 0.1 if progress < 0.8 else 0.0


class Latents:
    """Cached latents of a size; variants that latents.py is still writing join when they are there."""

    def __init__(self, size):
        self.size, self.names, self.latents, self.rows = size, [], [], []

    def refresh(self):
        for path in sorted(CACHE.glob(f"latents-{self.size}-*.pt")):
            if path.name not in self.names:
                cached = torch.load(path)
                self.names.append(path.name)
                self.latents.append(cached["latents"])
                self.rows.append(cached["rows"])
        return self

    def draw(self, rng, count):
        variants = rng.randint(len(self.latents), size=count)
        picks = [rng.randint(len(self.rows[v])) for v in variants]
        latents = torch.stack([self.latents[v][p] for v, p in zip(variants, picks)]).float()
        return latents, [self.rows[v][p] for v, p in zip(variants, picks)]


class Captions:
    """Text states of captions; some leave things out, so that no prompt pattern is the only one that works."""

    def __init__(self, drawings):
        self.drawings, self.text = drawings, load_part("text")
        self.tokenizer = Tokenizer()
        words = (word[:-4] for word in self.tokenizer.ids if re.fullmatch(r"[a-z]{3,}</w>", word))
        known = set(re.findall("[a-z]+", " ".join(drawings.names + drawings.styles)))
        self.strange = [word for word in words if word not in known]

    def write(self, row, rng):
        concept, style, colour = row
        chance = rng.rand()
        if chance < 0.10:
            return ""
        caption = self.drawings.caption(concept, style, colour)
        if chance < 0.16:
            return caption.replace(f", {self.drawings.styles[style]} style", "")
        if chance < 0.22:  # a style word without meaning must not change what is drawn
            return caption.replace(self.drawings.styles[style] + " style", rng.choice(self.strange) + " style")
        return caption

    def states(self, captions):
        """[b, 77, 128]; equal captions are computed once."""
        unique, where = np.unique(captions, return_inverse=True)
        with torch.no_grad():
            return self.text(torch.tensor([self.tokenizer.encode(text) for text in unique]))[where]


class Training:
    def __init__(self, args):
        self.unet, self.lr = UNet(), args.lr
        if path_of("unet").exists():
            self.unet.load_state_dict(load_safetensors(path_of("unet"))[0])
        parameters = list(self.unet.parameters())
        self.optimizer = torch.optim.AdamW(parameters, lr=args.lr, betas=(0.9, 0.99), weight_decay=1e-3)
        self.ema, self.step, self.samples, spent = Ema(parameters, EMA_DECAY), 0, 0, 0.0
        if args.resume and STATE.exists():
            spent = self.load(torch.load(STATE))
        self.clock = Clock(args.minutes, spent)

    def load(self, state):
        self.unet.load_state_dict(state["unet"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.ema.load(state["ema"])
        self.step, self.samples = state["step"], state["samples"]
        return state["spent"]

    def save(self):
        state = {"unet": self.unet.state_dict(), "optimizer": self.optimizer.state_dict(), "ema": self.ema.state()}
        save_state(STATE, **state, step=self.step, samples=self.samples, spent=self.clock.elapsed())

    def update(self, latents, context):
        set_lr(self.optimizer, cosine_lr(self.lr, self.step, self.clock.progress()))
        loss, errors = diffusion_loss(self.unet, latents, context)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.unet.parameters(), 1.0)
        self.optimizer.step()
        self.ema.update()
        self.step += 1
        self.samples += len(latents)
        return errors.mean().item()


def run(training, captions, sizes):
    sizes = {size: Latents(size) for size in sizes}
    rng, errors = np.random.RandomState(training.step), {size: [] for size in sizes}
    ready = []
    while not training.clock.over():
        if not ready or training.step % 100 == 0:
            ready = [size for size in sizes if sizes[size].refresh().latents]
        small = 64 in ready and rng.rand() < small_share(training.clock.progress())
        size = 64 if small or 128 not in ready else 128
        latents, rows = sizes[size].draw(rng, BATCH)
        context = captions.states([captions.write(row, rng) for row in rows])
        errors[size].append(training.update(latents, context))
        if training.step % 50 == 0:
            means = " ".join(f"mse{s} {np.mean(e[-200:]):.4f}" for s, e in errors.items() if e)
            rate = training.samples / training.clock.elapsed() / 60
            print(f"{training.step} {training.clock.elapsed():.1f} min {means} {rate:.1f} img/s", flush=True)
        if training.step % 200 == 0:
            training.save()
    training.save()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True, help="over all sessions of this stage")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    training = Training(args)
    run(training, Captions(Drawings()), args.sizes)
    save_part("unet", {**training.unet.state_dict(), **training.ema.named(training.unet)}, samples=training.samples)


if __name__ == "__main__":
    main()
