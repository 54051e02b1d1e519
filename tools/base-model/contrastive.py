"""contrastive.py --minutes M [--words glossy] [--resume]: text encoder against a small image encoder.

With --words the text encoder stays as it is but for the embeddings of those words (a new style's name): its states,
and all that a UNet learned from them, keep their meaning."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from checkpoint import load_safetensors
from data import CACHE, COLOUR_NAMES, WHITE, Drawings
from loop import Clock, cosine_lr, prepare, save_state, set_lr
from net_clip import VOCABULARY, WIDTH, ImageEncoder, TextEncoder
from parts import load_part, save_part
from tokenizer import END, Tokenizer

BATCH, SIZE, PEAK_LR, CUT = 96, 64, 1.5e-3, 20  # captions are shorter than CUT tokens
EMBEDDING = "embeddings.token_embedding.weight"


class Pair(nn.Module):
    """Both encoders and what brings them together: cosine similarity of image and caption."""

    def __init__(self):
        super().__init__()
        self.text, self.image = TextEncoder(), ImageEncoder()
        self.text_projection = nn.Linear(WIDTH, WIDTH, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(2.5))

    def text_features(self, ids):
        ends = (ids == END).float().argmax(1)
        states = self.text(ids)[torch.arange(len(ids)), ends]
        return F.normalize(self.text_projection(states), dim=1)

    def image_features(self, images):
        return F.normalize(self.image(images), dim=1)


def eye_state(pair):
    """The image side and the projections: what the captioner needs besides the text encoder."""
    return {name: t for name, t in pair.state_dict().items() if not name.startswith("text.")}


def all_ids(drawings, tokenizer):
    """Every token id that captions can hold."""
    colours = range(WHITE, len(COLOUR_NAMES))
    captions = [drawings.caption(c, s) for c in range(len(drawings.names)) for s in range(len(drawings.styles))]
    captions += [drawings.caption(0, 0, colour) for colour in colours] + [""]
    return np.unique([tokenizer.encode(text) for text in captions])


def strangers_apart(table, known, seed=0):
    """Words without training get rows near the average word, each its own, so that a LoRA can tell them apart."""
    rows, unknown = table[known], np.setdiff1d(np.arange(VOCABULARY), known)
    noise = torch.randn(len(unknown), WIDTH, generator=torch.Generator().manual_seed(seed))
    table[unknown] = rows.mean(0) + 0.5 * rows.std(0) * noise


def draw_batch(drawings, rng, step):
    """Every second batch holds the same concepts in several styles: the hard negatives of style words."""
    if step % 2:
        pairs = drawings.train[rng.randint(len(drawings.train), size=BATCH)]
    else:
        concepts = rng.choice(drawings.train[:, 0], BATCH // 4)
        pairs = np.concatenate([drawings.train[drawings.train[:, 0] == c][:4] for c in concepts])
    colours = np.where(rng.rand(len(pairs)) < 0.6, WHITE, rng.randint(len(COLOUR_NAMES), size=len(pairs)))
    images = drawings.compose(pairs[:, 0], pairs[:, 1], colours, SIZE)
    images = torch.roll(images, tuple(rng.randint(-5, 6, 2)), (2, 3)) * (1 + 0.1 * (rng.rand() - 0.5))
    return pairs, colours, images.flip(3) if rng.rand() < 0.5 else images


def contrastive_loss(pair, images, ids):
    """Cross entropy both ways; equal captions of one batch are all right answers."""
    logits = pair.logit_scale.exp().clamp(max=60) * pair.image_features(images) @ pair.text_features(ids).t()
    same = (ids[:, None] == ids[None]).all(-1).float()
    targets = same / same.sum(1, keepdim=True)
    return -(targets * (logits.log_softmax(1) + logits.t().log_softmax(1))).sum(1).mean()


def start_pair(args):
    pair = Pair()
    if args.eye:
        pair.load_state_dict(load_safetensors(args.eye)[0], strict=False)
    if args.words:
        pair.text.load_state_dict(load_part("text").state_dict())
    return pair


def train_only_rows(text, ids):
    """Freeze the text encoder except for the embeddings of ids."""
    text.requires_grad_(False)
    weight = text.embeddings["token_embedding"].weight.requires_grad_(True)
    mask = torch.zeros(VOCABULARY, 1)
    mask[ids] = 1
    weight.register_hook(lambda gradient: gradient * mask)


def retrieval(pair, drawings, tokenizer, pairs):
    """Share of drawings whose caption is found (top 1, top 5) among all concepts in the same style; style known."""
    hits = np.zeros(2)
    for style in range(len(drawings.styles)):
        concepts = pairs[pairs[:, 1] == style][:, 0]
        captions = [drawings.caption(c, style) for c in range(len(drawings.names))]
        with torch.no_grad():
            texts = pair.text_features(torch.tensor([tokenizer.encode(t)[:CUT] for t in captions]))
            images = drawings.compose(concepts, np.full(len(concepts), style), [WHITE] * len(concepts), SIZE)
            best = (pair.image_features(images) @ texts.t()).topk(5, 1).indices.numpy()
        hits += [(best[:, 0] == concepts).sum(), (best == concepts[:, None]).any(1).sum()]
    return hits / len(pairs)


def train(pair, drawings, tokenizer, args):
    state_path = CACHE / "contrastive.state.pt"
    trained = [p for p in pair.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=PEAK_LR, weight_decay=0 if args.words else 0.02)
    step, spent = 0, 0.0
    if args.resume and state_path.exists():
        state = torch.load(state_path)
        pair.load_state_dict(state["pair"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    clock, rng = Clock(args.minutes, spent), np.random.RandomState(step)
    while not clock.over():
        set_lr(optimizer, cosine_lr(PEAK_LR, step, clock.progress()))
        pairs, colours, images = draw_batch(drawings, rng, step)
        captions = [drawings.caption(c, s, colour) for (c, s), colour in zip(pairs, colours)]
        loss = contrastive_loss(pair, images, torch.tensor([tokenizer.encode(t)[:CUT] for t in captions]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            print(f"{step} {clock.elapsed():.1f} min loss {loss.item():.3f}", flush=True)
        if step % 500 == 0:
            save_state(state_path, pair=pair.state_dict(), optimizer=optimizer.state_dict(), step=step, spent=clock.elapsed())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--words", nargs="*", default=[])
    parser.add_argument("--eye", help="image encoder and projections to start from")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    prepare()
    drawings, tokenizer = Drawings(), Tokenizer()
    pair = start_pair(args)
    if args.words:
        train_only_rows(pair.text, [i for word in args.words for i in tokenizer.encode(word)[1:-1] if i != END])
    train(pair, drawings, tokenizer, args)
    strangers_apart(pair.text.embeddings["token_embedding"].weight.data, all_ids(drawings, tokenizer))
    for name, pairs in (("trained", drawings.train), ("held out", drawings.held)):
        top1, top5 = retrieval(pair, drawings, tokenizer, pairs)
        print(f"{name} drawings: top-1 {top1:.3f} top-5 {top5:.3f}")
    save_part("text", pair.text.state_dict())
    save_part("image", eye_state(pair))


if __name__ == "__main__":
    main()
