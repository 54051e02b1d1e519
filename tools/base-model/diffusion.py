"""Stable Diffusion 1.x's noise schedule, min-SNR loss and a DDIM sampler for looking at results."""
import torch

STEPS = 1000
BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2
ALPHAS_CUMPROD = torch.cumprod(1 - BETAS, 0).float()


def draw_timesteps(count):
    """Uniform draws bent towards noise, where composition is decided: min-SNR lets the low steps count little."""
    return (STEPS * torch.rand(count) ** 0.7).long()


def diffusion_loss(unet, latents, context, gamma=5.0):
    """Min-SNR weighted loss [], and the plain squared error of each sample [b]."""
    timesteps = draw_timesteps(len(latents))
    noise, alpha = torch.randn_like(latents), ALPHAS_CUMPROD[timesteps]
    a = alpha[:, None, None, None]
    predicted = unet(a.sqrt() * latents + (1 - a).sqrt() * noise, timesteps, context)
    errors = ((predicted - noise) ** 2).mean((1, 2, 3))
    snr = alpha / (1 - alpha)
    return (errors * snr.clamp(max=gamma) / snr).mean(), errors.detach()


@torch.no_grad()
def ddim(unet, context, empty, size, steps=20, guidance=5.0, seed=1):
    """Guided samples as latents [b, 4, size/8, size/8]; context [b, 77, 128], empty [1, 77, 128]."""
    b = len(context)
    x = torch.randn(b, 4, size // 8, size // 8, generator=torch.Generator().manual_seed(seed))
    both = torch.cat([context, empty.expand(b, -1, -1)])
    timesteps = torch.linspace(STEPS - 1, 0, steps).long()
    for n, t in enumerate(timesteps):
        with_caption, without = unet(torch.cat([x, x]), t.repeat(2 * b), both).chunk(2)
        noise = without + guidance * (with_caption - without)
        alpha = ALPHAS_CUMPROD[t]
        clean = (x - (1 - alpha).sqrt() * noise) / alpha.sqrt()
        following = ALPHAS_CUMPROD[timesteps[n + 1]] if n + 1 < steps else torch.tensor(1.0)
        x = following.sqrt() * clean + (1 - following).sqrt() * noise
    return x
