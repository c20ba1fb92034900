"""Loads what `gpt train` writes with Hugging Face transformers, tokenizers and PEFT, unchanged, and compares in f32.

    full       a few steps of full fine-tuning: the folder loads with `AutoModelForCausalLM` and `AutoTokenizer`; logits and ids equal
    lora       the adapter loads with `PeftModel` on the base; its logits equal, also merged by PEFT and by `gpt merge`, and on
               `attn.c_proj` or `mlp.c_proj` alone, which share a name
    scratch    a model from `--config`, with or without a tied head, trained by --replay
    bpe        a model from `--preset` with a BPE learnt from the text: `AutoTokenizer` gives the same ids, and logits are equal

Each also checks that training changed the logits and that the weights say `format: pt`. Prints one line of evidence; exits
with 1 where anything differs.
"""

import argparse
import sys
from pathlib import Path

import torch
from peft import PeftModel
from prove_common import TOLERANCE, difference, gpt, gpt_json, gpt_tensors
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["Once upon a time, there was a little fox.", "  two spaces\n\nand \"quotes\" - don't!", "na\u00efve \u2603"]


def load(folder):
    """With every key of the file used and none missing."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if info[what]:
            sys.exit(f"{folder}: {what} {sorted(info[what])}")
    return model.float().eval()


def check_format(path):
    with safe_open(path, "pt") as file:
        if (file.metadata() or {}).get("format") != "pt":
            sys.exit(f"{path} has metadata {file.metadata()}, not format: pt")


def sample_ids(model):
    generator = torch.Generator().manual_seed(4)
    return torch.randint(model.config.vocab_size, (min(61, model.config.n_positions),), generator=generator)


@torch.no_grad()
def logits(model, ids):
    return model(ids[None]).logits[0]


def compare(args, name, model, ids, folder, base, *more):
    """The program's logits on `folder` against `model`, which must not be `base` still."""
    want = logits(model, ids)
    if base is not None and not (want - base).abs().max() > 1e-2 * base.abs().max():
        sys.exit(f"{name}: training changed nothing, so equal logits would prove nothing")
    got = gpt_tensors(args.gpt, args.scratch / f"{name}.safetensors", folder, args.backend, ids.tolist(), *more)["logits"]
    return difference(name, got, want)


def text_file(args):
    path = args.scratch / "train.txt"
    path.write_text("The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n" * 40)
    return path


def train(args, out, *more, lr=1e-3):
    """Trains on the text at a high rate, so that a few steps show."""
    gpt(args.gpt, "train", "--model", args.model, "--backend", args.backend, "--text", text_file(args), "--out", out, "--steps", 3,
        "--batch-size", 2, "--context", 32, "--warmup", 0, "--seed", 1, "--lr", lr, *more)
    return out


def compare_tokens(args, folder, texts):
    """The tokenizer of `folder` as transformers reads it against the program's, on each text. Returns the first text's ids."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for text in texts:
        want = tokenizer(text)["input_ids"]
        got = gpt_json(args.gpt, "tokenize", "--model", folder, stdin=text.encode())
        if got != want:
            sys.exit(f"{text!r} became {got}, not {want}")
        if tokenizer.decode(want, clean_up_tokenization_spaces=False) != text:
            sys.exit(f"{text!r} came back as {tokenizer.decode(want)!r}")
        found.append(got)
    return found[0]


def full(args):
    base = load(args.model)
    ids = sample_ids(base)
    out = train(args, args.scratch / "full")
    check_format(out / "model.safetensors")
    error = compare(args, "full", load(out), ids, out, logits(base, ids))
    compare_tokens(args, out, TEXTS)
    print(f"loaded by transformers unchanged; relative error of logits {error:.1e}, {len(TEXTS)} texts tokenized alike")


def lora(args):
    ids, worst = sample_ids(load(args.model)), 0.0
    base = logits(load(args.model), ids)
    kinds = {"all": "c_attn,attn.c_proj,c_fc,mlp.c_proj", "attention": "attn.c_proj", "mlp": "mlp.c_proj"}
    for name, targets in kinds.items():
        # B starts at zero and the first steps are short, hence the higher rate.
        out = train(args, args.scratch / f"lora-{name}", "--lora-rank", 4, "--lora-alpha", 8, "--lora-targets", targets, lr=2e-2)
        check_format(out / "adapter_model.safetensors")
        model = PeftModel.from_pretrained(load(args.model), out).eval()
        adapted = sum("lora_A" in key for key, _ in model.named_parameters())
        expected = len(targets.split(",")) * model.config.n_layer
        if adapted != expected:
            sys.exit(f"{targets}: PEFT adapts {adapted} layers instead of {expected}")
        if name == "attention" and any("mlp" in key and "lora" in key for key, _ in model.named_parameters()):
            sys.exit("attn.c_proj: PEFT adapts the MLP")
        error = compare(args, f"lora-{name}", model, ids, args.model, base, "--adapter", out)
        merged = model.merge_and_unload()
        worst = max(worst, error, compare(args, f"merged-{name}", merged, ids, args.model, base, "--adapter", out))
        # The whole model that this program makes of it, in transformers, against PEFT's.
        whole = args.scratch / f"whole-{name}"
        gpt(args.gpt, "merge", "--model", args.model, "--adapter", out, "--backend", args.backend, "--out", whole)
        check_format(whole / "model.safetensors")
        ours = load(whole)
        worst = max(worst, difference(f"whole-{name}", logits(ours, ids), logits(merged, ids)))
        worst = max(worst, compare(args, f"whole-{name}", ours, ids, whole, base))
        compare_tokens(args, whole, TEXTS)
    print(f"adapters on {'; '.join(kinds.values())} loaded by PEFT, and merged here loaded by transformers; "
          f"relative error {worst:.1e} (limit {TOLERANCE:.0e})")


def scratch(args):
    generator, errors = torch.Generator().manual_seed(6), []
    for tied in (True, False):
        config = args.scratch / f"config-{tied}.json"
        config.write_text(
            '{"model_type": "gpt2", "vocab_size": 71, "n_positions": 24, "n_embd": 40, "n_head": 5, "n_layer": 2, '
            f'"n_inner": 72, "activation_function": "gelu", "tie_word_embeddings": {str(tied).lower()}}}'
        )
        ids = torch.randint(71, (3, 2, 25), generator=generator)
        replay = args.scratch / "replay.safetensors"
        save_file({"inputs": ids[:, :, :-1].contiguous(), "targets": ids[:, :, 1:].contiguous()}, replay)
        out = args.scratch / f"scratch-{tied}"
        gpt(args.gpt, "train", "--backend", args.backend, "--config", config, "--replay", replay, "--out", out, "--steps", 3,
            "--lr", 1e-2, "--seed", 2)
        check_format(out / "model.safetensors")
        model = load(out)
        if (model.lm_head.weight is model.transformer.wte.weight) != tied:
            sys.exit(f"the head is {'not ' if tied else ''}tied")
        errors.append(compare(args, f"scratch-{tied}", model, ids[0, 0, :24], out, None))
    print(f"loaded by transformers unchanged, head tied and not; relative error of logits {max(errors):.1e}")


def bpe(args):
    # The proofs run in the repository's root.
    text = Path("tests/fixtures/tokenizer/train.txt")
    out = args.scratch / "bpe"
    gpt(args.gpt, "train", "--preset", "tiny", "--tokenizer", "bpe:512", "--text", text, "--out", out, "--steps", 5, "--lr", 1e-2,
        "--seed", 3, "--backend", args.backend)
    check_format(out / "model.safetensors")
    model = load(out)
    ids = compare_tokens(args, out, [text.read_text(), "<|endoftext|>The dog.<|endoftext|>", *TEXTS])
    if len(set(ids)) < 257:
        sys.exit(f"only {len(set(ids))} different tokens: the BPE has merged next to nothing")
    # Random weights know no order of the text's tokens: the logits must not be those of every position alike.
    ids = torch.tensor(ids[: model.config.n_positions])
    want = logits(model, ids)
    if not (want - want[:1]).abs().max() > 1e-2 * want.abs().max():
        sys.exit("all positions have the same logits, so equal ones would prove nothing")
    error = compare(args, "bpe", model, ids, out, None)
    print(f"a model with a BPE of {len(AutoTokenizer.from_pretrained(out))} tokens learnt here loaded by transformers unchanged, "
          f"{2 + len(TEXTS)} texts tokenized alike; relative error of logits {error:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["full", "lora", "scratch", "bpe"])
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--model", required=True, help="the shipped model's folder")
    parser.add_argument("--backend", required=True, choices=["cpu", "gpu"])
    parser.add_argument("--scratch", required=True, type=Path, help="a folder for the outputs")
    args = parser.parse_args()
    {"full": full, "lora": lora, "scratch": scratch, "bpe": bpe}[args.what](args)


if __name__ == "__main__":
    main()
