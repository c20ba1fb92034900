"""Compares the native program on the model that ships with Hugging Face transformers and PyTorch, in f32.

    generate   greedy text, with and without a repetition penalty: the same tokens as `GPT2LMHeadModel.generate`, unless its
               two best logits were within 1e-3; log-probabilities within 1e-3
    captures   the residual stream, qkv, the MLP's inner activation and every head's attention, over a full context
    eval       loss, perplexity and bits per byte of whole texts, each token scored once in the first window that holds it

Prints one line of evidence; exits with 1 where anything differs.
"""

import argparse
import math
import sys
from pathlib import Path

import torch
from prove_common import TOLERANCE, difference, gpt_json, gpt_tensors
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

PROMPTS = [
    "Once upon a time",
    "The little dog was very sad because",
    "\"I don't know,\" said the king. \"",
    "One day, Tom and Mia went to the park. They saw a big tree and",
]
N_NEW = 100
CLOSE_CALL = 1e-3


def generate(args, model, tokenizer):
    tokens = ties = 0
    for prompt in PROMPTS:
        ids = tokenizer.encode(prompt).ids
        for penalty in (1.0, 1.3):
            with torch.no_grad():
                want = model.generate(
                    torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False,
                    max_new_tokens=N_NEW, repetition_penalty=penalty, output_scores=True, output_logits=True,
                    return_dict_in_generate=True, pad_token_id=model.config.eos_token_id,
                )
            new = want.sequences[0, len(ids):].tolist()
            got = gpt_json(args.gpt, "generate", "--model", args.model, "--backend", args.backend, "--prompt", prompt,
                           "--max-new-tokens", N_NEW, "--temperature", 0, "--repetition-penalty", penalty, "--seed", 1, "--json")
            if got["prompt_ids"] != ids:
                sys.exit(f"{prompt!r} became {got['prompt_ids']}, not {ids}")
            for i, (a, b) in enumerate(zip(got["ids"], new)):
                if a != b:
                    best = want.scores[i][0].topk(2).values
                    margin = (best[0] - best[1]).item()
                    if not margin < CLOSE_CALL:
                        sys.exit(f"{prompt!r}, penalty {penalty}: token {i} is {a}, not {b}, though the margin is {margin:.2g}")
                    ties += 1
                    break
                logprob = want.logits[i][0].log_softmax(-1)[b].item()
                if not abs(logprob - got["logprobs"][i]) <= 1e-3:
                    sys.exit(f"{prompt!r}: log-probability {i} is {got['logprobs'][i]}, not {logprob}")
                tokens += 1
            else:
                if len(got["ids"]) != len(new):
                    sys.exit(f"{prompt!r}: {len(got['ids'])} new tokens instead of {len(new)}")
            shown = tokenizer.decode(got["ids"], skip_special_tokens=False)
            if got["text"] != shown:
                sys.exit(f"the text is {got['text']!r}, not {shown!r}")
    if tokens < 400:
        sys.exit(f"only {tokens} tokens were compared")
    print(f"{tokens} greedy tokens equal, {ties} near-ties, over {len(PROMPTS)} prompts with and without repetition penalty")


def captures(args, model, tokenizer):
    del tokenizer
    config = model.config
    ids = torch.randint(config.vocab_size, (config.n_positions,), generator=torch.Generator().manual_seed(3))
    want, hooks = {}, []

    def keep(name, module, f=lambda output: output):
        hooks.append(module.register_forward_hook(lambda _m, _i, o: want.__setitem__(name, f(o)[0])))

    for i, block in enumerate(model.transformer.h):
        keep(f"h.{i}", block, lambda o: o if isinstance(o, torch.Tensor) else o[0])
        keep(f"h.{i}.ln_1", block.ln_1)
        keep(f"h.{i}.attn.qkv", block.attn.c_attn)
        keep(f"h.{i}.attn.proj", block.attn.c_proj)
        keep(f"h.{i}.mlp.act", block.mlp.act)
    keep("embed", model.transformer.drop)
    keep("ln_f", model.transformer.ln_f)
    with torch.no_grad():
        out = model(ids[None], output_attentions=True)
    for hook in hooks:
        hook.remove()
    names = list(want)
    probs = [f"h.{i}.attn.probs" for i in range(config.n_layer)]
    path, worst = args.scratch / "captures.safetensors", 0.0
    more = [x for name in names for x in ("--capture", name)]
    tensors = gpt_tensors(args.gpt, path, args.model, args.backend, ids.tolist(), *more)
    for name in names:
        worst = max(worst, difference(name, tensors[name].reshape(want[name].shape), want[name]))
    for head in range(config.n_head):
        more = ["--head", head] + [x for name in probs for x in ("--capture", name)]
        tensors = gpt_tensors(args.gpt, path, args.model, args.backend, ids.tolist(), *more)
        for i, name in enumerate(probs):
            worst = max(worst, difference(f"{name}, head {head}", tensors[name], out.attentions[i][0, head]))
    maps = config.n_layer * config.n_head
    print(f"{len(names)} tensors and {maps} attention maps over {len(ids)} tokens: largest relative error {worst:.1e} "
          f"(limit {TOLERANCE:.0e})")


def evaluate(args, model, tokenizer):
    config, lines = model.config, []
    for path in args.text:
        text = path.read_bytes()[: args.bytes].decode(errors="ignore")
        cut = args.scratch / path.name
        cut.write_bytes(text.encode())
        ids = [config.bos_token_id, *tokenizer.encode(text).ids]
        n, nats, scored, start = len(ids), 0.0, 0, 0
        while scored < n - 1:
            window = torch.tensor(ids[start : start + config.n_positions])
            with torch.no_grad():
                logprobs = model(window[None]).logits[0].double().log_softmax(-1)
            for row in range(scored - start, len(window) - 1):
                nats -= logprobs[row, window[row + 1]].item()
                scored += 1
            start += config.n_positions // 2
        size = len(text.encode())
        want = {"loss": nats / scored, "perplexity": math.exp(nats / scored), "bits_per_byte": nats / math.log(2) / size}
        got = gpt_json(args.gpt, "eval", "--model", args.model, "--backend", args.backend, "--text", cut, "--json")
        if (got["tokens"], got["bytes"]) != (scored, size):
            sys.exit(f"{path.name}: {got['tokens']} tokens of {got['bytes']} bytes instead of {scored} of {size}")
        for key, value in want.items():
            if not abs(got[key] - value) <= 1e-5 * value:
                sys.exit(f"{path.name}: {key} is {got[key]}, not {value}")
        lines.append(f"{path.name} {scored} tokens, loss {got['loss']:.4f} (differs by {abs(got['loss'] - want['loss']):.0e})")
    print("; ".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["generate", "captures", "eval"])
    parser.add_argument("--gpt", required=True, help="the native program")
    parser.add_argument("--model", required=True, help="the shipped model's folder")
    parser.add_argument("--backend", required=True, choices=["cpu", "gpu"])
    parser.add_argument("--scratch", required=True, type=Path, help="a folder for the outputs")
    parser.add_argument("--text", type=Path, action="append", default=[], help="a text for eval; may be repeated")
    parser.add_argument("--bytes", type=int, default=20_000, help="how much of each text to take")
    args = parser.parse_args()
    model = GPT2LMHeadModel.from_pretrained(args.model, attn_implementation="eager").float().eval()
    tokenizer = Tokenizer.from_file(str(Path(args.model) / "tokenizer.json"))
    {"generate": generate, "captures": captures, "eval": evaluate}[args.what](args, model, tokenizer)


if __name__ == "__main__":
    main()
