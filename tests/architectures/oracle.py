"""What the two checks share: missing packages, the probe, models written as files."""
import importlib.util
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77


def need(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        print(f"skipped: {sys.executable} has no package {', '.join(missing)} (bash resources/setup.sh --tests)")
        sys.exit(SKIPPED)


def probe(mode, model, given):
    """Output bytes of the probe for one model and input bytes; fails with the probe's own message."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.write_bytes(given)
        done = subprocess.run([sys.argv[1], mode, model, source, target], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"probe {mode} {model}: exit {done.returncode}: {done.stderr.strip()}")
        return target.read_bytes()


def _string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value):
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    return struct.pack("<II", 4, value)


def write_gguf(path, metadata, tensors):
    """GGUF v3 with F32 tensors (numpy arrays by name)."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += _string(key) + _value(value)
    data = b""
    for name, array in tensors.items():
        extents = array.shape[::-1]
        head += _string(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, 0, len(data))
        raw = array.astype("<f4").tobytes()
        data += raw + bytes(-len(raw) % 32)
    Path(path).write_bytes(head + bytes(-len(head) % 32) + data)
