"""The judge of samples: shares no weight and no text with Mini."""
from torch import nn

LOOKS = ("blueprint", "pixel-art")  # styles that follow the artists' five


class Judge(nn.Module):
    """Images in [-1, 1], [b, 3, 64, 64] → logits of concepts and of styles."""

    def __init__(self, concepts=761, styles=5, channels=(24, 48, 96, 160, 256)):
        super().__init__()
        layers = []
        for inputs, outputs in zip((3, *channels), channels):
            layers += [nn.Conv2d(inputs, outputs, 5 if inputs == 3 else 3, 2, 2 if inputs == 3 else 1), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.features, self.drop = nn.Sequential(*layers), nn.Dropout(0.2)
        self.concept, self.style = nn.Linear(channels[-1] * 4, concepts), nn.Linear(channels[-1] * 4, styles + len(LOOKS))

    def forward(self, x):
        h = self.drop(self.features(x).flatten(1))
        return self.concept(h), self.style(h)
