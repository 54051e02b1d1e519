"""softmax(q k^T) v for small heads: attention.c where a C compiler is at hand, plain torch elsewhere."""
import ctypes
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import torch

from data import CACHE

SOURCE = Path(__file__).with_name("attention.c")
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


@lru_cache(maxsize=None)
def library(dim):
    """The compiled kernel for a head size; None without a compiler."""
    if not shutil.which("gcc"):
        return None
    path = CACHE / f"attention-{dim}.so"
    if not path.exists() or path.stat().st_mtime < SOURCE.stat().st_mtime:
        subprocess.run(["gcc", *FLAGS, f"-DDIM={dim}", "-o", str(path), str(SOURCE), "-lm"], check=True)
    return ctypes.CDLL(str(path))


def call(function, tensors, sizes):
    function(*(ctypes.c_void_p(t.data_ptr()) for t in tensors), *(ctypes.c_int(n) for n in sizes))


class SmallHeads(torch.autograd.Function):
    """q, k, v: [b, heads, rows or keys, dim]; q is already scaled."""

    @staticmethod
    def forward(ctx, q, k, v):
        q, k, v = q.contiguous(), k.contiguous(), v.contiguous()
        out, lse = torch.empty_like(q), q.new_empty(q.shape[:3])
        ctx.sizes = (q.shape[0] * q.shape[1], q.shape[2], k.shape[2])
        call(library(q.shape[3]).forward, (q, k, v, out, lse), ctx.sizes)
        ctx.save_for_backward(q, k, v, out, lse)
        return out

    @staticmethod
    def backward(ctx, gradient):
        q, k, v, out, lse = ctx.saved_tensors
        grads = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        call(library(q.shape[3]).backward, (q, k, v, out, lse, gradient.contiguous(), *grads), ctx.sizes)
        return grads


def attention(q, k, v):
    """q, k, v: [b, heads, n, dim] with q already scaled by dim^-0.5."""
    if q.is_cuda or k.shape[2] > 1024 or library(q.shape[3]) is None:
        return (q @ k.transpose(-1, -2)).softmax(-1) @ v
    return SmallHeads.apply(q, k, v)
