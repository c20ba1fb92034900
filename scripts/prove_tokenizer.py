"""`gpt tokenize` gives the ids of Hugging Face's `tokenizers`, exactly, and turns them back into the same bytes.

Texts: a million random Unicode characters of all scripts, a corpus of awkward cases, and every text given. Tokenizers: the
one that ships, and one of 8,000 tokens trained on the texts, read from `tokenizer.json` and from `vocab.json` with
`merges.txt`. Prints one line of evidence; exits with 1 where an id differs.
"""

import argparse
import random
import sys
from pathlib import Path

from prove_common import gpt, gpt_json
from tokenizer_fixtures import EOT, NASTY, random_texts
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def unicode_text():
    """Characters drawn from all of Unicode, denser where scripts live, with white space and ASCII between them."""
    rng = random.Random(11)
    pools = [range(0x20, 0x7F), range(0x80, 0x3400), range(0x3400, 0xA000), range(0xA000, 0xD800), range(0xE000, 0x20000)]
    pieces = []
    for _ in range(100_000):
        pool = rng.choice(pools)
        pieces.append("".join(chr(rng.choice(pool)) for _ in range(rng.randrange(1, 16))))
        pieces.append(rng.choice(["", " ", "  ", "\n", "\t", "'s", "'LL ", " 1", "\u00a0", "\u3000 "]))
    return "".join(pieces)


def trained(texts, folder):
    """A byte-level BPE like GPT-2's, in both layouts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=8000, special_tokens=[EOT], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    for layout in ("json", "pair"):
        (folder / layout).mkdir()
    tokenizer.save(str(folder / "json/tokenizer.json"))
    tokenizer.model.save(str(folder / "pair"))
    return tokenizer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--model", required=True, type=Path, help="the shipped model's folder")
    parser.add_argument("--scratch", required=True, type=Path, help="an empty folder")
    parser.add_argument("--text", type=Path, action="append", default=[], help="a text; may be repeated")
    args = parser.parse_args()
    texts = {"random Unicode": unicode_text(), "awkward cases": "\n".join([*NASTY, *random_texts()])}
    texts |= {path.name: path.read_bytes().decode() for path in args.text}
    own = trained([t for name, t in texts.items() if name != "random Unicode"], args.scratch)
    folders = {
        "shipped": (args.model, Tokenizer.from_file(str(args.model / "tokenizer.json"))),
        "tokenizer.json": (args.scratch / "json", own),
        "vocab.json + merges.txt": (args.scratch / "pair", own),
    }
    count = 0
    for title, (folder, reference) in folders.items():
        for name, text in texts.items():
            data = text.encode()
            want = reference.encode(text, add_special_tokens=False).ids
            got = gpt_json(args.gpt, "tokenize", "--model", folder, stdin=data)
            if got != want:
                at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
                before = reference.decode(want[max(0, at - 5) : at + 5], skip_special_tokens=False)
                sys.exit(f"{title}, {name}: id {at} is {got[at:at+3]}, not {want[at:at+3]}, near {before!r}")
            back = gpt(args.gpt, "tokenize", "--model", folder, "--decode", stdin=str(got).encode())
            if back != data:
                sys.exit(f"{title}, {name}: decoding gives other bytes")
            count += len(want)
    size = sum(len(t.encode()) for t in texts.values())
    print(f"{count} ids equal and decoded back, {len(folders)} tokenizers over {len(texts)} texts of {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
