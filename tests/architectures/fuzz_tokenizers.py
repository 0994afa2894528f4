"""Tokenizers put together at random from all parts that we read, against `tokenizers` on texts of many scripts."""
import json
import random
import string

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

ROUNDS = 40
TEXTS_A_ROUND = 60

CORPUS = """The quick brown fox jumps over the lazy dog; it's 12 o'clock, they'll have 3.14159 pies, won't they?
for (int i = 0; i < 10; ++i) { total += values[i] * 2; }  // a loop
日本語のテキストと中文文本以及한국어 문장. Ελληνικά, кириллица, العربية, עברית, हिन्दी, ไทย. naïve café Straße
the-final--countdown in_the end THE QUICK BROWN FOX 1234567 890 ... !!! ??? <a> </b> [c] {d}
"""
FRAGMENTS = [
    " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u180e", "\x00", "-", "--", "_", ".", ",",
    "!?", "'s", "'LL", "it's", "the", "The", "THE", "fox", "quick", "brown", "a", "b", "ab", "12", "1234567", "٣٤", "Ⅷ", "½", "x²",
    "é", "e\u0301", "ü", "ﬁ", "①", "２", "Å", "\u212b", "İ", "ẞ", "ß", "ſ", "ΑΣ", "кириллица", "сто\u0301ит", "日本", "中文文本",
    "한국어", "\u1112\u1161\u11ab", "हिन्दी", "\u0915\u093c", "\u0958", "العربية", "עִבְרִית", "ไทย", "😀", "👩\u200d👧", "🇩🇪", "❤\ufe0f",
    "\u0301", "▁", "▁▁", "Ġ", "Ċ", "<", ">", "<s>", "</s>", "<unk>", "<0x0A>", "<|x|>", "<|xy|>", "<|x", "[MASK]", "new", "news",
    "\u0378", "\U0001d518", "\u2014", "…", "«»", "$", "+", "^", "`", "ⓐ", "\u0e33",
]
PATTERNS = [r"\p{N}{1,3}", r"\s+", r"\w+", r"[^\s\p{L}\p{N}]+", r" ?\p{L}+", r"-", r"(?i:'s|'t|'ll)|\p{L}+|\s+(?!\S)", r"x*",
            r"(?=(\d{3})+(?!\d))", r"\S+", r"[\p{P}\p{S}]", r"[a-c[x-z\s]]+", r"\W", r"\d"]
BEHAVIORS = ["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]


def normalizer(rng, depth=0):
    kinds = [
        normalizers.NFC, normalizers.NFD, normalizers.NFKC, normalizers.NFKD, normalizers.Lowercase,
        normalizers.StripAccents, lambda: normalizers.Strip(rng.random() < 0.5, rng.random() < 0.5),
        lambda: normalizers.Prepend("▁"), lambda: normalizers.Replace(" ", "▁"),
        lambda: normalizers.Replace(Regex(rng.choice([r"\s+", r"\p{P}", r"[aeiou]{2}", r"b*"])), rng.choice(["", " ", "é"])),
    ]
    if depth == 0 and rng.random() < 0.4:
        return normalizers.Sequence([normalizer(rng, 1) for _ in range(rng.randint(0, 3))])
    return rng.choice(kinds)()


def cut(rng):
    behavior = rng.choice(BEHAVIORS)
    pattern = "-" if rng.random() < 0.2 else Regex(rng.choice(PATTERNS))
    kinds = [
        lambda: pre_tokenizers.Split(pattern, behavior, invert=rng.random() < 0.3),
        lambda: pre_tokenizers.Split(pattern, behavior, invert=rng.random() < 0.3),
        lambda: pre_tokenizers.Digits(individual_digits=rng.random() < 0.5),
        lambda: pre_tokenizers.Punctuation(behavior), pre_tokenizers.Whitespace, pre_tokenizers.WhitespaceSplit,
        pre_tokenizers.BertPreTokenizer, lambda: pre_tokenizers.CharDelimiterSplit("_"),
    ]
    return rng.choice(kinds)()


def metaspace(rng):
    return pre_tokenizers.Metaspace(prepend_scheme=rng.choice(["always", "first", "never"]), split=rng.random() < 0.5)


def added(rng):
    contents = ["<|x|>", "<|xy|>", "<|x", "|>", "new", "news", "[MASK]", "café", "THE", "  ", "▁the", "Å", "b-", "\n\n", "12"]
    tokens = []
    for content in rng.sample(contents, rng.randint(0, 6)):
        flags = {key: rng.random() < 0.3 for key in ("single_word", "lstrip", "rstrip")}
        tokens.append(AddedToken(content, special=rng.random() < 0.5, normalized=rng.random() < 0.5, **flags))
    return tokens


def build(seed):
    rng = random.Random(seed)
    kind = rng.choice(["bytes", "bytes", "fallback", "characters"])
    options = dict(unk_token="<unk>", fuse_unk=rng.random() < 0.5, byte_fallback=kind == "fallback",
                   ignore_merges=rng.random() < 0.3)
    if kind == "bytes" and rng.random() < 0.5:
        options.pop("unk_token")
    tokenizer = Tokenizer(models.BPE(**options))
    if rng.random() < 0.7:
        tokenizer.normalizer = normalizer(rng)
    stages = [cut(rng) for _ in range(rng.randint(0, 2))]
    if kind == "bytes":
        stages.append(pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.3, use_regex=rng.random() < 0.6))
    elif rng.random() < 0.7:
        stages.insert(rng.randint(0, len(stages)), metaspace(rng))
    if stages:
        tokenizer.pre_tokenizer = stages[0] if len(stages) == 1 else pre_tokenizers.Sequence(stages)
    alphabet = {"bytes": pre_tokenizers.ByteLevel.alphabet(), "fallback": list(string.ascii_letters + " ▁.,'-")}.get(kind, [])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256) if kind == "fallback"]
    trainer = trainers.BpeTrainer(vocab_size=900, show_progress=False, special_tokens=special, initial_alphabet=alphabet,
                                  limit_alphabet=rng.choice([60, 1000]) if kind != "bytes" else 1000)
    tokenizer.train_from_iterator(CORPUS.split("\n") * 4, trainer)
    tokenizer = without_byte_tokens(tokenizer)
    tokens = added(rng)
    tokenizer.add_special_tokens([token for token in tokens if token.special])
    tokenizer.add_tokens([token for token in tokens if not token.special])
    tokenizer.post_processor = post_processor(rng, tokenizer)
    return tokenizer, rng


def without_byte_tokens(tokenizer):
    """The trainer makes its special tokens added ones; bytes are not."""
    document = json.loads(tokenizer.to_str())
    document["added_tokens"] = [token for token in document["added_tokens"] if not token["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(document))


def post_processor(rng, tokenizer):
    bos, eos = (("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>")))
    template = processors.TemplateProcessing(single=rng.choice(["<s> $A", "<s> $A </s>", "$A </s>", "$A", "<s> <s> $A"]),
                                             special_tokens=[bos, eos])
    bytes_only = processors.ByteLevel(trim_offsets=False)
    return rng.choice([template, bytes_only, processors.Sequence([bytes_only, template]),
                       processors.RobertaProcessing(eos, bos), processors.BertProcessing(eos, bos)])


def survives(function, *arguments, **options):
    """The result, or None where `tokenizers` panics: it indexes beyond some texts that a normalizer shortens."""
    try:
        return function(*arguments, **options)
    except BaseException as error:  # PanicException is no Exception
        if type(error).__name__ != "PanicException":
            raise
        return None


def check(seed, folder, compare):
    built = next(filter(None, (survives(build, seed + 10000 * retry) for retry in range(100))))
    tokenizer, rng = built
    tokenizer.save(str(folder / "tokenizer.json"))
    texts = ["".join(rng.choice(FRAGMENTS) for _ in range(rng.randint(0, 14))) for _ in range(TEXTS_A_ROUND)]
    encoded = [(text, survives(tokenizer.encode, text, add_special_tokens=False)) for text in texts]
    known = [(text, encoding.ids) for text, encoding in encoded if encoding is not None]
    texts = [text for text, ids in known]
    framed = [survives(tokenizer.encode, text).ids for text in texts]
    return (compare(f"random {seed}", folder, texts, [ids for text, ids in known]) +
            compare(f"framed {seed}", folder, texts, framed, mode="framed"))
