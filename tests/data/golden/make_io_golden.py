"""Makes the golden files of tests/engine/io with independent implementations.

Usage: make_io_golden.py MODEL.gguf FOLDER       (needs the PyPI packages tokenizers, gguf and numpy)
MODEL.gguf: SmolLM2-135M-Instruct, whose vocabulary and merges are used with every pre-tokenizer.
"""
import datetime
import json
import sys

import gguf
import numpy as np
import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

TEXTS = [
    "", " ", "a", "Hello, world!", "  leading and trailing  ", "tabs\tand\nnew\r\nlines\n\n\nend\n ",
    "I'm sure they'll say we've done it; it's 'S and 'LL and can't, don\u2019t, \u017f '\u017f.",
    "In 2024, 1234567 of 3.14159 + 42 = x^2; 007 1 2  3   4", "abc  123  def", "12a34b", "\u0663\u0664 \u00bd \u2167 x\u00b2",
    "Stra\u00dfe, na\u00efve caf\u00e9, \u0141\u00f3d\u017a, \u0398\u03b5\u03cc\u03c2, \u043f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f \uc548\ub155\ud558\uc138\uc694", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947 \u0634\u0643\u0631\u0627\u064b",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f", "\u00a0\u2003\u3000x\u2028y\u0085z\u180ew\u200bv\ufeffu",
    "int main(int argc, char** argv) {\n    return argc > 1 ? 0x7f : -1; // \u00b5s\n}\n",
    "for i in range(10):\n\tprint(f\"{i:>3}\")\r\n\r\n", "https://example.org/?a=1&b=%20#frag_ment", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "MixedCASE snake_case kebab-case CamelCase2D", "...!!!???---===~~~```", " = Robert Boulter = \n\n @-@ @,@ 1 @.@ 5 <unk>",
    "\x00\x01\x7f", "\ud7ff\ue000\uffff\U0010ffff", "$ 1 , 000 \u20ac\u00a35", "e\u0301 \u212b \uac00\u11a8", "\n", "\n\n \n", "   \n   x", "'", "''s", "a 's",
]
OWN_TEXT = ["the quick brown fox jumps over the lazy dog and the other dogs", "weights and activations are quantized to four bits",
            "flatness of a layer, the scale of a channel and the rounding of a weight", "1 22 333 4444 55555 and 1234567890",
            "der gro\u00dfe B\u00e4r l\u00e4uft \u00fcber die Stra\u00dfe; \u4f60\u597d\u4e16\u754c \u4f60\u597d"] * 8


def split_tokenizer(vocab, merges, kind):
    ignore = kind == "llama-bpe"
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=ignore))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind in ("gpt-2", "smollm"))
    first = {"smollm": pre_tokenizers.Digits(individual_digits=True),
             "llama-bpe": pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
             "qwen2": pre_tokenizers.Split(Regex(QWEN2), behavior="isolated")}.get(kind)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([first, byte_level]) if first else byte_level
    return tokenizer


def small_tokenizer():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(OWN_TEXT, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet,
                                                                special_tokens=["<|begin|>", "<|end|>"]))
    return tokenizer


def tokenizer_golden(model_path, folder, header):
    fields = gguf.GGUFReader(model_path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
    vocab = {token: i for i, token in enumerate(tokens)}
    small = small_tokenizer()
    small.save(f"{folder}/small_tokenizer.json")
    # The special tokens of the saved file would be found in plain text; ours are not. No text above contains one.
    kinds = {kind: split_tokenizer(vocab, merges, kind) for kind in ("gpt-2", "smollm", "llama-bpe", "qwen2")}
    kinds["small_tokenizer.json"] = small
    cases = [{"text": text, "ids": {kind: t.encode(text).ids for kind, t in kinds.items()}} for text in TEXTS]
    with open(f"{folder}/tokenizers.json", "w", encoding="utf-8") as file:
        body = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
        file.write(json.dumps(header)[:-1] + ', "cases": [\n' + body + "\n]}\n")


def block_golden(folder, header):
    types = gguf.GGMLQuantizationType
    random = np.random.default_rng(20260101)
    rows = {}
    for name in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "BF16"):
        values, size = gguf.GGML_QUANT_SIZES[types[name]]
        count = 64 if name == "BF16" else 2
        data = random.integers(0, 256, count * size, dtype=np.uint8)
        # Scales of ordinary size instead of random bit patterns, which would often be NaN.
        halves = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
                  "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "BF16": []}[name]
        for block in range(count):
            for place in halves:
                scale = np.float16(random.normal() * 0.01)
                data[block * size + place:block * size + place + 2] = np.frombuffer(scale.tobytes(), np.uint8)
        if name == "BF16":
            data[1::2] &= 0xbf
        decoded = gguf.quants.dequantize(data, types[name]).astype(np.float32)
        assert np.isfinite(decoded).all()
        rows[name] = {"bytes": data.tobytes().hex(), "floats": decoded.astype("<f4").tobytes().hex()}
    with open(f"{folder}/ggml_blocks.json", "w", encoding="utf-8") as file:
        body = ",\n".join(f'"{name}": {json.dumps(row)}' for name, row in rows.items())
        file.write(json.dumps(header)[:-1] + ', "types": {\n' + body + "\n}}\n")


def main():
    model_path, folder = sys.argv[1:]
    versions = f"tokenizers {tokenizers.__version__}, gguf {gguf.__version__ if hasattr(gguf, '__version__') else '0.19.0'}"
    header = {"generator": "make_io_golden.py with " + versions, "date": datetime.date.today().isoformat()}
    tokenizer_golden(model_path, folder, header)
    block_golden(folder, header)


main()
