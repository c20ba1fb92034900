"""What the proofs' scripts share: running the native program, and the measure of a difference."""

import json
import subprocess
import sys

from safetensors.torch import load_file

TOLERANCE = 1e-4


def gpt(program, *args, stdin=None):
    """Runs the program and returns its standard output as bytes; ends the proof where it fails."""
    command = [str(a) for a in (program, *args)]
    done = subprocess.run(command, input=stdin, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)[:200]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def gpt_json(program, *args, stdin=None):
    """As `gpt`, for commands that print one JSON value."""
    return json.loads(gpt(program, *args, stdin=stdin))


def gpt_tensors(program, out, model, backend, ids, *more):
    """The tensors that `gpt logits` writes."""
    ids = ",".join(map(str, ids))
    gpt(program, "logits", "--model", model, "--backend", backend, "--ids", ids, "--out", out, *more)
    return load_file(out)


def difference(name, got, want, limit=TOLERANCE):
    """max |a - b| / max |b|; ends the proof where the shapes differ or it passes the limit."""
    if got.shape != want.shape:
        sys.exit(f"{name} has shape {tuple(got.shape)} instead of {tuple(want.shape)}")
    error = ((got - want).abs().max() / want.abs().max()).item()
    # Written so that a NaN fails.
    if not error <= limit:
        sys.exit(f"{name}: relative error {error:.2e} is over {limit:.0e}")
    return error
