"""A model of GPT-2's size (124M parameters) in the layout of the real one loads, and agrees with transformers in f32.

The weights are random; all else is as in the original checkpoint: its config.json, names without `transformer.`, the causal
masks `h.*.attn.bias` among the tensors, a tied head. `wte` is larger than one storage binding, so it is cut in slabs.
Compared: the logits of a short prompt, and greedy tokens after it. Prints one line of evidence; exits with 1 otherwise.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from model_fixtures import greedy, randomise
from prove_common import difference, gpt_json, gpt_tensors
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

CONFIG = {
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256,
    "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
    "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1,
    "summary_activation": None, "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index",
    "summary_use_proj": True, "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    "vocab_size": 50257,
}
# The first and the last id, and one on each side of where the table is cut: 128 MiB hold 43,648 rows, a multiple of 64.
PROMPT = [0, 50256, 43647, 43648, 464, 3290, 262, 13, 198, 318]
N_NEW = 4


def write(folder, generator):
    """The model, saved below `folder`."""
    model = GPT2LMHeadModel(GPT2Config(**CONFIG)).eval()
    randomise(model, generator, 1.5)
    model.tie_weights()
    tensors = {
        name.removeprefix("transformer."): p.detach().contiguous()
        for name, p in model.state_dict().items() if name != "lm_head.weight"
    }
    size = CONFIG["n_ctx"]
    mask = torch.ones(size, size).tril().reshape(1, 1, size, size)
    tensors |= {f"h.{i}.attn.bias": mask.clone() for i in range(CONFIG["n_layer"])}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--scratch", required=True, type=Path, help="a folder for the model (600 MB) and the outputs")
    args = parser.parse_args()
    model = write(args.scratch, torch.Generator().manual_seed(124))
    with torch.no_grad():
        want = model(torch.tensor([PROMPT])).logits[0]
    new, margin = greedy(lambda x: model(x).logits, PROMPT, N_NEW)
    if not margin > 1e-3:
        sys.exit(f"the smallest margin is {margin:.1e}: choose another seed")
    lines = []
    for backend in ("cpu", "gpu"):
        got = gpt_tensors(args.gpt, args.scratch / "logits.safetensors", args.scratch, backend, PROMPT)["logits"]
        error = difference(f"logits on the {backend}", got, want)
        written = gpt_json(args.gpt, "generate", "--model", args.scratch, "--backend", backend, "--prompt-ids",
                           ",".join(map(str, PROMPT)), "--max-new-tokens", N_NEW, "--temperature", 0, "--json")
        if written["ids"] != new:
            sys.exit(f"the {backend} wrote {written['ids']}, not {new}")
        lines.append(f"{backend}: relative error {error:.1e}, greedy tokens equal, {written['tokens_per_second']:.1f} tokens/s")
    (args.scratch / "model.safetensors").unlink()
    count = sum(p.numel() for p in model.parameters())
    print(f"{count / 1e6:.0f}M parameters; {'; '.join(lines)}")


if __name__ == "__main__":
    main()
