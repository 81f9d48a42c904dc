"""The table of docs/benchmarks/serving.md."""

from benchmarks.tables.markdown import bold_largest, number, table

NETS = {"vgg": "VGG, default", "vgg16": "VGG16", "convnext": "ConvNeXt, default"}
RUNTIMES = {
    "model.predict": "`model.predict`",
    "SavedModel": "SavedModel",
    "litert": "LiteRT",
    "litert_dynamic": "8-bit weights",
    "litert_int8": "int8",
    "onnx": "ONNX Runtime",
}
LATENCY_BATCH, THROUGHPUT_BATCH = 1, 32


def serving(result: dict) -> str:
    """Latency of one image and images per second of batches, by network and runtime."""
    found = {(row["net"], row["batch"], row["runtime"]): row for row in result["rows"]}
    rows = []
    for net, label in NETS.items():
        latencies = [found[net, LATENCY_BATCH, runtime]["milliseconds"]["median"] for runtime in RUNTIMES]
        speeds = [found[net, THROUGHPUT_BATCH, runtime]["images_per_second"] for runtime in RUNTIMES]
        texts = [number(ms, 2 if ms < 1 else 1) for ms in latencies]
        rows.append([label, "1 image, ms", *bold_largest(texts, latencies, sign=-1)])
        rows.append(["", "images/s", *bold_largest([number(speed) for speed in speeds], speeds)])
    return table(["network", "", *RUNTIMES.values()], rows, left=2)
