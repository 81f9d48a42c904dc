"""Which precision this hardware is fast at."""

from pathlib import Path

import tensorflow as tf


def fastest_precision() -> str:
    """`mixed_bfloat16` where the slowest device has bfloat16 instructions, `mixed_float16` for GPUs with
    float16 tensor cores only, else `float32`.

    NVIDIA's compute capability 8.0 (Ampere) brought bfloat16, 7.0 (Volta) float16; x86 processors have it with
    avx512_bf16 or amx_bf16. Without these, half precision is emulated and slower.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "mixed_bfloat16" if _processor_flags() & {"avx512_bf16", "amx_bf16"} else "float32"
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capability = min(detail.get("compute_capability", (0, 0)) for detail in details)
    if capability >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if capability >= (7, 0) else "float32"


def _processor_flags() -> set[str]:
    """Instruction sets of the processor from /proc/cpuinfo; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return set(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))
