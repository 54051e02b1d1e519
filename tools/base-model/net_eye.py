"""The captioner: an eye for pictures and Mini's text states, in one space."""
import torch
import torch.nn.functional as F
from torch import nn

from net_clip import WIDTH

SIDE = 64


class Activation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)

    def forward(self, x):
        return F.silu(self.norm(x))


class Residual(nn.Sequential):
    def __init__(self, channels):
        convolution = lambda: nn.Conv2d(channels, channels, 3, 1, 1)  # noqa: E731
        super().__init__(Activation(channels), convolution(), Activation(channels), convolution())

    def forward(self, x):
        return x + super().forward(x)


class Eye(nn.Module):
    """Images in [-1, 1], [b, 3, 64, 64] → features [b, 128]; halved four times, residual blocks where they are cheap."""

    def __init__(self, channels=(32, 64, 128, 144)):
        super().__init__()
        layers = [nn.Conv2d(3, channels[0], 5, 2, 2)]
        for inputs, outputs in zip(channels, channels[1:]):
            layers += [Activation(inputs), nn.Conv2d(inputs, outputs, 3, 2, 1)]
            layers += [Residual(outputs)] if outputs > 64 else []
        self.features = nn.Sequential(*layers, Activation(channels[-1]), nn.AvgPool2d(2))
        self.drop, self.projection = nn.Dropout(0.1), nn.Linear(channels[-1] * 4, WIDTH)

    def forward(self, x):
        return self.projection(self.drop(self.features(x).flatten(1)))


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.eye = Eye()
        self.text_projection = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.SiLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.logit_scale = nn.Parameter(torch.tensor(3.0))

    def scale(self):
        return self.logit_scale.exp().clamp(max=60)

    def image_features(self, images):
        """Unit vectors [b, 128] of images [b, 3, 64, 64] in [-1, 1]."""
        return F.normalize(self.eye(images), dim=1)

    def text_features(self, states):
        """Unit vectors of end tokens' states [.., 128]."""
        return F.normalize(self.text_projection(states), dim=-1)
