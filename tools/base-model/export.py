"""export.py [OUT]: the parts as one f16 checkpoint in Stable Diffusion 1.x's single-file layout, and its index."""
import hashlib
import json
import sys
from pathlib import Path

from checkpoint import load_safetensors, save_safetensors
from net_clip import HEADS as TEXT_HEADS
from net_clip import LAYERS, VOCABULARY, WIDTH
from net_unet import CHANNELS, CONTEXT, HEADS
from net_vae import CHANNELS as VAE_CHANNELS
from net_vae import GROUPS, SCALING_FACTOR
from parts import PREFIXES, path_of

RESOLUTION = 64  # what the UNet has learned so far; its 128 px pictures are textures without shape
PUBLIC = Path(__file__).resolve().parents[2] / "public" / "models"

# What tensor shapes cannot tell a loader.
CONFIG = {
    "family": "sd1",
    "prediction": "epsilon",
    "unet": {
        "channels": list(CHANNELS),
        "num_heads": HEADS,
        "context_dim": CONTEXT,
        "use_linear_projection": False,
        "transformer_depth": 1,
    },
    "text": {
        "vocab_size": VOCABULARY,
        "hidden": WIDTH,
        "heads": TEXT_HEADS,
        "layers": LAYERS,
        "intermediate": 4 * WIDTH,
        "activation": "quick_gelu",
    },
    "vae": {
        "ch": VAE_CHANNELS[0],
        "ch_mult": [c // VAE_CHANNELS[0] for c in VAE_CHANNELS],
        "num_res_blocks": 1,
        "norm_groups": GROUPS,
        "scaling_factor": SCALING_FACTOR,
    },
}


def export(path):
    tensors = {}
    for name, prefix in PREFIXES.items():
        for key, tensor in load_safetensors(path_of(name))[0].items():
            tensors[prefix + key] = tensor.half()
    save_safetensors(path, tensors, {"format": "pt", "config": json.dumps(CONFIG, separators=(",", ":"))})


def describe(path):
    """The entry of models/index.json."""
    data = path.read_bytes()
    return {
        "id": "mini",
        "file": path.name,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "family": "sd1",
        "resolution": RESOLUTION,
        "title": "Mini",
        "description": f"A small Stable Diffusion 1.x that draws emoji in five artists' styles at {RESOLUTION} pixels.",
        "license": "CC-BY-4.0 (licenses/mini.txt)",
    }


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLIC / "mini.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    export(path)
    (path.parent / "index.json").write_text(json.dumps([describe(path)], indent=2) + "\n")
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
