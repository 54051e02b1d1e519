"""Makes five pictures and what sd-scripts' WD14 preprocessing makes of them, with OpenCV and Pillow.

Run: python makePreprocess.py   (needs numpy, opencv-python-headless and pillow; writes beside itself)
Each `name.png` gets a `name.expected.png`: 448 x 448 bytes after resizing, stored as RGB although the model gets BGR.
"""
import os
import cv2
import numpy as np
from PIL import Image, ImageDraw

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 448


def waves(width, height, phase):
    y, x = np.mgrid[0:height, 0:width]
    planes = [127.5 + 70 * np.sin(x / (9 + c) + phase) + 50 * np.cos(y / (13 - c) - phase * c) for c in range(3)]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def drawing(width, height):
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 8, width - 20, height - 6), fill=(230, 60, 40, 255), outline=(20, 20, 20, 255), width=3)
    pen.rectangle((width // 3, height // 3, width - 4, height // 2), fill=(30, 90, 220, 128))
    return image


PICTURES = {
    "landscape": Image.fromarray(waves(701, 400, 0.3)),
    "portrait": Image.fromarray(waves(333, 518, 1.1)),
    "small-alpha": drawing(97, 128),
    "palette-alpha": drawing(120, 75).quantize(16),
    "grey-alpha": Image.merge("LA", (Image.fromarray(waves(450, 449, 2.0)[..., 0]), Image.linear_gradient("L").resize((450, 449)))),
}


def on_white(image):
    if image.mode in ("RGBA", "LA") or "transparency" in image.info:
        image = image.convert("RGBA")
        canvas = Image.new("RGB", image.size, (255, 255, 255))
        canvas.paste(image, mask=image.split()[-1])
        return canvas
    return image.convert("RGB")


def preprocess(image):
    pixels = np.array(on_white(image))[:, :, ::-1]
    size = max(pixels.shape[:2])
    pad_x, pad_y = size - pixels.shape[1], size - pixels.shape[0]
    left, top = pad_x // 2, pad_y // 2
    pixels = np.pad(pixels, ((top, pad_y - top), (left, pad_x - left), (0, 0)), constant_values=255)
    if size >= SIDE:
        return cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.LANCZOS))


for name, image in PICTURES.items():
    path = os.path.join(HERE, f"{name}.png")
    image.save(path, optimize=True)
    result = preprocess(Image.open(path))
    Image.fromarray(np.ascontiguousarray(result[:, :, ::-1])).save(os.path.join(HERE, f"{name}.expected.png"), optimize=True)
