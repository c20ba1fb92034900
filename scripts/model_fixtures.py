#!/usr/bin/env python3
"""Makes the models and reference outputs that the tests compare with, by PyTorch and Hugging Face transformers.

    python scripts/model_fixtures.py small            tests/fixtures/models/gpt2-*: random GPT-2s of odd sizes
    python scripts/model_fixtures.py textbook         tests/fixtures/models/textbook: a post-LayerNorm GPT of plain torch modules
    python scripts/model_fixtures.py textbook --full --out DIR
                                                      the same at full size (5000 tokens, 256 dims, 4 layers); not committed
    python scripts/model_fixtures.py prove-textbook --gpt PROGRAM --backend cpu --scratch DIR
                                                      makes the full size one and compares the program's logits with it
    python scripts/model_fixtures.py ship DIR         www/models/storyteller from a trained f32 model in DIR, as f16
    python scripts/model_fixtures.py reference        tests/fixtures/models/storyteller: reference of the model that ships
    python scripts/model_fixtures.py index            www/models/index.json, from the files that ship

Each folder holds `config.json`, `model.safetensors` and `reference.safetensors` with
    ids            (T,)            i64
    logits         (T, V)          f32, by the weights as they stand in the file, in f32 arithmetic
    greedy         (N,)            i64, greedy continuation of the first `n_prompt` ids
    n_prompt       (1,)            i64
    smallest_margin (1,)           f32, smallest difference of the two best logits along the greedy path
    hidden_states  (L+1, T, C)     f32, the residual stream before each block and after the last, before ln_f
    attentions     (L, H, T, T)    f32, probabilities
Random models get large weights and random biases and LayerNorms: at the usual initialisation a model repeats one token,
and agreeing on that proves little. Seeds are searched until the greedy text is varied and its margins exceed 1e-2.
"""

import argparse
import hashlib
import json
import math
import subprocess
from pathlib import Path

import torch
from safetensors.torch import load_file
from safetensors.torch import save_file as save_private
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests/fixtures/models"
SHIPPED = ROOT / "www/models"
MIN_MARGIN = 1e-2
TOLERANCE = 1e-4


def save_file(tensors, path, metadata=None):
    """As safetensors' own, whose files only their owner may read: these are served."""
    save_private(tensors, path, metadata=metadata)
    path.chmod(0o644)


def randomise(model, generator, std, embedding_std=0.5):
    """Weights whose effect shows: matrices scaled by their fan-in, biases and LayerNorms away from 0 and 1."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if ("ln_" in name or "norm" in name) and name.endswith("weight"):
                p.copy_(1 + 0.3 * noise)
            elif p.dim() == 1:
                p.copy_(0.2 * noise)
            elif "wte" in name or "wpe" in name or "embed" in name:
                p.copy_(embedding_std * noise)
            else:
                p.copy_(std * noise / math.sqrt(min(p.shape)))


@torch.no_grad()
def greedy(logits_of, prompt, n):
    """n greedy tokens after prompt, each by a full forward pass, and the smallest margin between the two best logits."""
    ids, margin = list(prompt), math.inf
    for _ in range(n):
        best = logits_of(torch.tensor([ids]))[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        ids.append(best.indices[0].item())
    return ids[len(prompt) :], margin


def i64(values):
    return torch.tensor(values, dtype=torch.int64)


def write_json(path, value, **options):
    path.write_text(json.dumps(value, indent=2, sort_keys=True, **options) + "\n", encoding="utf-8")


def weights(model, dtype, prefix):
    """The state dict as a checkpoint: in `dtype`, with or without the `transformer.` prefix, without the tied head."""
    return {
        (name if prefix else name.removeprefix("transformer.")): p.detach().to(dtype).contiguous()
        for name, p in model.state_dict().items()
        if not (name == "lm_head.weight" and model.config.tie_word_embeddings)
    }


def keep(out, config, tensors, reference):
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "config.json", config)
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    save_file({k: v.contiguous() for k, v in reference.items()}, out / "reference.safetensors")
    size = sum(f.stat().st_size for f in out.iterdir())
    print(f"{out}: {size} bytes, smallest margin {reference['smallest_margin'].item():.4f}, "
          f"{len(set(reference['greedy'].tolist()))} different of {len(reference['greedy'])} greedy tokens")


# --- Small random GPT-2s ----------------------------------------------------------------------------------------------

SMALL = {
    # head_dim 4, context 33, tanh GELU, tied; F32 with the prefix.
    "gpt2-tanh-f32": dict(
        config=dict(vocab_size=97, n_embd=20, n_head=5, n_layer=2, n_positions=33, activation_function="gelu_new"),
        dtype=torch.float32, prefix=True,
    ),
    # head_dim 16, context 17, erf GELU, tied; F16 without the prefix.
    "gpt2-erf-f16": dict(
        config=dict(vocab_size=131, n_embd=48, n_head=3, n_layer=2, n_positions=17, activation_function="gelu"),
        dtype=torch.float16, prefix=False,
    ),
    # An odd inner width, head_dim 7, ReLU, untied, another epsilon; BF16 with the prefix.
    "gpt2-relu-bf16": dict(
        config=dict(vocab_size=113, n_embd=21, n_head=3, n_layer=3, n_positions=40, n_inner=50, layer_norm_epsilon=1e-4,
                    activation_function="relu", tie_word_embeddings=False),
        dtype=torch.bfloat16, prefix=True,
    ),
}


def hf_reference(model, ids, n_prompt, n_greedy):
    """Reference tensors of a HF model, or None if its greedy path is too close to a tie or too monotonous."""
    new, margin = greedy(lambda x: model(x).logits, ids[:n_prompt], n_greedy)
    if margin < MIN_MARGIN or len(set(new)) < n_greedy // 2:
        return None
    x = torch.tensor([ids])
    # The last of HF's hidden_states has been through ln_f; the stream before it is what the last block returns.
    last = []
    hook = model.transformer.h[-1].register_forward_hook(
        lambda _m, _i, o: last.append(o[0] if isinstance(o, tuple) else o)
    )
    with torch.no_grad():
        out = model(x, output_hidden_states=True, output_attentions=True)
    hook.remove()
    stream = torch.stack([h[0] for h in out.hidden_states[:-1]] + [last[0].reshape(out.hidden_states[0].shape)[0]])
    return {
        "ids": i64(ids),
        "logits": out.logits[0],
        "greedy": i64(new),
        "n_prompt": i64([n_prompt]),
        "smallest_margin": torch.tensor([margin]),
        "hidden_states": stream,
        "attentions": torch.stack([a[0] for a in out.attentions]),
    }


def small():
    for name, case in SMALL.items():
        config = GPT2Config(**case["config"], resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None,
                            eos_token_id=None, architectures=["GPT2LMHeadModel"], attn_implementation="eager")
        for seed in range(500):
            generator = torch.Generator().manual_seed(seed)
            model = GPT2LMHeadModel(config).eval()
            randomise(model, generator, 1.5)
            # The reference uses the weights as rounded for the file.
            model.to(case["dtype"]).to(torch.float32)
            model.tie_weights()
            t = config.n_positions
            ids = torch.randint(config.vocab_size, (t,), generator=generator).tolist()
            n_prompt = 1 if t < 20 else 5
            reference = hf_reference(model, ids, n_prompt, min(t - n_prompt, 24))
            if reference is not None:
                break
        else:
            raise SystemExit(f"{name}: no seed gives clear margins")
        config_json = config.to_dict()
        for key in ("attn_implementation", "_attn_implementation", "transformers_version", "dtype"):
            config_json.pop(key, None)
        keep(FIXTURES / name, config_json, weights(model, case["dtype"], case["prefix"]), reference)


# --- The textbook GPT -------------------------------------------------------------------------------------------------


class TextbookBlock(nn.Module):
    """Post-LayerNorm, as in the original transformer: normalise after each residual add."""

    def __init__(self, n_embd, n_head, n_inner):
        super().__init__()
        self.attn = nn.MultiheadAttention(n_embd, n_head, batch_first=True)
        self.norm1 = nn.LayerNorm(n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, n_inner), nn.ReLU(), nn.Linear(n_inner, n_embd))
        self.norm2 = nn.LayerNorm(n_embd)

    def forward(self, x):
        t = x.size(1)
        mask = torch.triu(torch.ones(t, t, dtype=torch.bool), diagonal=1)
        y, probabilities = self.attn(x, x, x, attn_mask=mask, need_weights=True, average_attn_weights=False)
        x = self.norm1(x + y)
        return self.norm2(x + self.mlp(x)), probabilities


class TextbookGPT(nn.Module):
    def __init__(self, vocab_size, n_ctx, n_embd, n_head, n_inner, n_layer):
        super().__init__()
        self.tok_embed = nn.Embedding(vocab_size, n_embd)
        self.pos_embed = nn.Embedding(n_ctx, n_embd)
        self.blocks = nn.ModuleList(TextbookBlock(n_embd, n_head, n_inner) for _ in range(n_layer))
        self.norm = nn.LayerNorm(n_embd)
        self.head = nn.Linear(n_embd, vocab_size)

    def forward(self, ids):
        x = self.tok_embed(ids) + self.pos_embed(torch.arange(ids.size(1)))
        self.stream, self.probabilities = [x], []
        for block in self.blocks:
            x, probabilities = block(x)
            self.stream.append(x)
            self.probabilities.append(probabilities)
        return self.head(self.norm(x))

    def checkpoint(self):
        """The state dict in GPT-2's names, with linear layers of the blocks transposed to (in, out)."""
        out = {"wte.weight": self.tok_embed.weight, "wpe.weight": self.pos_embed.weight}
        for i, b in enumerate(self.blocks):
            for name, weight, bias in [
                ("attn.c_attn", b.attn.in_proj_weight.T, b.attn.in_proj_bias),
                ("attn.c_proj", b.attn.out_proj.weight.T, b.attn.out_proj.bias),
                ("mlp.c_fc", b.mlp[0].weight.T, b.mlp[0].bias),
                ("mlp.c_proj", b.mlp[2].weight.T, b.mlp[2].bias),
                ("ln_1", b.norm1.weight, b.norm1.bias),
                ("ln_2", b.norm2.weight, b.norm2.bias),
            ]:
                out[f"h.{i}.{name}.weight"], out[f"h.{i}.{name}.bias"] = weight, bias
        out |= {"ln_f.weight": self.norm.weight, "ln_f.bias": self.norm.bias}
        out |= {"lm_head.weight": self.head.weight, "lm_head.bias": self.head.bias}
        return {name: p.detach().contiguous() for name, p in out.items()}


def textbook(full, out):
    sizes = dict(vocab_size=5000, n_ctx=128, n_embd=256, n_head=4, n_inner=512, n_layer=4) if full else dict(
        vocab_size=61, n_ctx=19, n_embd=24, n_head=4, n_inner=40, n_layer=2)
    for seed in range(500):
        generator = torch.Generator().manual_seed(seed)
        # In train mode, with no dropout: eval mode may take a fused path with other rounding.
        model = TextbookGPT(**sizes)
        # The wide model averages its inputs away, so it gets louder embeddings and need not be as varied.
        randomise(model, generator, 1.5, embedding_std=1.0 if full else 0.5)
        ids = torch.randint(sizes["vocab_size"], (sizes["n_ctx"],), generator=generator).tolist()
        n_prompt = 3
        new, margin = greedy(model, ids[:n_prompt], 16)
        if margin > MIN_MARGIN and len(set(new)) >= (3 if full else 8):
            break
    else:
        raise SystemExit("textbook: no seed gives clear margins")
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0]
    config = {
        "activation_function": "relu", "bias": True, "bos_token_id": None, "eos_token_id": None,
        "final_layer_norm": True, "layer_norm_epsilon": 1e-5, "lm_head_bias": True, "model_type": "gpt_playground",
        "n_embd": sizes["n_embd"], "n_head": sizes["n_head"], "n_inner": sizes["n_inner"],
        "n_layer": sizes["n_layer"], "n_positions": sizes["n_ctx"], "norm_position": "post",
        "tie_word_embeddings": False, "vocab_size": sizes["vocab_size"],
    }
    keep(out, config, model.checkpoint(), {
        "ids": i64(ids), "logits": logits, "greedy": i64(new), "n_prompt": i64([n_prompt]),
        "smallest_margin": torch.tensor([margin]),
        "hidden_states": torch.stack([h[0].detach() for h in model.stream]),
        "attentions": torch.stack([p[0].detach() for p in model.probabilities]),
    })


def prove_textbook(program, backend, scratch):
    """Prints one line of evidence that `gpt logits` agrees with the full-size textbook model; exits with 1 if not."""
    textbook(True, scratch)
    expected = load_file(scratch / "reference.safetensors")
    ids = ",".join(map(str, expected["ids"].tolist()))
    out = scratch / "logits.safetensors"
    command = [program, "logits", "--model", str(scratch), "--backend", backend, "--ids", ids, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"gpt logits failed: {done.stderr.strip()}")
    logits, expected = load_file(out)["logits"], expected["logits"]
    if logits.shape != expected.shape:
        raise SystemExit(f"shape {tuple(logits.shape)} instead of {tuple(expected.shape)}")
    error = ((logits - expected).abs().max() / expected.abs().max()).item()
    # Written so that a NaN fails.
    if not error <= TOLERANCE:
        raise SystemExit(f"relative error {error:.2e} is over {TOLERANCE:.0e}")
    print(f"relative error {error:.1e} (limit {TOLERANCE:.0e}) over {len(expected)} tokens of the textbook GPT")


# --- The model that ships ---------------------------------------------------------------------------------------------


def ship(source):
    """A trained f32 model in HF layout -> www/models/storyteller with weights as f16. Tokenizer files are copied as they are."""
    out = SHIPPED / "storyteller"
    out.mkdir(parents=True, exist_ok=True)
    for name in ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]:
        if (source / name).exists() and not (out / name).exists():
            (out / name).write_bytes((source / name).read_bytes())
    tensors = load_file(source / "model.safetensors")
    largest = max(t.abs().max().item() for t in tensors.values())
    if not largest < 65504:
        raise SystemExit(f"a weight of {largest} does not fit f16")
    save_file({k: v.to(torch.float16) for k, v in tensors.items()}, out / "model.safetensors", metadata={"format": "pt"})
    print(f"{out}: {(out / 'model.safetensors').stat().st_size} bytes, largest weight {largest:.3f}")


def reference(ids_file):
    """Outputs of the shipped f16 weights in f32 arithmetic. `ids_file` holds the inputs ids0, ids1, ids2, ...; without
    it those of the present reference are used again. Long inputs keep every 16th row of logits; `rows<i>` says which."""
    out = FIXTURES / "storyteller"
    out.mkdir(parents=True, exist_ok=True)
    inputs = load_file(ids_file or out / "reference.safetensors")
    model = GPT2LMHeadModel.from_pretrained(SHIPPED / "storyteller", dtype=torch.float32, attn_implementation="eager")
    model.eval()
    tensors = {}
    for i in range(3):
        ids = inputs[f"ids{i}"].to(torch.int64)
        with torch.no_grad():
            logits = model(ids[None]).logits[0]
        rows = list(range(len(ids))) if len(ids) < 64 else list(range(15, len(ids), 16))
        tensors |= {f"ids{i}": ids, f"rows{i}": i64(rows), f"logits{i}": logits[rows].contiguous()}
    new, margin = greedy(lambda x: model(x).logits, tensors["ids0"].tolist(), 64)
    if margin < MIN_MARGIN:
        raise SystemExit(f"smallest margin {margin} is below {MIN_MARGIN}: choose another prompt")
    tensors |= {"greedy": i64(new), "smallest_margin": torch.tensor([margin])}
    save_file(tensors, out / "reference.safetensors")
    print(f"{out}: {(out / 'reference.safetensors').stat().st_size} bytes, smallest margin {margin:.4f}")


def index():
    """The manifest by which the page finds the models that ship, and checks what it downloaded."""
    folder = SHIPPED / "storyteller"
    config = json.loads((folder / "config.json").read_text())
    names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
    files = [folder / n for n in names if (folder / n).exists()]
    write_json(SHIPPED / "index.json", [{
        "id": "storyteller",
        "name": "Storyteller",
        "path": "storyteller",
        "guide": "guide.json",
        "description": "A small GPT-2 that writes simple stories in the manner of children's books. It learnt from sixteen of "
        "them and from 940 TinyStories. Some of those had broken punctuation, such as “canâ€™t” for “can't”, and at "
        "times it writes that too.",
        "description_zh": "一个小型 GPT-2，以儿童读物的笔调用英文写简单的故事。它学自十六本儿童读物和 940 个 TinyStories 故事；"
        "其中有些标点已损坏，例如把“can't”写成“canâ€™t”，它有时也会这样写。",
        "languages": ["en"],
        "license": "CC0-1.0",
        "n_params": sum(t.numel() for t in load_file(folder / "model.safetensors").values()),
        "n_ctx": config["n_positions"],
        "vocab_size": config["vocab_size"],
        "files": [{"name": f.name, "bytes": f.stat().st_size, "sha256": hashlib.sha256(f.read_bytes()).hexdigest()}
                  for f in files],
    }], ensure_ascii=False)
    print(SHIPPED / "index.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("small")
    p = commands.add_parser("textbook")
    p.add_argument("--full", action="store_true")
    p.add_argument("--out", type=Path)
    p = commands.add_parser("prove-textbook")
    p.add_argument("--gpt", required=True, help="the native program")
    p.add_argument("--backend", required=True, choices=["cpu", "gpu"])
    p.add_argument("--scratch", required=True, type=Path, help="a folder for the model and the outputs")
    commands.add_parser("ship").add_argument("source", type=Path)
    commands.add_parser("reference").add_argument("--ids", type=Path)
    commands.add_parser("index")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.command == "small":
        small()
    elif args.command == "textbook":
        if args.full and args.out is None:
            parser.error("textbook --full needs --out DIR: its weights are not committed")
        textbook(args.full, args.out or FIXTURES / "textbook")
    elif args.command == "prove-textbook":
        prove_textbook(args.gpt, args.backend, args.scratch)
    elif args.command == "ship":
        ship(args.source)
    elif args.command == "reference":
        reference(args.ids)
    else:
        index()


if __name__ == "__main__":
    main()
