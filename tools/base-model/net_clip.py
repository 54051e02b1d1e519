"""Mini's text encoder (keys of cond_stage_model.transformer.text_model) and the image encoder beside it."""
import torch
from torch import nn

VOCABULARY, WIDTH, LAYERS, HEADS, LENGTH = 49408, 128, 3, 2, 77


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x, mask):
        b, n, _ = x.shape
        q, k, v = (
            f(x).reshape(b, n, HEADS, WIDTH // HEADS).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj)
        )
        h = (q @ k.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5 + mask).softmax(-1) @ v
        return self.out_proj(h.transpose(1, 2).reshape(b, n, WIDTH))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        h = self.fc1(x)
        return self.fc2(h * torch.sigmoid(1.702 * h))


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm1, self.self_attn = nn.LayerNorm(WIDTH), SelfAttention()
        self.layer_norm2, self.mlp = nn.LayerNorm(WIDTH), MLP()

    def forward(self, x, mask):
        x = x + self.self_attn(self.layer_norm1(x), mask)
        return x + self.mlp(self.layer_norm2(x))


class TextEncoder(nn.Module):
    """Ids [b, n ≤ 77] → states [b, n, 128] after the final layer norm; causal, so the tail may be cut."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {"token_embedding": nn.Embedding(VOCABULARY, WIDTH), "position_embedding": nn.Embedding(LENGTH, WIDTH)}
        )
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(EncoderLayer() for _ in range(LAYERS))})
        self.final_layer_norm = nn.LayerNorm(WIDTH)
        for table in self.embeddings.values():
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids):
        n = ids.shape[1]
        x = self.embeddings["token_embedding"](ids) + self.embeddings["position_embedding"].weight[:n]
        mask = torch.full((n, n), -1e9).triu(1)
        for layer in self.encoder["layers"]:
            x = layer(x, mask)
        return self.final_layer_norm(x)


class ImageEncoder(nn.Module):
    """Images in [-1, 1], [b, 3, 64, 64] → features [b, 128]."""

    def __init__(self, channels=(32, 64, 128, 192)):
        super().__init__()
        layers = [nn.Conv2d(3, channels[0], 3, 2, 1)]
        for inputs, outputs in zip(channels, channels[1:]):
            layers += [nn.GroupNorm(8, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, 2, 1)]
        self.f = nn.Sequential(*layers, nn.GroupNorm(8, channels[-1]), nn.SiLU())
        self.p = nn.Linear(channels[-1] * 16, WIDTH)

    def forward(self, x):
        return self.p(self.f(x).flatten(1))
