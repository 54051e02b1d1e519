"""PNG sheets of images, with the standard library alone."""
import struct
import zlib

import numpy as np


def to_bytes(images):
    """[b, 3, h, w] in [-1, 1] → u8 [b, h, w, 3]."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().permute(0, 2, 3, 1).numpy().astype(np.uint8)


def sheet(pictures, columns):
    """u8 [b, h, w, 3] → one picture, row by row."""
    rows = [np.concatenate(list(pictures[n : n + columns]), 1) for n in range(0, len(pictures), columns)]
    return np.concatenate(rows, 0)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(path, picture):
    """u8 [h, w, 3]."""
    height, width, _ = picture.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], 1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts))
