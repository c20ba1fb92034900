"""Loads what the page downloads with Hugging Face transformers and PEFT, unchanged, and compares logits in f32.

A model of GPT-2's size with random weights is fine-tuned as a whole in the page, and a LoRA adapter is trained there on the
shipped model; `prove_page_exports.mjs` does that and downloads both. Prints one line of evidence; exits with 1 where a file
does not load, training changed nothing, or logits differ.
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import torch
from peft import PeftModel
from prove_common import TOLERANCE
from prove_exports import check_format, compare, load, logits, sample_ids
from prove_gpt2 import write


def unzip(args, name):
    folder = args.scratch / name
    with zipfile.ZipFile(args.scratch / f"{name}.zip") as archive:
        bad = archive.testzip()
        if bad:
            sys.exit(f"{name}.zip: {bad} is damaged")
        archive.extractall(folder)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--model", required=True, type=Path, help="the shipped model's folder")
    parser.add_argument("--scratch", required=True, type=Path, help="a folder for the model, its runs and the outputs (6 GB)")
    args = parser.parse_args()
    args.backend = "cpu"
    base = args.scratch / "base"
    base.mkdir()
    write(base, torch.Generator().manual_seed(125))
    # Any tokenizer will do that has no more tokens than the model.
    shutil.copy(args.model / "tokenizer.json", base)
    done = subprocess.run(["node", "scripts/prove_page_exports.mjs", base, args.scratch], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the page: {done.stderr.strip()}")
    shutil.rmtree(args.scratch / "profile")

    tuned = unzip(args, "model")
    check_format(tuned / "model.safetensors")
    before = load(base)
    ids = sample_ids(before)
    error = compare(args, "model", load(tuned), ids, tuned, logits(before, ids))

    adapter = unzip(args, "adapter")
    check_format(adapter / "adapter_model.safetensors")
    before = load(args.model)
    ids = sample_ids(before)
    want = logits(before, ids)
    model = PeftModel.from_pretrained(load(args.model), adapter).eval()
    error = max(error, compare(args, "adapter", model, ids, args.model, want, "--adapter", adapter))
    print(f"{done.stdout.strip()}; its zip loaded by transformers, and an adapter's by PEFT, unchanged; relative error of logits "
          f"{error:.1e} (limit {TOLERANCE:.0e})")


if __name__ == "__main__":
    main()
