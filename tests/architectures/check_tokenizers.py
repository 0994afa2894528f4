"""Our token ids of hard text against those of `tokenizers`, for tokenizers trained here on the spot."""
import json
import sys
import tempfile
from pathlib import Path

import oracle

oracle.need("tokenizers", "sentencepiece")

import fuzz_tokenizers
import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

GPT2_CORPUS = """The quick brown fox jumps over the lazy dog; it's 12 o'clock and they'll have 3.14159 pies, won't they?
for (int i = 0; i < 10; ++i) { total += values[i] * 2; }  // a loop
def answer(question):\n    return {"key": [1, 2, 3], 'other': None}\n
日本語のテキストと中文文本以及한국어 문장. Ελληνικά, кириллица, العربية, עברית, हिन्दी, ไทย.
Naïve café, Straße, ÆØÅ, smörgåsbord — “quotes”, … and ‘more’. 😀 👩‍👩‍👧‍👦 🇩🇪 ❤️
"""
TEXTS = [
    "", " ", "  ", "a", " a", "a ", "\n", "\n\n\n", " \n \n", "\t\tif x:\n\t\t\treturn\r\n", "word" * 40,
    "Hello, world!", "it's we'll they'RE I'M don'T 's'S", "'", "''s", "1", "12", "123", "1234", "1234567890", "3.14",
    "1,000,000.00", "2024-01-31T23:59:59Z", "٣٤٥ ४५६ Ⅷ ½ ²³", "a1b22c333d4444", "     indented", "trailing     ",
    "a  b   c    d", "a\u00a0b\u2003c\u3000d", "tab\tand\u2028line\u2029par", "日本語のテキスト", "中文，文本。",
    "한국어 문장", "混合mixed文字text123", "😀", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "❤️", "👍🏽!!", "naïve café", "Straße ÆØÅ",
    "Ελληνικά κείμενα", "кириллица и ещё", "العربية", "עברית", "हिन्दी", "ไทย", "\u200b\u200d\ufeffzero", "\x00\x01\x7f",
    "\u0085next\u000bvt\u000cff", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𓀀", "def f(x):\n    return x**2  # comment\n",
    "for(int i=0;i<n;++i){a[i]+=b[i]<<2;}\n\n\n}", '{"key": [1, 2.5e-3, null], "s": "\\u00e9\\n"}',
    "https://example.org/a?b=c&d=%20#frag", "<s>[INST] not special </s>", "<|endoftext|> text", "▁▁ lower", "Ġ Ċ ĉ",
    "$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$", "ALLCAPS camelCase snake_case kebab-case", "...!!!???---___", "«» “” ‘’ — –",
    GPT2_CORPUS,
    "e\u0301", "cafe\u0301 nai\u0308ve", "\u1112\u1161\u11ab", "В лесу\u0301", "\u0915\u093c \u0958 שָׁלוֹם", "ﬁ ① ２ Å ｶﾞ İI",
    "<|end|>", "a<|end|>b", " <|end|>  <|end|> c", "<|end|", "<s></s><unk><s> x", "cafe\u0301<|end|>e\u0301",
]

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SEPARATOR = "\x1d"  # of texts, for the probe


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


# Name: pre-tokenizer, normalizer, ignore_merges; as the released tokenizer.json files have them.
BYTE_LEVEL = {
    "gpt2": (pre_tokenizers.ByteLevel(add_prefix_space=False), None, False),
    "smollm2": (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                         pre_tokenizers.ByteLevel(add_prefix_space=False)]), None, False),
    "llama3": (split(LLAMA3), None, True),
    "qwen2": (split(LLAMA3.replace("{1,3}", "")), normalizers.NFC(), False),
}


def compare(name, model, texts, expected_ids, mode="tokens"):
    failures = 0
    lines = oracle.probe(mode, model, SEPARATOR.join(texts).encode()).decode().split("\n")
    assert len(lines) == len(texts), f"{len(texts)} texts, {len(lines)} answers"
    for text, expected, line in zip(texts, expected_ids, lines):
        found = [int(part) for part in line.split()]
        if found != expected:
            failures += 1
            print(f"FAILED {name}: {text[:60]!r}: expected {expected[:20]}, found {found[:20]}")
    print(f"{'ok    ' if failures == 0 else 'FAILED'} {name:14} {len(texts) - failures} of {len(texts)} texts agree")
    return failures


def empty_model(folder):
    """The least that a folder needs to be opened: no tensor, a configuration."""
    folder.mkdir()
    header = b"{}      "
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    (folder / "config.json").write_text(json.dumps(
        dict(model_type="llama", hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
             vocab_size=2000)))
    return folder


def check_byte_level(name, folder):
    pre_tokenizer, normalizer, ignore_merges = BYTE_LEVEL[name]
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(vocab_size=600, show_progress=False, special_tokens=["<|end|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([GPT2_CORPUS] * 4, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    return compare(name, folder, TEXTS, [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS])


def as_tokenizers(processor):
    """The BPE model of `tokenizers` that stands for a SentencePiece model, as released LLaMA-2 folders hold it."""
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    ids = {piece: i for i, piece in enumerate(pieces)}
    normal = [i for i in range(len(pieces)) if not (processor.is_byte(i) or processor.is_control(i) or
                                                    processor.is_unknown(i))]
    merges = []
    for i in sorted(normal, key=lambda i: -processor.get_score(i)):
        cuts = [(pieces[i][:cut], pieces[i][cut:]) for cut in range(1, len(pieces[i]))]
        known = [cut for cut in cuts if cut[0] in ids and cut[1] in ids]
        merges += sorted(known, key=lambda cut: (ids[cut[0]], ids[cut[1]]))
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def check_sentencepiece(folder):
    corpus = folder / "corpus.txt"
    corpus.write_text(GPT2_CORPUS * 4)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "tokenizer"), vocab_size=600, model_type="bpe",
        byte_fallback=True, split_digits=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True, minloglevel=2)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    tokenizer = as_tokenizers(processor)
    return compare("sentencepiece", folder, TEXTS,
                   [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS])


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in BYTE_LEVEL:
            failures += check_byte_level(name, empty_model(Path(folder, name)))
        failures += check_sentencepiece(empty_model(Path(folder, "sentencepiece")))
        failures += sum(fuzz_tokenizers.check(seed, empty_model(Path(folder, f"random{seed}")), compare)
                        for seed in range(fuzz_tokenizers.ROUNDS))
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
