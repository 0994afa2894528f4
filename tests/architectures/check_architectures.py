"""Tiny random models of every architecture, made and run by `transformers`: our logits must agree with its."""
import sys
import tempfile
from pathlib import Path

import oracle

oracle.need("torch", "numpy", "transformers", "safetensors")

import numpy
import torch
import transformers

# 4 layers of fp32 sums of 48 to 96 terms each lose about 1e-6; transformers rounds RoPE's angles to fp32, too.
TOLERANCE = 1e-4
# Without its window or scaling (CONTROLS) a model must differ by far more, or the check would be blind to them.
CONTROL = 1e-2
TOKENS = 61

COMMON = dict(vocab_size=200, hidden_size=48, intermediate_size=96, num_hidden_layers=4, num_attention_heads=6,
              num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2)
LLAMA31 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
               original_max_position_embeddings=64)
# Name: class of the configuration, its numbers, how the model is stored.
CASES = {
    "llama2": ("LlamaConfig", dict(num_key_value_heads=6, rms_norm_eps=1e-5), {}),
    "llama3": ("LlamaConfig", dict(rope_theta=5e5, rope_scaling=LLAMA31), {"gguf": "llama"}),
    "llama3_shards_bf16": ("LlamaConfig", dict(rope_theta=5e5), {"shard": "40KB", "dtype": torch.bfloat16}),
    "llama_linear": ("LlamaConfig", dict(rope_scaling=dict(rope_type="linear", factor=4.0)), {"gguf": "llama"}),
    "llama_biases": ("LlamaConfig", dict(attention_bias=True, mlp_bias=True), {"gguf": "llama"}),
    "smollm2": ("LlamaConfig", dict(tie_word_embeddings=True, rope_theta=1e5), {"gguf": "llama"}),
    "mistral": ("MistralConfig", dict(sliding_window=9, head_dim=16), {}),
    "mistral_full": ("MistralConfig", dict(sliding_window=None), {"gguf": "llama"}),
    "qwen2": ("Qwen2Config", dict(tie_word_embeddings=True, rope_theta=1e6), {"gguf": "qwen2"}),
    "qwen2_window": ("Qwen2Config", dict(use_sliding_window=True, sliding_window=9, max_window_layers=2), {}),
    "qwen3": ("Qwen3Config", dict(head_dim=16, rope_theta=1e6), {"gguf": "qwen3"}),
    "qwen3_biases": ("Qwen3Config", dict(head_dim=16, attention_bias=True), {}),
}

CONTROLS = {"llama3": dict(rope_scaling=None), "llama_linear": dict(rope_scaling=None),
            "mistral": dict(sliding_window=None), "qwen2_window": dict(use_sliding_window=False)}


def make(config_class, numbers, seed):
    """A model whose every parameter matters: attention is sharp, gains and biases are not trivial."""
    config = getattr(transformers, config_class)(**{**COMMON, **numbers})
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight"):
                parameter.copy_(1 + 0.3 * noise)
            elif name.endswith("bias"):
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(2 * noise / parameter.shape[-1] ** 0.5)
    return model.eval()


def interleaved(rows, heads):
    """Order of q and k rows in GGUF files of architecture llama."""
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


PARTS = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
         "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
         "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def gguf_tensors(model, architecture):
    config, tensors = model.config, {}
    for name, parameter in model.named_parameters():
        stem, _, suffix = name.rpartition(".")
        values = parameter.detach().numpy()
        if stem in WHOLE:
            tensors[f"{WHOLE[stem]}.{suffix}"] = values
            continue
        layer, part = stem.removeprefix("model.layers.").split(".", 1)
        if architecture == "llama" and part.endswith(("q_proj", "k_proj")):
            heads = config.num_attention_heads if part.endswith("q_proj") else config.num_key_value_heads
            values = interleaved(values, heads)
        tensors[f"blk.{layer}.{PARTS[part]}.{suffix}"] = values
    return tensors


def save_gguf(model, architecture, path):
    config, tensors = model.config, gguf_tensors(model, architecture)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    metadata = {"general.architecture": architecture}
    numbers = {"block_count": config.num_hidden_layers, "embedding_length": config.hidden_size,
               "feed_forward_length": config.intermediate_size, "attention.head_count": config.num_attention_heads,
               "attention.head_count_kv": config.num_key_value_heads, "attention.key_length": head_dim,
               "context_length": config.max_position_embeddings, "rope.freq_base": float(config.rope_theta),
               "attention.layer_norm_rms_epsilon": float(config.rms_norm_eps)}
    scaling = getattr(config, "rope_scaling", None) or {}
    if scaling.get("rope_type") == "linear":
        numbers.update({"rope.scaling.type": "linear", "rope.scaling.factor": float(scaling["factor"])})
    elif scaling:
        plain = config.rope_theta ** (-torch.arange(0, head_dim, 2) / head_dim)
        tensors["rope_freqs.weight"] = (plain / model.model.rotary_emb.inv_freq).numpy()
    metadata.update({f"{architecture}.{key}": value for key, value in numbers.items()})
    oracle.write_gguf(path, metadata, tensors)


def difference(found, expected):
    return float(numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected))


def reference(model, ids):
    with torch.no_grad():
        return model.double()(torch.tensor([ids])).logits[0].numpy()


def check(name, folder):
    config_class, numbers, stored = CASES[name]
    model = make(config_class, numbers, seed=sum(name.encode()))
    target = Path(folder, name)
    model.to(stored.get("dtype", torch.float32)).save_pretrained(target, max_shard_size=stored.get("shard", "1GB"))
    assert ("shard" in stored) == Path(target, "model.safetensors.index.json").exists(), "shards as wanted"
    model = transformers.AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32,
                                                              attn_implementation="eager")
    files = {"folder": target}
    if "gguf" in stored:
        files["gguf"] = Path(folder, name + ".gguf")
        save_gguf(model, stored["gguf"], files["gguf"])
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(COMMON["vocab_size"], (TOKENS,), generator=generator).tolist()
    expected = reference(model, ids)
    failures = 0
    for kind, path in files.items():
        for mode in ("logits", "cached"):
            raw = oracle.probe(mode, path, " ".join(map(str, ids)).encode())
            found = numpy.frombuffer(raw, "<f4").reshape(expected.shape)
            error = difference(found, expected)
            good = error < TOLERANCE
            failures += not good
            print(f"{'ok    ' if good else 'FAILED'} {name:20} {kind:7} {mode:7} relative error {error:.1e}")
    if name in CONTROLS:
        other = reference(make(config_class, {**numbers, **CONTROLS[name]}, seed=sum(name.encode())), ids)
        error = difference(other, expected)
        failures += error < CONTROL
        print(f"{'ok    ' if error >= CONTROL else 'BLIND '} {name:20} without {CONTROLS[name]}: {error:.1e}")
    return failures


def main():
    with tempfile.TemporaryDirectory() as folder:
        failures = sum(check(name, folder) for name in CASES)
    print(f"{len(CASES)} models, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
