"""Mini's autoencoder. Module names are the keys of Stable Diffusion 1.x checkpoints under first_stage_model."""
import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = (32, 32, 64, 64)
GROUPS = 8  # 32 groups on 32 channels would normalise each channel alone and lose colour
SCALING_FACTOR = 0.18215


def norm(channels):
    return nn.GroupNorm(GROUPS, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.norm2, self.conv2 = norm(outputs), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.nin_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        b, c, height, width = x.shape
        h = self.norm(x)
        q, k, v = (f(h).reshape(b, c, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        h = (q @ k.transpose(1, 2) * c**-0.5).softmax(-1) @ v
        return x + self.proj_out(h.transpose(1, 2).reshape(b, c, height, width))


class Downsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 2, 0)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Middle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block_1, self.attn_1, self.block_2 = ResnetBlock(channels, channels), Attention(channels), ResnetBlock(channels, channels)

    def forward(self, x):
        return self.block_2(self.attn_1(self.block_1(x)))


class Level(nn.Module):
    """Residual blocks of one resolution, then a change of resolution (none at the last level)."""

    def __init__(self, inputs, outputs, blocks, **resample):
        super().__init__()
        self.block = nn.ModuleList(ResnetBlock(inputs if n == 0 else outputs, outputs) for n in range(blocks))
        for name, module in resample.items():
            setattr(self, name, module)

    def forward(self, x):
        for module in self.block:
            x = module(x)
        for name in ("downsample", "upsample"):
            x = getattr(self, name)(x) if hasattr(self, name) else x
        return x


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        last = len(CHANNELS) - 1
        self.conv_in = nn.Conv2d(3, CHANNELS[0], 3, 1, 1)
        self.down = nn.ModuleList()
        for n, c in enumerate(CHANNELS):
            self.down.append(Level(CHANNELS[max(n - 1, 0)], c, 1, **({"downsample": Downsample(c)} if n < last else {})))
        self.mid = Middle(CHANNELS[-1])
        self.norm_out, self.conv_out = norm(CHANNELS[-1]), nn.Conv2d(CHANNELS[-1], 8, 3, 1, 1)

    def forward(self, x):
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        last = len(CHANNELS) - 1
        self.conv_in, self.mid = nn.Conv2d(4, CHANNELS[-1], 3, 1, 1), Middle(CHANNELS[-1])
        self.up = nn.ModuleList()
        for n, c in enumerate(CHANNELS):
            self.up.append(Level(CHANNELS[min(n + 1, last)], c, 2, **({"upsample": Upsample(c)} if n > 0 else {})))
        self.norm_out, self.conv_out = norm(CHANNELS[0]), nn.Conv2d(CHANNELS[0], 3, 3, 1, 1)

    def forward(self, z):
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class Autoencoder(nn.Module):
    """Images in [-1, 1], [b, 3, h, w] ↔ latents [b, 4, h/8, w/8]."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.quant_conv, self.post_quant_conv = nn.Conv2d(8, 8, 1), nn.Conv2d(4, 4, 1)

    def encode(self, x):
        """Mean and log variance of the latents."""
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))
