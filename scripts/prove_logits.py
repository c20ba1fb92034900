"""Compares the logits of `gpt logits` with those of Hugging Face's GPT2LMHeadModel in f32.

Sequences: one token, a few, a prime number of them, the full context less one, the full context; ids drawn with a fixed seed.
Measure: max |a - b| / max |b| over each sequence. Prints one line of evidence; exits with 1 where the tolerance is passed.
"""

import argparse
import pathlib

import torch
from prove_common import TOLERANCE, difference, gpt_tensors
from transformers import GPT2LMHeadModel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--model", required=True, help="a folder in Hugging Face layout")
    parser.add_argument("--backend", required=True, choices=["cpu", "gpu"])
    parser.add_argument("--scratch", required=True, type=pathlib.Path, help="a folder for the outputs")
    args = parser.parse_args()

    # Weights stored as f16 are widened, exactly as the program does; the arithmetic is f32 on both sides.
    model = GPT2LMHeadModel.from_pretrained(args.model).float().eval()
    context, vocab = model.config.n_positions, model.config.vocab_size
    generator = torch.Generator().manual_seed(20)
    worst, lengths = 0.0, sorted({1, 2, 7, min(61, context), context - 1, context} - {0})
    for length in lengths:
        ids = torch.randint(vocab, (length,), generator=generator)
        with torch.no_grad():
            expected = model(ids[None]).logits[0]
        out = args.scratch / f"{length}.safetensors"
        logits = gpt_tensors(args.gpt, out, args.model, args.backend, ids.tolist())["logits"]
        worst = max(worst, difference(f"logits of {length} tokens", logits, expected))
    print(f"largest relative error {worst:.1e} (limit {TOLERANCE:.0e}) over lengths {', '.join(map(str, lengths))}")


if __name__ == "__main__":
    main()
