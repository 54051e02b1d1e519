"""CLIP's byte-pair tokenizer for plain lower-case captions, as ids [77] padded with the end token."""
import re
from functools import lru_cache
from pathlib import Path

START, END, LENGTH = 49406, 49407, 77
MERGES = Path(__file__).resolve().parents[2] / "public" / "tokenizer" / "clip-merges.txt"


def byte_characters():
    """Printable stand-ins for the 256 bytes, in CLIP's order of ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(len(others))]


class Tokenizer:
    def __init__(self):
        merges = [tuple(line.split()) for line in MERGES.read_text(encoding="utf-8").splitlines() if line]
        letters = byte_characters()
        words = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
        self.ids = {word: n for n, word in enumerate(words)}
        self.ranks = {pair: n for n, pair in enumerate(merges)}

    @lru_cache(maxsize=None)
    def word_ids(self, word):
        """Ids of one word: the adjacent pair of lowest rank is merged until none is known."""
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            parts = self.merge(parts, best)
        return [self.ids[part] for part in parts]

    @staticmethod
    def merge(parts, pair):
        merged = []
        for part in parts:
            if merged and (merged[-1], part) == pair:
                merged[-1] = "".join(pair)
            else:
                merged.append(part)
        return merged

    @lru_cache(maxsize=None)
    def encode(self, text):
        ids = [START]
        for word in re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower()):
            ids += self.word_ids(word)
        ids = ids[: LENGTH - 1] + [END]
        return tuple(ids + [END] * (LENGTH - len(ids)))
