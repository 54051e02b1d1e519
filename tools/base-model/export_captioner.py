"""export_captioner.py [OUT]: the captioner as a CLIP-shaped pair of ONNX graphs with its phrase lists.

The contract is docs/decisions/mini-captioner.md. Weights are stored as f16 and cast inside the graphs."""
import copy
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from contrastive import all_ids
from data import COLOUR_NAMES, Drawings
from eye import caption_states, grid
from loop import prepare
from net_clip import LENGTH, VOCABULARY, WIDTH
from net_eye import SIDE
from parts import load_part
from tokenizer import Tokenizer

PUBLIC = Path(__file__).resolve().parents[2] / "public" / "captioner"
OPSET = 17
WHITE_PHRASE = "white background"  # captions do not say it


class Stored(nn.Module):
    """A copy of a module whose large weights are f16 buffers, cast where they are used."""

    def __init__(self, module):
        super().__init__()
        self.module, self.homes = copy.deepcopy(module), []
        for path, owner in self.module.named_modules():
            for leaf, weight in list(owner._parameters.items()):
                if weight is not None and weight.is_floating_point() and weight.numel() > 1024:
                    del owner._parameters[leaf]
                    key = f"{path}.{leaf}".replace(".", "_")
                    self.register_buffer(key, weight.detach().half())
                    self.homes.append((owner, leaf, key))

    def forward(self, x):
        for owner, leaf, key in self.homes:
            setattr(owner, leaf, getattr(self, key).float())
        return self.module(x)


class TextTower(nn.Module):
    """input_ids [N, 77] → text_embeds [N, 128]. Words that no caption holds share one row; what follows the end is not computed."""

    def __init__(self, text, projection, known):
        super().__init__()
        rows = torch.full((VOCABULARY,), len(known), dtype=torch.int16)
        rows[known] = torch.arange(len(known), dtype=torch.int16)
        table = text.embeddings["token_embedding"].weight[known]
        self.rows, self.table = nn.Parameter(rows, requires_grad=False), nn.Parameter(torch.cat([table, table.mean(0, keepdim=True)]))
        self.positions = nn.Parameter(text.embeddings["position_embedding"].weight.clone())
        self.mask = nn.Parameter(torch.full((LENGTH, LENGTH), -1e9).triu(1))
        self.layers, self.norm, self.projection = text.encoder["layers"], text.final_layer_norm, projection

    def forward(self, input_ids):
        ends = input_ids.argmax(1)  # the end token has the highest id
        length = ends.max() + 1
        ids = input_ids[:, :length]
        x = self.table[self.rows[ids.long()].long()] + self.positions[:length]
        for layer in self.layers:
            x = layer(x, self.mask[:length, :length])
        return self.projection(self.norm(x[torch.arange(x.shape[0]), ends]))


def to_onnx(module, example, path, source, target):
    axes = {source: {0: "batch"}, target: {0: "batch"}}
    torch.onnx.export(
        Stored(module.eval()), example, str(path), input_names=[source], output_names=[target], dynamic_axes=axes,
        opset_version=OPSET, do_constant_folding=False,
    )


def describe(files, scale):
    return {
        "title": "Mini's captioner",
        "license": "CC-BY-4.0 (licenses/mini.txt)",
        "files": files,
        "image": {"size": SIDE, "layout": "NCHW", "channels": "RGB", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "background": "white"},
        "text": {"length": LENGTH, "tokenizer": "CLIP"},
        "width": WIDTH,
        "logitScale": round(scale, 3),
    }


def main():
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLIC
    out.mkdir(parents=True, exist_ok=True)
    prepare()
    drawings, tokenizer, model, text = Drawings(), Tokenizer(), load_part("eye"), load_part("text")
    lists = {
        "subjects": [drawings.subject(c) for c in range(len(drawings.names))],
        "styles": [f"{style} style" for style in drawings.styles],
        "backgrounds": [*(f"{colour} background" for colour in COLOUR_NAMES), WHITE_PHRASE],
    }
    known = np.union1d(all_ids(drawings, tokenizer), np.unique([tokenizer.encode(text) for text in lists["backgrounds"]]))
    to_onnx(model.eye, torch.zeros(1, 3, SIDE, SIDE), out / "image.onnx", "pixel_values", "image_embeds")
    example = torch.tensor([tokenizer.encode(text) for text in lists["subjects"][:3]], dtype=torch.int32)
    to_onnx(TextTower(text, model.text_projection, torch.from_numpy(known)), example, out / "text.onnx", "input_ids", "text_embeds")
    captions, shifts = grid(model, caption_states(drawings))
    (out / "captions.f16").write_bytes(torch.cat([captions.flatten(0, 1), shifts]).half().numpy().tobytes())
    # A style or background less sure than this is left out: a person's own drawing may be in none of the five styles.
    rules = {"combine": "{subject}, {style}, {background}", "unsaid": [WHITE_PHRASE], "leaveOutBelow": {"styles": 0.5, "backgrounds": 0.5}}
    (out / "phrases.json").write_text(json.dumps({**lists, **rules}, indent=1) + "\n")
    names = ("image.onnx", "text.onnx", "phrases.json", "captions.f16")
    files = [{"file": n, "bytes": (out / n).stat().st_size, "sha256": hashlib.sha256((out / n).read_bytes()).hexdigest()} for n in names]
    (out / "index.json").write_text(json.dumps(describe(files, model.scale().item()), indent=2) + "\n")
    print(*(f"{f['file']} {f['bytes']}" for f in files))


if __name__ == "__main__":
    main()
