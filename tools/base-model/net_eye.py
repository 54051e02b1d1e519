"""The captioner's eye: pictures and Mini's text states into one space, as CLIP's two towers with their projections."""
import torch
import torch.nn.functional as F
from torch import nn

from net_clip import WIDTH

CHANNELS = (32, 64, 128, 192)
SIDE = 64


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x):
        return x + self.conv(F.silu(self.norm(x)))


class Eye(nn.Module):
    """Images in [-1, 1], [b, 3, 64, 64] → [b, 128], not normalised."""

    def __init__(self):
        super().__init__()
        stages = [nn.Conv2d(3, CHANNELS[0], 4, 2, 1)]
        for inputs, outputs in zip(CHANNELS, CHANNELS[1:]):
            stages += [nn.BatchNorm2d(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, 2, 1), Residual(outputs)]
        self.features = nn.Sequential(*stages, nn.BatchNorm2d(CHANNELS[-1]), nn.SiLU())
        self.projection = nn.Linear(CHANNELS[-1] * 16, WIDTH)

    def forward(self, x):
        return self.projection(self.features(x).flatten(1))


class TextProjection(nn.Module):
    """State of a caption's end token [b, 128] → [b, 128], not normalised."""

    def __init__(self):
        super().__init__()
        self.linear, self.wide, self.narrow = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, states):
        return self.linear(states) + self.narrow(F.silu(self.wide(states)))


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.eye, self.text_projection = Eye(), TextProjection()
        self.logit_scale = nn.Parameter(torch.tensor(2.7))

    def scale(self):
        return self.logit_scale.exp().clamp(max=50)

    def image_features(self, images):
        return F.normalize(self.eye(images), dim=1)

    def text_features(self, states):
        return F.normalize(self.text_projection(states), dim=-1)
