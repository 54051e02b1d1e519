"""Mini's trained parts, one file each in the cache: vae, text, image (the text encoder's teacher), eye (the captioner), unet, judge."""
import sys

from checkpoint import load_safetensors, part, save_safetensors
from data import CACHE
from net_clip import ImageEncoder, TextEncoder
from net_eye import Captioner
from net_judge import Judge
from net_unet import UNet
from net_vae import Autoencoder

PREFIXES = {
    "vae": "first_stage_model.",
    "text": "cond_stage_model.transformer.text_model.",
    "unet": "model.diffusion_model.",
}
MODULES = {"vae": Autoencoder, "text": TextEncoder, "unet": UNet, "image": ImageEncoder, "eye": Captioner, "judge": Judge}


def path_of(name):
    return CACHE / f"{name}.safetensors"


def save_part(name, tensors, **metadata):
    beside = path_of(name).with_suffix(".new")
    save_safetensors(beside, {key: t.detach().float() for key, t in tensors.items()}, {k: str(v) for k, v in metadata.items()})
    beside.replace(path_of(name))


def load_part(name):
    """The module with its trained weights, in evaluation mode and frozen."""
    module = MODULES[name]()
    module.load_state_dict(load_safetensors(path_of(name))[0])
    return module.eval().requires_grad_(False)


def init_from(checkpoint):
    """Split a Mini checkpoint into the parts that stages start from."""
    tensors, _ = load_safetensors(checkpoint)
    for name, prefix in PREFIXES.items():
        save_part(name, part(tensors, prefix))


if __name__ == "__main__":
    CACHE.mkdir(parents=True, exist_ok=True)
    init_from(sys.argv[1])
    print("parts written:", ", ".join(PREFIXES))
