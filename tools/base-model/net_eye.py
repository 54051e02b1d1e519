"""The captioner: the text encoder's teacher as the eye, and Mini's text states, in one space."""
import torch
import torch.nn.functional as F
from torch import nn

from net_clip import WIDTH, ImageEncoder

SIDE = 64


class Captioner(nn.Module):
    def __init__(self):
        super().__init__()
        self.eye, self.text_projection = ImageEncoder(), nn.Linear(WIDTH, WIDTH, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(3.2))

    def scale(self):
        return self.logit_scale.exp().clamp(max=60)

    def image_features(self, images):
        """Unit vectors [b, 128] of images [b, 3, 64, 64] in [-1, 1]."""
        return F.normalize(self.eye(images), dim=1)

    def text_features(self, states):
        """Unit vectors of end tokens' states [.., 128]."""
        return F.normalize(self.text_projection(states), dim=-1)
