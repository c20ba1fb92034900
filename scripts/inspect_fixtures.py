#!/usr/bin/env python3
"""Makes the references that the views' numbers are compared with, by PyTorch and Hugging Face transformers.

    python scripts/inspect_fixtures.py            tests/fixtures/models/*/inspect.safetensors, for each Hugging Face model there
                                                  and the model that ships

Tensors (log-probabilities in f32 from an f64 softmax; T tokens):
    ids             (T,)    i64
    attentions      (L, H, T, T)
    logprobs        (T-1,)       log-probability of each token after the first
    entropies       (T,)         of the distribution after each token, in nats
    ranks           (T-1,)  i64  how many tokens are likelier than the one that follows
    lens_logits     (L+1, V)     final LayerNorm and head on the residual stream at the last position: the embedding, then
                                 each block's output
    lens_logprobs   (L+1, T-1)   log-probability of the token that follows, by that lens
    mean_attention  (L, T, T)    over the heads
    rollout         (T, T)       attention rollout through all layers (Abnar and Zuidema 2020)
    ablated_logits  (L*(H+1), v) logits of the first 100 tokens of the vocabulary after the last token with one head (its output zeroed before c_proj) or one MLP (its
                                 output not added) switched off: for each layer the heads, then the MLP
    ablated_two     (v,)         with head 0 of layer 0 and the last layer's MLP off at once
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests/fixtures/models"
MODELS = {
    "gpt2-tanh-f32": FIXTURES / "gpt2-tanh-f32",
    "gpt2-erf-f16": FIXTURES / "gpt2-erf-f16",
    "gpt2-relu-bf16": FIXTURES / "gpt2-relu-bf16",
    "storyteller": ROOT / "www/models/storyteller",
}


def switched_off(model, units):
    """Hooks that zero a head's columns before c_proj (`head`), or a whole MLP's output (`None`)."""
    hooks = []
    width = model.config.n_embd // model.config.n_head
    for layer, head in units:
        block = model.transformer.h[layer]
        if head is None:
            hooks.append(block.mlp.register_forward_hook(lambda _m, _i, out: torch.zeros_like(out)))
            continue

        def zero(_module, args, head=head):
            x = args[0].clone()
            x[..., head * width : (head + 1) * width] = 0
            return (x,)

        hooks.append(block.attn.c_proj.register_forward_pre_hook(zero))
    return hooks


def last_logits(model, ids, units):
    hooks = switched_off(model, units)
    logits = model(ids).logits[0, -1]
    for hook in hooks:
        hook.remove()
    return logits[:100]


def rollout(mean_attention):
    flow = torch.eye(mean_attention.shape[-1])
    for layer in mean_attention:
        flow = (0.5 * layer + 0.5 * torch.eye(layer.shape[0])) @ flow
    return flow


@torch.no_grad()
def reference(path, ids):
    model = GPT2LMHeadModel.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    config = model.config
    # The last of transformers' hidden states has gone through ln_f already: the residual stream is taken by hooks.
    stream = []
    hooks = [model.transformer.h[0].register_forward_pre_hook(lambda _m, args: stream.append(args[0]))]
    for block in model.transformer.h:
        hooks.append(block.register_forward_hook(lambda _m, _i, out: stream.append(out[0] if isinstance(out, tuple) else out)))
    out = model(ids, output_attentions=True)
    for hook in hooks:
        hook.remove()
    logprobs = out.logits[0].double().log_softmax(-1)
    following = ids[0, 1:, None]
    chosen = logprobs[:-1].gather(1, following)
    lens = model.lm_head(model.transformer.ln_f(torch.stack([level.reshape(ids.shape[1], -1) for level in stream])))
    assert torch.allclose(lens[-1], out.logits[0], atol=1e-4), "the last level must be the model's own answer"
    assert ids.shape[1] <= 40, "attention maps of long texts make large files"
    attention = torch.stack(out.attentions)[:, 0]
    mean = attention.mean(1)
    units = [(l, h) for l in range(config.n_layer) for h in [*range(config.n_head), None]]
    f32 = lambda t: t.to(torch.float32).contiguous()
    return {
        "ids": ids[0],
        "attentions": f32(attention),
        "logprobs": f32(chosen[:, 0]),
        "entropies": f32(-(logprobs.exp() * logprobs).sum(-1)),
        "ranks": (logprobs[:-1] > chosen).sum(-1),
        "lens_logits": f32(lens[:, -1]),
        "lens_logprobs": f32(lens.double().log_softmax(-1)[:, :-1].gather(2, following.expand(lens.shape[0], -1, -1))[..., 0]),
        "mean_attention": f32(mean),
        "rollout": f32(rollout(mean)),
        "ablated_logits": f32(torch.stack([last_logits(model, ids, [unit]) for unit in units])),
        "ablated_two": f32(last_logits(model, ids, [(0, 0), (config.n_layer - 1, None)])),
    }


def main():
    for name, path in MODELS.items():
        given = load_file(FIXTURES / name / "reference.safetensors")
        ids = given.get("ids", given.get("ids2"))[None, :40]
        tensors = reference(path, ids)
        target = FIXTURES / name / "inspect.safetensors"
        save_file(tensors, target)
        target.chmod(0o644)
        print(name, {key: tuple(value.shape) for key, value in tensors.items()}, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
