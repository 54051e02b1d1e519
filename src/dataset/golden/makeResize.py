"""Makes resize.json: what OpenCV (INTER_AREA) and Pillow (LANCZOS, BICUBIC) give for pictures made by a formula.

Run: python makeResize.py > resize.json   (needs numpy, opencv-python-headless and pillow)
The pictures: value(x, y, c) as in `picture` below; `rough` is near noise, `smooth` a gradient with waves.
"""
import base64, json, math, sys
import cv2, numpy as np, PIL
from PIL import Image

# kind, source w, h, target w, h
CASES = [
    ("area", "rough", 64, 48, 32, 24),      # one half: OpenCV's integer path
    ("area", "rough", 60, 45, 20, 15),      # one third: OpenCV's whole-number path
    ("area", "rough", 37, 29, 16, 12),
    ("area", "smooth", 61, 47, 40, 31),
    ("area", "rough", 50, 40, 50, 23),      # one axis only
    ("area", "rough", 33, 20, 32, 20),
    ("area", "smooth", 97, 13, 8, 1),
    ("area", "rough", 80, 20, 40, 5),
    ("lanczos", "rough", 31, 17, 64, 40),
    ("lanczos", "smooth", 20, 20, 33, 21),
    ("lanczos", "rough", 40, 12, 30, 25),   # one axis shrinks
    ("lanczos", "rough", 9, 30, 9, 47),
    ("lanczos", "rough", 1, 5, 7, 11),
    ("bicubic", "rough", 61, 47, 33, 25),
    ("bicubic", "smooth", 20, 31, 45, 70),
    ("bicubic", "rough", 3, 2, 16, 11),
]


def picture(kind, w, h):
    out = np.zeros((h, w, 3), np.uint8)
    for y in range(h):
        for x in range(w):
            for c in range(3):
                if kind == "rough":
                    value = ((x * 7 + y * 13 + c * 29) * (x + 3 * y + 1)) & 255
                else:
                    value = math.floor(127.5 + 60 * math.sin(x / 5 + c) + 60 * math.cos(y / 7 - c))
                out[y, x, c] = value
    return out


def resized(method, image, w, h):
    if method == "area":
        return cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    kernel = Image.LANCZOS if method == "lanczos" else Image.BICUBIC
    return np.asarray(Image.fromarray(image).resize((w, h), kernel))


cases = []
for method, kind, sw, sh, w, h in CASES:
    out = resized(method, picture(kind, sw, sh), w, h)
    data = base64.b64encode(np.ascontiguousarray(out).tobytes()).decode()
    cases.append({"method": method, "picture": kind, "source": [sw, sh], "target": [w, h], "rgb": data})
json.dump({"opencv": cv2.__version__, "pillow": PIL.__version__, "cases": cases}, sys.stdout, indent=1)
