"""Mini's UNet. Module names are the keys of Stable Diffusion 1.x checkpoints under model.diffusion_model."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from attention import attention

CHANNELS, HEADS, CONTEXT = (64, 128, 128, 128), 8, 128


def timestep_embedding(timesteps, width):
    frequencies = torch.exp(-math.log(10000) * torch.arange(width // 2) / (width // 2))
    angles = timesteps[:, None].float() * frequencies[None]
    return torch.cat([angles.cos(), angles.sin()], -1)


def zeroed(module):
    nn.init.zeros_(module.weight)
    return module


class ResBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(32, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, 1, 1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(CHANNELS[0] * 4, outputs))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(32, outputs), nn.SiLU(), nn.Identity(), zeroed(nn.Conv2d(outputs, outputs, 3, 1, 1))
        )
        self.skip_connection = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, emb, context):
        h = self.in_layers(x) + self.emb_layers(emb)[:, :, None, None]
        return self.skip_connection(x) + self.out_layers(h)


class CrossAttention(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = nn.Linear(context, width, bias=False), nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width), nn.Identity())

    def forward(self, x, context):
        b, n, width = x.shape
        q, k, v = (
            t.reshape(b, -1, HEADS, width // HEADS).transpose(1, 2)
            for t in (self.to_q(x), self.to_k(context), self.to_v(context))
        )
        h = attention(q * (width // HEADS) ** -0.5, k, v)
        return self.to_out(h.transpose(1, 2).reshape(b, n, width))


class GEGLU(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(GEGLU(width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.attn1, self.attn2 = CrossAttention(width, width), CrossAttention(width, CONTEXT)
        self.ff = FeedForward(width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, context):
        h = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), context)
        return x + self.ff(self.norm3(x))


class SpatialTransformer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.proj_in = nn.GroupNorm(32, width, eps=1e-6), nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(width)])
        self.proj_out = zeroed(nn.Conv2d(width, width, 1))

    def forward(self, x, emb, context):
        b, c, height, width = x.shape
        h = self.proj_in(self.norm(x)).reshape(b, c, -1).transpose(1, 2)
        for block in self.transformer_blocks:
            h = block(h, context)
        return x + self.proj_out(h.transpose(1, 2).reshape(b, c, height, width))


class Conv(nn.Conv2d):
    """The stem convolution, with the signature that all layers of a block share."""

    def forward(self, x, emb, context):
        return super().forward(x)


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, 2, 1)

    def forward(self, x, emb, context):
        return self.op(x)


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x, emb, context):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Block(nn.Sequential):
    def forward(self, x, emb, context):
        for layer in self:
            x = layer(x, emb, context)
        return x


def attends(level):
    return [SpatialTransformer(CHANNELS[level])] if level < len(CHANNELS) - 1 else []


class UNet(nn.Module):
    """Noise prediction: latents [b, 4, h, w], timesteps [b], text states [b, 77, 128] → [b, 4, h, w]."""

    def __init__(self):
        super().__init__()
        width, last = CHANNELS[0], len(CHANNELS) - 1
        self.time_embed = nn.Sequential(nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width))
        self.input_blocks = nn.ModuleList([Block(Conv(4, width, 3, 1, 1))])
        skips, c = [width], width
        for level, outputs in enumerate(CHANNELS):
            for _ in range(2):
                self.input_blocks.append(Block(ResBlock(c, outputs), *attends(level)))
                c = outputs
                skips.append(c)
            if level < last:
                self.input_blocks.append(Block(Downsample(c)))
                skips.append(c)
        self.middle_block = Block(ResBlock(c, c), SpatialTransformer(c), ResBlock(c, c))
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(CHANNELS))):
            for n in range(3):
                up = [Upsample(CHANNELS[level])] if level > 0 and n == 2 else []
                block = ResBlock(c + skips.pop(), CHANNELS[level])
                self.output_blocks.append(Block(block, *attends(level), *up))
                c = CHANNELS[level]
        self.out = nn.Sequential(nn.GroupNorm(32, c), nn.SiLU(), zeroed(nn.Conv2d(c, 4, 3, 1, 1)))

    def forward(self, x, timesteps, context):
        emb = self.time_embed(timestep_embedding(timesteps, CHANNELS[0]))
        skips, h = [], x
        for block in self.input_blocks:
            h = block(h, emb, context)
            skips.append(h)
        h = self.middle_block(h, emb, context)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], 1), emb, context)
        return self.out(h)
