#!/usr/bin/env python3
"""Makes tests/fixtures/tokenizer/* and the table in src/tokenizer/unicode.rs from HF's `tokenizers`, the reference.

    python scripts/tokenizer_fixtures.py            # fixtures
    python scripts/tokenizer_fixtures.py --unicode  # prints the table of character classes

Needs `pip install tokenizers` (made with 0.23.3). `train.txt`, the text the small tokenizer learns from, is an input:
the opening of "Coriolanus", in the public domain.
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests/fixtures/tokenizer"
SHIPPED = ROOT / "www/models/storyteller/tokenizer.json"
EOT = "<|endoftext|>"

NASTY = [
    "",
    " ",
    "\n",
    "a",
    "Hello, world! It's a test.",
    # Contractions: lower case only, ASCII apostrophe only, and only where an apostrophe starts the piece.
    "I'm you're he's they'll we'd I've don't ain't y'all'd've 'tis 'twas",
    "I'M YOU'RE HE'S THEY'LL WE'D I'VE DON'T 'S 'T 'RE 'Ll 'lL 'vE",
    "it’s you’re — ‘quoted’ “double” ''s '''s \"'s \" 's ' s 'd'd'd 'r 'v 'l 'lx 're're",
    "rock'n'roll o'clock ' 'm' 'll' x'll x 'll",
    # White space: runs, mixtures, ends of text, before special tokens, exotic kinds.
    "a  b   c    d\t\te\n\nf\r\n\r\ng \n h\n i \t\n j",
    "trailing   ",
    "trailing\n\n\n",
    "   leading",
    "\t\tleading tabs",
    "\n \n \n x",
    "nbsp\u00a0nbsp \u00a0 x\u00a0\u00a0y ideographic\u3000space\u3000\u3000 z \u3000",
    "line\u2028sep par\u2029sep nel\u0085nel vt\x0bff\x0c thin\u2009\u2009 hair\u200a.",
    "zero\u200bwidth \u200b \u2060 word\ufeffjoiner \u180e mongolian \u1680 ogham",
    "fs\x1c gs\x1d rs\x1e us\x1f x \x1c\x1c y",
    " " * 300,
    "x" + " " * 257 + "y",
    "\n" * 100 + "end",
    "a" * 400,
    "ab" * 150 + "!" * 150 + "1" * 150,
    # Numbers of all kinds.
    "0 1 12 123 1234567890 3.14159 1,000,000 1e-5 0xFF v2.0 a1b2c3 2nd",
    "Ⅷ ⅻ ½ ¾ ² ³ ¹ ₂ ① ⑳ ٣ ٤٥٦ १२३ ๑๒๓ 一二三 〇 零 𝟘𝟙 𐄇 x² H₂O 5½ Ⅷa",
    # Marks are neither letters nor numbers.
    "e\u0301 n\u0303o a\u0300\u0316\u0334 Z\u0351\u036f\u034ea\u0327lg\u0309o\u0348 \u0301 \u0301\u0301 x \u20e3 1\u20e3",
    "नमस्ते दुनिया क्षत्रिय தமிழ் മലയാളം తెలుగు বাংলা ខ្មែរ မြန်မာ",
    "สวัสดีชาวโลก นี่คือการทดสอบ ลาว: ສະບາຍດີ",
    "你好，世界！這是一個測試。 中文 和 English 混合 123 测试𠀀𪚥㐀",
    "こんにちは世界。カタカナ ﾊﾝｶｸ ーー 々〆 ゝヽ",
    "안녕하세요 세계 ㄱㄴㄷ 한국어",
    "مرحبا بالعالم العَرَبِيَّة ـــ لا إله ١٢٣ پیشی‌نهاد",
    "שלום עולם שָׁלוֹם ״ציטוט״",
    "Привет, мир! Ёлка ѣ Ѐ Ґ",
    "Ελληνικά ἀρχή ΐ Ω Ω",
    "Türkçe İıŞş Straße ẞ ﬁ ﬀ ǅ ʰ ª º µ",
    "😀😃 👍🏽 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 ❤️ ☺️ ☺ 1️⃣ #️⃣ a😀b 😀1 \U0001f9d1\u200d\U0001f4bb",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β ≠ ∞ € £ ¥ ₿ © ® ™ № ℃ Å",
    "\x00\x01\x02\x07\x08\x1b[31mred\x1b[0m\x7f\x80\x9f\xad",
    "\ufffd \ufffe \uffff \U0010ffff \ue000 \U000f0000 \U0001fffe",
    "def f(x):\n    return x  # comment\n\n\tif x != None and x['k'] >= 0:\n        print(f\"{x!r}\")\n",
    "https://example.com/a_b-c?d=e&f=%20g#h user@mail.org C:\\dir\\file.txt",
    "_snake_case_ __init__ --flag ... …… --- *** ==> <|> |<| <| |>",
    # Special tokens in the text, whole and not.
    EOT,
    f"one{EOT}two",
    f"one {EOT} two",
    f"  {EOT}\n\n{EOT}{EOT}  x",
    "<|endoftext <|endoftext|> endoftext|> <|ENDOFTEXT|> <<|endoftext|>>",
    "<|endoftext|",
    f"it{EOT}'s",
]


def random_texts():
    rng = random.Random(20240607)
    ok = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = ["".join(chr(rng.choice(ok)) for _ in range(60)) for _ in range(6)]
    # Random planes are mostly unassigned: also draw from where scripts live, mixed with ASCII and white space.
    bmp = [c for c in ok if c < 0x3400 or 0xA000 <= c < 0xABFF or 0xF900 <= c < 0x10000]
    smp = list(range(0x10000, 0x11FFF)) + list(range(0x16800, 0x16FFF)) + list(range(0x1D000, 0x1F000))
    for pool in (bmp, bmp, bmp, smp, smp):
        texts += ["".join(chr(rng.choice(pool)) for _ in range(60)) for _ in range(3)]
    glue = [" ", "  ", "\n", "\u00a0", "\u3000", "'s", "'", "a", "1", "é", "中", "!", "\u0301", "😀", "\t", "Ⅷ"]
    texts += ["".join(rng.choice(glue) for _ in range(50)) for _ in range(25)]
    return texts


def byte_level(tokenizer):
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train(texts, vocab_size, special_tokens):
    tokenizer = byte_level(Tokenizer(models.BPE()))
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        special_tokens=special_tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def reference(tokenizer, texts):
    """The ids of each text, with special tokens recognised and as plain text where that differs."""
    tokenizer.encode_special_tokens = False
    ids = [tokenizer.encode(t).ids for t in texts]
    tokenizer.encode_special_tokens = True
    ordinary = {str(i): tokenizer.encode(t).ids for i, t in enumerate(texts) if EOT in t}
    tokenizer.encode_special_tokens = False
    return {"ids": ids, "ordinary": ordinary}


def fixtures():
    texts = NASTY + random_texts()
    train_text = (OUT / "train.txt").read_text(encoding="utf-8")

    # Merges over many scripts, so that the nasty texts reach deep into the merges and not only single bytes.
    small = train([train_text] + NASTY * 3, 1200, [EOT])
    saved = json.loads(small.to_str())
    model = saved["model"]
    merges = [" ".join(pair) for pair in model["merges"]]
    (OUT / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), encoding="utf-8")
    (OUT / "merges.txt").write_text("#version: 0.2\n" + "".join(m + "\n" for m in merges), encoding="utf-8")
    # The layout of older files: merges as strings, an added token after the vocabulary, no "type" and no "use_regex".
    saved["added_tokens"].append(dict(saved["added_tokens"][0], id=len(model["vocab"]), content="<|pad me|>"))
    model["merges"] = merges
    del model["type"], saved["pre_tokenizer"]["use_regex"]
    (OUT / "tokenizer.json").write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")

    shipped = Tokenizer.from_file(str(SHIPPED))
    # HF learns from special tokens that stand in the text; given apart they are left out, as they are here.
    learned = json.loads(train([train_text, train_text[:2000]], 700, [EOT, "<|user|>"]).to_str())["model"]
    out = {
        "texts": texts,
        "shipped": reference(shipped, texts),
        "small": reference(small, texts),
        "trained": {"vocab": list(learned["vocab"]), "merges": learned["merges"]},
    }
    assert list(learned["vocab"].values()) == list(range(len(learned["vocab"])))
    (OUT / "reference.json").write_text(json.dumps(out, separators=(",", ":")), encoding="utf-8")
    for path in sorted(OUT.iterdir()):
        print(path.name, path.stat().st_size)


def unicode_table():
    """Asks the reference's pre-tokenizer for the class of every character: which neighbours does it stay with?"""
    pre = pre_tokenizers.ByteLevel(add_prefix_space=False)
    together = lambda text: len(pre.pre_tokenize_str(text)) == 1

    def class_of(code):
        if 0xD800 <= code < 0xE000:
            return 0
        for kind, friend in ((1, "a"), (2, "1"), (0, "!")):
            if together(friend + chr(code)):
                return kind
        return 3

    runs = []
    for code in range(0x110000):
        kind = class_of(code)
        if runs and runs[-1][0] == kind:
            runs[-1][1] += 1
        else:
            runs.append([kind, 1])
    data = []
    for kind, length in runs:
        value = length << 2 | kind
        while value >= 128:
            data.append(value & 127 | 128)
            value >>= 7
        data.append(value)
    line = "   "
    for byte in data:
        if len(line) + len(f" {byte},") > 120:
            print(line)
            line = "   "
        line += f" {byte},"
    print(line)
    print(f"{len(runs)} runs, {len(data)} bytes", file=sys.stderr)


if __name__ == "__main__":
    unicode_table() if "--unicode" in sys.argv else fixtures()
