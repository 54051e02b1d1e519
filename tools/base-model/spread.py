"""spread.py --words glossy [--distance 0.65]: moves a style word's embedding until its captions' states differ from those of every
other style. Next to states that are nearly those of another style, a UNet draws that other style."""
import argparse

import torch

from contrastive import train_only_rows
from data import Drawings
from loop import prepare
from parts import load_part, save_part
from tokenizer import END, Tokenizer

STEPS, LR, CUT = 300, 0.02, 24


def states(text, tokenizer, drawings, concepts, style):
    """[concepts, CUT, 128]: the end token repeats after a caption, so that CUT tokens hold all there is."""
    return text(torch.tensor([tokenizer.encode(drawings.caption(c, style))[:CUT] for c in concepts]))


def distances(text, tokenizer, drawings, concepts, style):
    """Root mean square difference of the states of one style from those of each other style."""
    own = states(text, tokenizer, drawings, concepts, style)
    others = [s for s in range(len(drawings.styles)) if s != style]
    with torch.no_grad():
        theirs = [states(text, tokenizer, drawings, concepts, s) for s in others]
    return torch.stack([((own - their) ** 2).mean().sqrt() for their in theirs])


def spread(text, tokenizer, drawings, word, wanted, rng):
    style = drawings.styles.index(word)
    text.requires_grad_(True)
    train_only_rows(text, [i for i in tokenizer.encode(word)[1:-1] if i != END])
    optimizer = torch.optim.Adam([text.embeddings["token_embedding"].weight], lr=LR)
    for _ in range(STEPS):
        concepts = torch.randperm(len(drawings.names), generator=rng)[:16].tolist()
        apart = distances(text, tokenizer, drawings, concepts, style)
        optimizer.zero_grad()
        (wanted - apart).clamp(min=0).pow(2).sum().backward()
        optimizer.step()
    print(word, [round(d, 3) for d in apart.tolist()])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--words", nargs="+", required=True)
    parser.add_argument("--distance", type=float, default=0.65)
    args = parser.parse_args()
    prepare()
    text, tokenizer, drawings = load_part("text"), Tokenizer(), Drawings()
    for word in args.words:
        spread(text, tokenizer, drawings, word, args.distance, torch.Generator().manual_seed(0))
    save_part("text", text.state_dict())


if __name__ == "__main__":
    main()
