#!/usr/bin/env python3
"""Makes tests/fixtures/training/*: what PyTorch's autograd and AdamW and Hugging Face PEFT's LoRA make of small models.

    python scripts/training_fixtures.py

Made with torch 2.15.0, transformers 5.23.0, peft 0.21.2 on one CPU thread, all in f32 without dropout; README.md in that folder
says what each file holds. The script refuses to write fixtures whose own rounding (f32 against f64) comes near the
tolerance of the tests that use them.
"""

import copy
import json
import math
import shutil
import zipfile
from pathlib import Path

import torch
from model_fixtures import TextbookGPT, save_file, weights, write_json
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "tests/fixtures/models"
OUT = ROOT / "tests/fixtures/training"
IGNORE = -100
# A tenth of what the tests allow.
LARGEST_ROUNDING = 1e-4

BASE = dict(lr=1e-3, schedule="constant", warmup=0, min_lr=0.0, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1,
            grad_clip=1.0, grad_accum=1, steps=20)
RUNS = {
    "constant": BASE,
    "cosine": BASE | dict(schedule="cosine", warmup=5, min_lr=1e-4),
    "accumulate": BASE | dict(grad_accum=2, steps=10),
    "unclipped": BASE | dict(grad_clip=0.0, weight_decay=0.0, beta2=0.999),
}


# --- Training ---------------------------------------------------------------------------------------------------------


def learning_rate(step, o):
    """nanoGPT's get_lr, `step` counted from 0, with lr_decay_iters = steps."""
    if o["schedule"] == "constant":
        return o["lr"]
    if step < o["warmup"]:
        return o["lr"] * (step + 1) / (o["warmup"] + 1)
    ratio = (step - o["warmup"]) / (o["steps"] - o["warmup"])
    return o["min_lr"] + 0.5 * (1 + math.cos(math.pi * ratio)) * (o["lr"] - o["min_lr"])


def loss_sum(logits_of, inputs, targets):
    logits = logits_of(inputs)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")


def train(model, logits_of, inputs, targets, o):
    """Losses before each update and gradient norms before clipping. Step k uses batches k*grad_accum and those that follow;
    its loss is the mean over all targets of the step that are not ignored."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": o["weight_decay"]},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW([g for g in groups if g["params"]], lr=o["lr"], betas=(o["beta1"], o["beta2"]), eps=o["eps"])
    losses, norms, rates = [], [], []
    for step in range(o["steps"]):
        rates.append(learning_rate(step, o))
        for group in optimiser.param_groups:
            group["lr"] = rates[-1]
        micro = range(step * o["grad_accum"], (step + 1) * o["grad_accum"])
        n = sum((targets[i] != IGNORE).sum().item() for i in micro)
        total = 0.0
        for i in micro:
            loss = loss_sum(logits_of, inputs[i], targets[i]) / n
            loss.backward()
            total += loss.item()
        norms.append(torch.nn.utils.clip_grad_norm_(trained, o["grad_clip"] or math.inf).item())
        losses.append(total)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return {"losses": losses, "grad_norms": norms, "learning_rates": rates}


def gradients(model, inputs, targets, logits_of):
    """A copy of the model that holds the first step's gradients, before clipping, where its weights were."""
    model.zero_grad(set_to_none=True)
    (loss_sum(logits_of, inputs[0], targets[0]) / (targets[0] != IGNORE).sum()).backward()
    held = copy.deepcopy(model)
    with torch.no_grad():
        for p, q in zip(held.parameters(), model.parameters(), strict=True):
            if q.requires_grad:
                p.copy_(q.grad)
    model.zero_grad(set_to_none=True)
    return held


def batches(vocab_size, b, t, n, seed):
    """Text with structure, so that losses fall: each token follows from the last one, with noise. Targets are ignored here and
    there, unevenly: single ones, the end of a row as in padding, and, in one batch, a whole row."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(vocab_size, (n, b, t + 1), generator=generator)
    noise = torch.rand((n, b, t + 1), generator=generator)
    for i in range(1, t + 1):
        ids[:, :, i] = torch.where(noise[:, :, i] < 0.8, (ids[:, :, i - 1] * 5 + 3) % vocab_size, ids[:, :, i])
    inputs, targets = ids[:, :, :-1].clone(), ids[:, :, 1:].clone()
    targets[::3, 0, 2] = IGNORE
    targets[1::4, b - 1, t - 5 :] = IGNORE
    targets[0, 1, 4:7] = IGNORE
    targets[3, 0, :] = IGNORE
    return {"inputs": inputs.contiguous(), "targets": targets.contiguous()}


# --- Checks and files -------------------------------------------------------------------------------------------------


def rounding(a, b):
    return ((a.double() - b.double()).abs().max() / b.double().abs().max().clamp_min(1e-30)).item()


def check(name, f32, f64):
    """Refuses a tensor whose value depends on rounding. A gradient that is zero but for rounding (the key bias) may."""
    if f64.abs().max() < 1e-10:
        assert f32.abs().max() < 1e-7, f"{name}: {f32.abs().max()} instead of zero"
    else:
        assert rounding(f32, f64) < LARGEST_ROUNDING, f"{name}: f32 and f64 differ by {rounding(f32, f64):.1e}"


def kept_weights(tensors):
    """A few tensors of each kind. Not the biases of attention: Adam makes steps of full size of the key bias's rounding."""
    wanted = ("wte.weight", "wpe.weight", "h.0.ln_1.weight", "h.0.attn.c_proj.weight", "h.0.mlp.c_proj.bias", "ln_f.bias",
              "lm_head.bias", "h.0.attn.c_attn.lora_A.weight", "h.1.mlp.c_proj.lora_B.weight", "h.1.attn.c_proj.lora_B.weight")
    return {name: t for name, t in tensors.items() if name.endswith(wanted)}


def fixture(out, model, data, tensors_of, logits_of):
    """Writes gradients, losses, and weights after the run `constant`. `tensors_of(model)` names a model's trained tensors,
    `logits_of(model)` gives its forward function."""
    out.mkdir(parents=True, exist_ok=True)
    inputs, targets = data["inputs"], data["targets"]
    wide = copy.deepcopy(model).double()
    found = tensors_of(gradients(model, inputs, targets, logits_of(model)))
    exact = tensors_of(gradients(wide, inputs, targets, logits_of(wide)))
    for name, g in found.items():
        # The middle third of c_attn's bias is the key's, alone exactly zero; the tensor as a whole has a scale.
        check(f"{out.name}: gradient of {name}", g, exact[name])
    save_file(found, out / "gradients.safetensors")
    results = {}
    for run, options in RUNS.items():
        trained, trained_wide = copy.deepcopy(model), copy.deepcopy(wide)
        result = train(trained, logits_of(trained), inputs, targets, options)
        wider = train(trained_wide, logits_of(trained_wide), inputs, targets, options)
        for what in ("losses", "grad_norms"):
            for step, (a, b) in enumerate(zip(result[what], wider[what], strict=True)):
                assert abs(a - b) < LARGEST_ROUNDING * b, f"{out.name}, {run}, step {step}: {what} {a} in f32, {b} in f64"
        results[run] = {"options": options} | result
        if run == "constant":
            kept = kept_weights(tensors_of(trained))
            for name, t in kept_weights(tensors_of(trained_wide)).items():
                check(f"{out.name}: {name} after the run", kept[name], t)
            save_file(kept, out / "weights.safetensors")
        print(f"{out.name:18} {run:11} loss {result['losses'][0]:.4f} -> {result['losses'][-1]:.4f}, "
              f"norm {result['grad_norms'][0]:.3f} -> {result['grad_norms'][-1]:.3f}, "
              f"rounding {max(abs(a - b) / b for a, b in zip(result['losses'], wider['losses'], strict=True)):.1e}")
    # One line a list: readable, and small.
    text = json.dumps(results, indent=1, sort_keys=True)
    lines, depth = [], 0
    for line in text.splitlines():
        if depth:
            lines[-1] += line.strip() if line.strip().startswith("]") else line.strip().replace(",", ", ")
        else:
            lines.append(line)
        depth += line.count("[") - line.count("]")
    (out / "losses.json").write_text("\n".join(lines) + "\n")


# --- The models -------------------------------------------------------------------------------------------------------


def hf_logits(model):
    return lambda ids: model(ids).logits


def hf_tensors(model):
    return weights(model, next(model.parameters()).dtype, prefix=False)


def gpt2_tanh():
    """The model of tests/fixtures/models/gpt2-tanh-f32: tanh GELU, head tied to the token embedding."""
    model = GPT2LMHeadModel.from_pretrained(MODELS / "gpt2-tanh-f32", attn_implementation="eager")
    out = OUT / "gpt2-tanh"
    out.mkdir(parents=True, exist_ok=True)
    # One position less than the context holds, so that one row of wpe has no gradient.
    data = batches(97, 3, 32, 20, seed=1)
    save_file(data, out / "batches.safetensors")
    fixture(out, model, data, hf_tensors, hf_logits)


def gpt2_erf_untied():
    """GELU by the error function, a head of its own, one layer; at nanoGPT's initialisation, as when training from scratch."""
    out = OUT / "gpt2-erf-untied"
    out.mkdir(parents=True, exist_ok=True)
    config = GPT2Config(vocab_size=59, n_embd=24, n_head=2, n_layer=1, n_positions=16, activation_function="gelu",
                        tie_word_embeddings=False, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None,
                        eos_token_id=None, architectures=["GPT2LMHeadModel"], attn_implementation="eager")
    model = GPT2LMHeadModel(config)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 2:
                p.copy_(torch.randn(p.shape, generator=generator) * (0.02 / math.sqrt(2) if "c_proj" in name else 0.02))
    config_json = config.to_dict()
    for key in ("attn_implementation", "_attn_implementation", "transformers_version", "dtype"):
        config_json.pop(key, None)
    write_json(out / "config.json", config_json)
    save_file(weights(model, torch.float32, prefix=True), out / "model.safetensors", metadata={"format": "pt"})
    data = batches(59, 4, 16, 20, seed=3)
    save_file(data, out / "batches.safetensors")
    fixture(out, model, data, hf_tensors, hf_logits)


def textbook_logits(model):
    def logits(ids):
        result = model(ids)
        # Kept for inspection, in the way when the model is copied.
        model.stream, model.probabilities = [], []
        return result

    return logits


def textbook():
    """The model of tests/fixtures/models/textbook: post-LayerNorm, ReLU, a head with a bias, by plain torch modules."""
    model = TextbookGPT(vocab_size=61, n_ctx=19, n_embd=24, n_head=4, n_inner=40, n_layer=2)
    start = load_file(MODELS / "textbook/model.safetensors")
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        # `checkpoint` copies what it transposes, so the weights are put back by the same names.
        pairs = {"tok_embed.weight": "wte.weight", "pos_embed.weight": "wpe.weight", "norm.weight": "ln_f.weight",
                 "norm.bias": "ln_f.bias", "head.weight": "lm_head.weight", "head.bias": "lm_head.bias"}
        for i in range(2):
            for ours, theirs in [("attn.in_proj_", "attn.c_attn."), ("attn.out_proj.", "attn.c_proj."), ("mlp.0.", "mlp.c_fc."),
                                 ("mlp.2.", "mlp.c_proj."), ("norm1.", "ln_1."), ("norm2.", "ln_2.")]:
                for kind in ("weight", "bias"):
                    pairs[f"blocks.{i}.{ours}{kind}"] = f"h.{i}.{theirs}{kind}"
        for name, p in model.named_parameters():
            source = start[pairs[name]]
            transposed = name.startswith("blocks") and p.dim() == 2
            p.copy_(source.T if transposed else source)
    assert all(torch.equal(t, start[name]) for name, t in model.checkpoint().items())
    out = OUT / "textbook"
    out.mkdir(parents=True, exist_ok=True)
    data = batches(61, 3, 19, 20, seed=4)
    save_file(data, out / "batches.safetensors")
    fixture(out, model, data, lambda m: m.checkpoint(), textbook_logits)


# --- LoRA -------------------------------------------------------------------------------------------------------------

TARGETS = ["attn.c_proj", "c_attn", "c_fc", "mlp.c_proj"]


def lora_tensors(model):
    """The adapter's tensors by the names of PEFT's files."""
    return {name.replace(".default.", "."): p.detach().clone() for name, p in model.named_parameters() if "lora_" in name}


def save_adapter(model, folder):
    if folder.exists():
        shutil.rmtree(folder)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    # PEFT writes a set, in any order.
    config["target_modules"].sort()
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (folder / "adapter_model.safetensors").chmod(0o644)
    stored = load_file(folder / "adapter_model.safetensors")
    assert all(torch.equal(stored[name], t) for name, t in lora_tensors(model).items()) and len(stored) == 16


def lora():
    """PEFT's LoRA on all four linear layers of tests/fixtures/models/gpt2-tanh-f32, rank 4, alpha 8."""
    base = str((MODELS / "gpt2-tanh-f32").relative_to(ROOT))
    data = load_file(OUT / "gpt2-tanh/batches.safetensors")
    for name, with_b in [("lora-fresh", False), ("lora", True)]:
        model = GPT2LMHeadModel.from_pretrained(ROOT / base, attn_implementation="eager")
        config = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=TARGETS, fan_in_fan_out=True, bias="none",
                            task_type="CAUSAL_LM", base_model_name_or_path=base)
        model = get_peft_model(model, config)
        model.peft_config["default"].base_model_name_or_path = base
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for key, p in sorted(model.named_parameters()):
                if "lora_A" in key:
                    # PEFT's kaiming_uniform_(a=sqrt(5)), from a generator of our own.
                    bound = 1 / math.sqrt(p.shape[1])
                    p.copy_((2 * torch.rand(p.shape, generator=generator) - 1) * bound)
                elif "lora_B" in key:
                    assert not p.any()
                    if with_b:
                        p.copy_(0.2 * torch.randn(p.shape, generator=generator))
        out = OUT / name
        save_adapter(model, out)
        # GPT2LMHeadModel's parameters are found below two wrappers; its frozen ones keep requires_grad False.
        fixture(out, model, data, lora_tensors, hf_logits)
        if with_b:
            ids = data["inputs"][0, :1]
            loaded = PeftModel.from_pretrained(GPT2LMHeadModel.from_pretrained(ROOT / base, attn_implementation="eager"), out)
            plain = GPT2LMHeadModel.from_pretrained(ROOT / base, attn_implementation="eager").eval()
            with torch.no_grad():
                logits = loaded.eval()(ids).logits[0]
                assert rounding(plain(ids).logits[0], logits) > 0.1, "the adapter changes too little to prove anything"
                merged = loaded.merge_and_unload()
                assert rounding(merged(ids).logits[0], logits) < 1e-5
            tensors = hf_tensors(merged)
            save_file({
                "ids": ids[0].contiguous(), "logits": logits,
                "merged.h.0.attn.c_attn.weight": tensors["h.0.attn.c_attn.weight"],
                "merged.h.1.mlp.c_proj.weight": tensors["h.1.mlp.c_proj.weight"],
            }, out / "reference.safetensors")


# --- The archive ------------------------------------------------------------------------------------------------------


def stored_zip():
    """What Python's zipfile makes of three small files, without compression."""
    with zipfile.ZipFile(OUT / "stored.zip", "w", zipfile.ZIP_STORED) as archive:
        for name, data in [("config.json", b"{}\n"), ("folder/empty.txt", b""), ("mod\u00e8le.bin", bytes(range(256)) * 5)]:
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, data)


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # The modules' own initialisation, which is overwritten, draws from the global generator.
    torch.manual_seed(0)
    gpt2_tanh()
    gpt2_erf_untied()
    textbook()
    lora()
    stored_zip()
    print(f"{sum(f.stat().st_size for f in OUT.rglob('*') if f.is_file())} bytes in all")


if __name__ == "__main__":
    main()
