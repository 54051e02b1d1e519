"""What every stage shares: thread settings, a learning rate over wall time, weight averaging, resumable state."""
import math
import os
import time

import torch


def prepare(seed=0):
    torch.set_num_threads(int(os.environ.get("MINI_THREADS", "1")))
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)


class Clock:
    """Processor minutes spent in a stage over all its sessions; they go on counting right on a machine that is busy or asleep."""

    def __init__(self, minutes, spent=0.0):
        self.minutes, self.spent, self.started = minutes, spent, time.process_time()

    def elapsed(self):
        return self.spent + (time.process_time() - self.started) / 60

    def progress(self):
        return min(1.0, self.elapsed() / self.minutes)

    def over(self):
        return self.elapsed() >= self.minutes


def cosine_lr(peak, step, progress, warmup=100, floor=0.03):
    return peak * min(1, (step + 1) / warmup) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))


def set_lr(optimizer, lr):
    for group in optimizer.param_groups:
        group["lr"] = lr


class Ema:
    """Running average of parameters, with a short memory at first."""

    def __init__(self, parameters, decay):
        self.parameters, self.decay, self.steps = list(parameters), decay, 0
        self.average = [p.detach().clone() for p in self.parameters]

    def update(self):
        self.steps += 1
        decay = min(self.decay, (self.steps + 1) / (self.steps + 10))
        with torch.no_grad():
            torch._foreach_mul_(self.average, decay)
            torch._foreach_add_(self.average, self.parameters, alpha=1 - decay)

    def state(self):
        return {"average": self.average, "steps": self.steps}

    def load(self, state):
        self.average, self.steps = state["average"], state["steps"]

    def named(self, module):
        """The averaged weights under the module's parameter names."""
        return {name: average for (name, _), average in zip(module.named_parameters(), self.average)}


def save_state(path, **state):
    """Written beside and renamed, so that a kill leaves the previous checkpoint whole."""
    beside = path.with_suffix(".new")
    torch.save(state, beside)
    beside.replace(path)
