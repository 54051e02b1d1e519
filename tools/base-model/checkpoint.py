"""Reading and writing .safetensors with numpy alone (no package of the system's Python has it)."""
import json
import struct

import numpy as np
import torch

DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}


def load_safetensors(path):
    """Tensors by name, in the dtype they are stored in, and the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors, metadata


def save_safetensors(path, tensors, metadata):
    """Write tensors (sorted by name, 8-byte aligned header) and a flat string → string metadata."""
    header, offset = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        tensor = tensors[name]
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(tensors[name].contiguous().numpy().tobytes())


def part(tensors, prefix):
    """The tensors under a key prefix, prefix removed, as f32."""
    return {name[len(prefix):]: t.float() for name, t in tensors.items() if name.startswith(prefix)}
