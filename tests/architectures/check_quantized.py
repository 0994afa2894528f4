"""Biases, head norms and windows through a saved quantized run: at 8 bits, with every rotation, it must stay close to
the full model."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import oracle

oracle.need("torch", "numpy", "transformers", "tokenizers", "sentencepiece")

import check_architectures
import check_tokenizers
import safetensors
import safetensors.torch
import torch

CASES = ["llama_biases", "mistral", "qwen2", "qwen3"]
SIZES = dict(vocab_size=600, hidden_size=64, num_attention_heads=4, num_key_value_heads=2, intermediate_size=128,
             head_dim=16)
# KL divergence from the full model, nats a token: 0.003 to 0.013 seen for the 8-bit errors of 4 layers of sharp random
# attention; above 1 when the saved bias of v is not rotated with its weight (shown for the models that have one).
LARGEST_KL = 0.06
WINDOWS = ["--max-windows", "10", "--threads", "1", "--json"]


def bdq(*arguments):
    done = subprocess.run([sys.argv[2], *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"bdq {arguments[0]}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def divergence(model, text, run):
    return bdq("eval", model, "--text", text, "--run", run, "--seq-len", 64, *WINDOWS)["kl"]


def unrotate_biases(model, run):
    """Puts the model's own biases of q, k, v into a saved run: the mistake that the check must see."""
    for layer, file in enumerate(sorted((run / "layers").glob("L*.safetensors"))):
        with safetensors.safe_open(file, "pt") as saved:
            metadata, tensors = saved.metadata(), {key: saved.get_tensor(key) for key in saved.keys()}
        attention = model.model.layers[layer].self_attn
        parts = [part.bias.detach() for part in (attention.q_proj, attention.k_proj, attention.v_proj)]
        tensors["qkv.bias"] = torch.cat(parts)
        safetensors.torch.save_file(tensors, file, metadata)


def check(name, folder):
    config_class, numbers, _ = check_architectures.CASES[name]
    model = check_architectures.make(config_class, {**numbers, **SIZES}, seed=3)
    path, run, text = folder / name, folder / (name + "-run"), folder / "text.txt"
    model.save_pretrained(path)
    if check_tokenizers.check_byte_level("smollm2", path) > 0:
        return 1
    text.write_text("The quick brown fox jumps over 13 lazy dogs; won't they bark? " * 300)
    bdq("run", path, "--out", run, "--scheme", "W8A8KV8", "--method", "bdq", "--preset", "fast", "--calibration", text,
        "--samples", 8, "--seq-len", 64, "--threads", 1, "--json")
    found = divergence(path, text, run)
    good = found < LARGEST_KL
    print(f"{'ok    ' if good else 'FAILED'} {name:14} KL {found:.4f} at W8A8KV8")
    if any(key.endswith("v_proj.bias") for key, _ in model.named_parameters()):
        unrotate_biases(model, run)
        wrong = divergence(path, text, run)
        good = good and wrong > 2 * LARGEST_KL
        print(f"{'ok    ' if wrong > 2 * LARGEST_KL else 'BLIND '} {name:14} KL {wrong:.4f} with v's bias unrotated")
    return 0 if good else 1


def main():
    with tempfile.TemporaryDirectory() as folder:
        failures = sum(check(name, Path(folder)) for name in CASES)
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
