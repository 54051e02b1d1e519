"""eye.py --minutes M [--resume]: the captioner's eye against the frozen text encoder.

Every picture must find its name, its style and its background, each as a phrase of its own and inside whole captions."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F

from data import CACHE, COLOUR_NAMES, WHITE, Drawings
from loop import Clock, Ema, cosine_lr, prepare, save_state, set_lr
from net_eye import Captioner
from parts import load_part, save_part
from pictures import OTHER, Pictures
from tokenizer import END, Tokenizer

BATCH, PEAK_LR, CUT = 96, 2e-3, 24
STATE = CACHE / "eye.state.pt"


class Phrases:
    """End states [.., 128] of the frozen text encoder: names, styles, backgrounds (white is last), whole captions."""

    def __init__(self, drawings):
        self.text, self.tokenizer = load_part("text"), Tokenizer()
        self.names = self.states([drawings.subject(c) for c in range(len(drawings.names))])
        self.styles = self.states([f"{style} style" for style in drawings.styles])
        self.backgrounds = self.states([f"{colour} background" for colour in [*COLOUR_NAMES, "white"]])
        self.drawings, self.colours = drawings, [*range(len(COLOUR_NAMES)), WHITE]
        self.whole = self.captions()

    @classmethod
    def bare(cls):
        """Only what turns captions into states."""
        self = cls.__new__(cls)
        self.text, self.tokenizer = load_part("text"), Tokenizer()
        return self

    def states(self, captions):
        ids = torch.tensor([self.tokenizer.encode(text)[:CUT] for text in captions])
        with torch.no_grad():
            return self.text(ids)[torch.arange(len(ids)), ids.argmax(1)]

    def captions(self):
        """[concepts, styles, backgrounds, 128]; some CPU seconds, so kept as long as the text encoder is the same."""
        path, mark = CACHE / "captions.pt", float(sum(p.double().sum() for p in self.text.parameters()))
        if path.exists() and torch.load(path)["mark"] == mark:
            return torch.load(path)["states"]
        d = self.drawings
        rows = [
            self.states([d.caption(c, s, k) for s in range(len(d.styles)) for k in self.colours]) for c in range(len(d.names))
        ]
        states = torch.stack(rows).reshape(len(d.names), len(d.styles), len(self.colours), -1)
        torch.save({"mark": mark, "states": states}, path)
        return states


def caption_loss(model, phrases, images, concepts, styles, colours):
    """Mean cross entropy of: name, style, background alone; and in whole captions that differ in one of them."""
    features, scale = model.image_features(images), model.scale()
    concepts, styles, colours = (torch.from_numpy(values).long() for values in (concepts, styles, colours))
    named = styles != OTHER
    colours = torch.where(colours == WHITE, torch.tensor(phrases.whole.shape[2] - 1), colours)

    def alone(states, rows, targets):
        logits = scale * features[rows] @ model.text_features(states).t()
        return F.cross_entropy(logits, targets[rows], label_smoothing=0.05)

    def varied(states, targets):  # states [b, n, 128]: captions with one part exchanged
        logits = scale * torch.einsum("bd,bnd->bn", features[named], model.text_features(states))
        return F.cross_entropy(logits, targets)

    everyone = torch.ones_like(named)
    c, s, k = concepts[named], styles[named], colours[named]
    own = model.text_features(phrases.whole[c, s, k])
    same = (c[:, None] == c) & (s[:, None] == s) & (k[:, None] == k) & ~torch.eye(len(c), dtype=torch.bool)
    batch = (scale * features[named] @ own.t()).masked_fill(same, -1e4)
    losses = [
        1.5 * alone(phrases.names, everyone, concepts),
        alone(phrases.styles, named, styles),
        0.5 * alone(phrases.backgrounds, named, colours),
        0.5 * F.cross_entropy(batch, torch.arange(len(c))),
        0.5 * varied(phrases.whole[c, :, k], s),
        0.25 * varied(phrases.whole[c, s], k),
    ]
    return sum(losses)


@torch.no_grad()
def accuracy(model, phrases, pictures, pairs, colours=None):
    """Shares: name among all at top 1 and 5, style, background; each read as a phrase of its own."""
    features = model.image_features(pictures.plain(pairs, colours))
    concepts, styles = torch.from_numpy(pairs).long().t()
    best = (features @ model.text_features(phrases.names).t()).topk(5, 1).indices
    style = (features @ model.text_features(phrases.styles).t()).argmax(1)
    background = (features @ model.text_features(phrases.backgrounds).t()).argmax(1)
    wanted = torch.full_like(background, len(COLOUR_NAMES)) if colours is None else torch.from_numpy(colours)
    figures = {
        "top-1": best[:, 0] == concepts,
        "top-5": (best == concepts[:, None]).any(1),
        "style": style == styles,
        "background": background == wanted,
    }
    return {name: round(hits.float().mean().item(), 3) for name, hits in figures.items()}


def settle(model, pictures, batches=12):
    """Statistics of the batch norms for averaged weights."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean
    model.train()
    with torch.no_grad():
        for _ in range(batches):
            model.eye(pictures.draw(BATCH)[0])
    return model.eval()


def train(model, phrases, pictures, args):
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LR, weight_decay=0.03)
    ema, step, spent = Ema(model.parameters(), 0.99), 0, 0.0
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
        loss = caption_loss(model, phrases, *pictures.draw(BATCH))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        ema.update()
        losses.append(loss.item())
        step += 1
        if step % 50 == 0:
            print(f"{step} {clock.elapsed():.1f} min loss {np.mean(losses[-50:]):.3f}", flush=True)
        if step % 200 == 0:
            save_state(STATE, model=model.state_dict(), optimizer=optimizer.state_dict(), ema=ema.state(), step=step, spent=clock.elapsed())
    save_state(STATE, model=model.state_dict(), optimizer=optimizer.state_dict(), ema=ema.state(), step=step, spent=clock.elapsed())
    model.load_state_dict({**model.state_dict(), **ema.named(model)})
    return settle(model, pictures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    drawings = Drawings()
    phrases, pictures, model = Phrases(drawings), Pictures(drawings, 0), Captioner()
    train(model, phrases, pictures, args)
    save_part("eye", model.state_dict())
    for name, pairs in (("trained", drawings.train[::5]), ("held out", drawings.held)):
        print(name, "on white", accuracy(model, phrases, pictures, pairs))
        colours = np.random.RandomState(0).randint(len(COLOUR_NAMES), size=len(pairs))
        print(name, "on colours", accuracy(model, phrases, pictures, pairs, colours), flush=True)


if __name__ == "__main__":
    main()
