"""judge.py --minutes M [--resume]: the judge of samples, a classifier of real drawings that shares nothing with Mini.

Concept and style from a 64-px picture; two styles more are the looks of the sample datasets, drawn here by other code."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F

from data import CACHE, Drawings
from disguises import contours, mosaic
from loop import Clock, cosine_lr, prepare, save_state, set_lr
from net_judge import Judge
from parts import save_part
from pictures import OTHER, Pictures

BATCH, PEAK_LR = 64, 2e-3
STATE = CACHE / "judge.state.pt"


class Looks:
    """The sample looks on the first pictures of a batch: blueprint blue and pixel art, near the colours of the datasets."""

    def __init__(self, pictures, styles):
        self.pictures, self.first = pictures, styles

    def draw(self, count):
        images, concepts, styles, _ = self.pictures.draw(count)
        rng, some = self.pictures.rng, count // 8
        rgba = self.pictures.rgba(concepts[: 2 * some], np.maximum(styles[: 2 * some], 0))
        straight = torch.cat([rgba[:, :3] / rgba[:, 3:].clamp(min=1e-3), rgba[:, 3:]], 1)
        images[:some] = self.blueprint(straight[:some], rng)
        images[some : 2 * some] = mosaic(straight[some:], rng) * 2 - 1
        styles[:some], styles[some : 2 * some] = self.first, self.first + 1
        return images, concepts, styles

    @staticmethod
    def blueprint(rgba, rng):
        drawn = contours(rgba, rng)
        low, high = drawn.amin((2, 3), keepdim=True), drawn.amax((2, 3), keepdim=True)
        ink = ((drawn - low) / (high - low).clamp(min=0.05)).mean(1, keepdim=True)
        ink = torch.where(ink.mean((1, 2, 3), keepdim=True) > 0.5, 1 - ink, ink)  # lines are fewer than paper
        paper, line = (torch.tensor(c)[:, None, None] + 0.04 * torch.randn(len(rgba), 3, 1, 1) for c in ((0.06, 0.18, 0.52), (0.94, 0.97, 1)))
        return (paper + (line - paper) * ink).clamp(0, 1) * 2 - 1


def judge_loss(judge, images, concepts, styles):
    concept, style = judge(images)
    named = torch.from_numpy(styles != OTHER)
    styles, concepts = torch.from_numpy(styles).long(), torch.from_numpy(concepts).long()
    return F.cross_entropy(concept, concepts, label_smoothing=0.1) + F.cross_entropy(style[named], styles[named])


@torch.no_grad()
def verdict(judge, images, pairs):
    """Shares: concept at top 1 and among the top 5, style among all seven; images [b, 3, s, s] in [-1, 1]."""
    concept, style = judge(F.interpolate(images, 64, mode="area"))
    best, (concepts, styles) = concept.topk(5, 1).indices, torch.from_numpy(np.asarray(pairs)).long().t()
    hits = {"top-1": best[:, 0] == concepts, "top-5": (best == concepts[:, None]).any(1), "style": style.argmax(1) == styles}
    return {name: round(values.float().mean().item(), 3) for name, values in hits.items()}


def train(judge, batches, args):
    optimizer = torch.optim.AdamW(judge.parameters(), lr=PEAK_LR, weight_decay=0.05)
    step, spent = 0, 0.0
    if args.resume and STATE.exists():
        state = torch.load(STATE)
        judge.load_state_dict(state["judge"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    clock, losses = Clock(args.minutes, spent), []
    batches.pictures.rng.seed(step + 77)
    while not clock.over():
        set_lr(optimizer, cosine_lr(PEAK_LR, step, clock.progress(), warmup=50))
        loss = judge_loss(judge.train(), *batches.draw(BATCH))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        step += 1
        if step % 100 == 0:
            print(f"{step} {clock.elapsed():.1f} min loss {np.mean(losses[-100:]):.3f}", flush=True)
            save_state(STATE, judge=judge.state_dict(), optimizer=optimizer.state_dict(), step=step, spent=clock.elapsed())
    return judge.eval()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    drawings = Drawings()
    pictures = Pictures(drawings, 77, disguised=0.0, blurred=0.4)
    judge = train(Judge(), Looks(pictures, len(drawings.styles)), args)
    save_part("judge", judge.state_dict())
    for name, pairs in (("trained", drawings.train[::5]), ("held out", drawings.held)):
        print(name, verdict(judge, pictures.plain(pairs), pairs), flush=True)


if __name__ == "__main__":
    main()
