"""eye.py --minutes M [--resume]: the captioner's eye against the frozen text encoder.

A picture must find its caption among those of all concepts in all styles on its background."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F

from data import CACHE, COLOUR_NAMES, WHITE, Drawings
from loop import Clock, Ema, cosine_lr, prepare, save_state, set_lr
from net_eye import Captioner
from parts import load_part, save_part
from pictures import OTHER, Pictures
from tokenizer import Tokenizer

BATCH, PEAK_LR, CUT = 96, 2e-3, 24
STATE = CACHE / "eye.state.pt"


def end_states(text, tokenizer, captions):
    """States [n, 128] of the captions' end tokens."""
    ids = torch.tensor([tokenizer.encode(caption)[:CUT] for caption in captions])
    with torch.no_grad():
        return text(ids)[torch.arange(len(ids)), ids.argmax(1)]


def caption_states(drawings):
    """[concepts, styles, backgrounds, 128], white last; some CPU seconds, so kept as long as the text encoder is the same."""
    text, tokenizer, path = load_part("text"), Tokenizer(), CACHE / "captions.pt"
    mark = float(sum(p.double().sum() for p in text.parameters()))
    if path.exists() and torch.load(path)["mark"] == mark:
        return torch.load(path)["states"]
    styles, colours = range(len(drawings.styles)), [*range(len(COLOUR_NAMES)), WHITE]
    rows = [
        end_states(text, tokenizer, [drawings.caption(c, s, k) for s in styles for k in colours]) for c in range(len(drawings.names))
    ]
    states = torch.stack(rows).reshape(len(rows), len(styles), len(colours), -1)
    torch.save({"mark": mark, "states": states}, path)
    return states


def caption_loss(model, states, images, concepts, styles, colour):
    """Cross entropy of the concept whatever the style, of the style whatever the concept, and of the background."""
    features, scale = model.image_features(images), model.scale()
    concepts, styles = torch.from_numpy(concepts).long(), torch.from_numpy(styles).long()
    logits = scale * torch.einsum("bd,csd->bcs", features, model.text_features(states[:, :, colour]))
    named = styles != OTHER
    own = model.text_features(states[concepts[named], styles[named]])
    backgrounds = scale * torch.einsum("bd,bkd->bk", features[named], own)
    return (
        F.cross_entropy(logits.logsumexp(2), concepts, label_smoothing=0.1)
        + F.cross_entropy(logits.logsumexp(1)[named], styles[named])
        + 0.3 * F.cross_entropy(backgrounds, torch.full((len(own),), colour % states.shape[2]))
    )


@torch.no_grad()
def grid(model, states):
    """What the app reads: unit vectors [concepts, styles, 128] of captions without background, and what a background adds."""
    features = model.text_features(states)
    return features[:, :, WHITE], (features - features[:, :, WHITE:]).mean((0, 1))


@torch.no_grad()
def accuracy(model, states, pictures, pairs, colours=None):
    """Shares right, by the app's rule: concept at top 1 and 5, style, background."""
    captions, shifts = grid(model, states)
    features = model.image_features(pictures.plain(pairs, colours))
    every = F.normalize(captions[:, :, None] + shifts, dim=-1)
    shares = (model.scale() * features @ every.reshape(-1, every.shape[-1]).t()).softmax(1).reshape(-1, *every.shape[:3])
    best, (concepts, styles) = shares.sum((2, 3)).topk(5, 1).indices, torch.from_numpy(pairs).long().t()
    wanted = torch.full_like(styles, len(COLOUR_NAMES)) if colours is None else torch.from_numpy(colours)
    figures = {
        "top-1": best[:, 0] == concepts,
        "top-5": (best == concepts[:, None]).any(1),
        "style": shares.sum((1, 3)).argmax(1) == styles,
        "background": shares.sum((1, 2)).argmax(1) == wanted,
    }
    return {name: round(hits.float().mean().item(), 3) for name, hits in figures.items()}


def train(model, states, pictures, args):
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, weight_decay=0.05)
    step, spent, ema = 0, 0.0, Ema(model.parameters(), 0.998)
    if args.resume and STATE.exists():
        state = torch.load(STATE)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        ema.load(state["ema"])
        step, spent = state["step"], state["spent"]
    clock, losses = Clock(args.minutes, spent), []
    pictures.rng.seed(step)
    while not clock.over():
        set_lr(optimizer, cosine_lr(PEAK_LR, step, clock.progress(), warmup=50))
        colour = WHITE if pictures.rng.rand() < 0.45 else pictures.rng.randint(len(COLOUR_NAMES))
        images, concepts, styles, _ = pictures.draw(BATCH, colour)
        loss = caption_loss(model, states, images, concepts, styles, colour)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        ema.update()
        losses.append(loss.item())
        step += 1
        if step % 50 == 0:
            print(f"{step} {clock.elapsed():.1f} min loss {np.mean(losses[-50:]):.3f}", flush=True)
            save_state(STATE, model=model.state_dict(), optimizer=optimizer.state_dict(), ema=ema.state(), step=step, spent=clock.elapsed())
    model.load_state_dict(ema.named(model))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    drawings, model = Drawings(), Captioner()
    states, pictures = caption_states(drawings), Pictures(drawings, 0, disguised=0.1)
    train(model, states, pictures, args)
    save_part("eye", model.eval().state_dict())
    for name, pairs in (("trained", drawings.train[::5]), ("held out", drawings.held)):
        print(name, "on white", accuracy(model, states, pictures, pairs))
        colours = np.random.RandomState(0).randint(len(COLOUR_NAMES), size=len(pairs))
        print(name, "on colours", accuracy(model, states, pictures, pairs, colours), flush=True)


if __name__ == "__main__":
    main()
