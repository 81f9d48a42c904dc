"""The nets of `benchmarks.throughput` in PyTorch, as its tutorials write them; run by that benchmark.

python -m benchmarks.throughput_torch NET eager|channels_last|bfloat16|compile EPOCHS STEPS
"""

import sys
import time

import torch
from torch import nn

from benchmarks.nets import BATCH, CLASSES, CONVNEXT_BLOCKS, CONVNEXT_WIDTH, VGG6, VGG16


def vgg(blocks, dense):
    layers, channels = [], 3
    for widths in blocks:
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    units = channels * (32 >> len(blocks)) ** 2
    layers.append(nn.Flatten())
    for width in dense:
        layers += [nn.Linear(units, width), nn.BatchNorm1d(width), nn.ReLU()]
        units = width
    return nn.Sequential(*layers, nn.Linear(units, CLASSES))


class ConvNeXtBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand, self.reduce = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.scale = nn.Parameter(1e-6 * torch.ones(width))

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.reduce(nn.functional.gelu(self.expand(y)))
        return x + y.permute(0, 3, 1, 2)


class Head(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.predictions = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, CLASSES)

    def forward(self, x):
        return self.predictions(self.norm(x.mean((2, 3))))


def convnext():
    blocks = [ConvNeXtBlock(CONVNEXT_WIDTH) for _ in range(CONVNEXT_BLOCKS)]
    return nn.Sequential(nn.Conv2d(3, CONVNEXT_WIDTH, 2, 2), *blocks, Head(CONVNEXT_WIDTH))


NETS = {"vgg6": lambda: vgg(VGG6, [128]), "vgg16": lambda: vgg(VGG16, []), "convnext": convnext}


def main(net: str, kind: str, epochs: int, steps: int) -> None:
    torch.manual_seed(0)
    model = NETS[net]()
    channels_last = kind != "eager"
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    run = torch.compile(model) if kind == "compile" else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    images = torch.randint(0, 256, (steps * BATCH[net], 3, 32, 32), dtype=torch.uint8)
    labels = torch.randint(0, CLASSES, (len(images),))
    for epoch in range(epochs):
        started = time.perf_counter()
        for index in torch.randperm(len(images)).split(BATCH[net]):
            x, y = images[index].float() / 255, labels[index]
            if channels_last:
                x = x.to(memory_format=torch.channels_last)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=kind == "bfloat16"):
                scores = run(x)
            nn.functional.cross_entropy(scores.float(), y).backward()
            optimizer.step()
        if epoch:
            print(len(images) / (time.perf_counter() - started), flush=True)


def matmul(dtype: torch.dtype, side: int = 2048) -> float:
    """GFLOP/s of a product of square matrices: the best of twenty, of BLAS and of oneDNN (as a 1x1 convolution)."""
    a, b = torch.randn(side, side).to(dtype), torch.randn(side, side).to(dtype)
    image = a.T.reshape(1, side, 32, -1).contiguous(memory_format=torch.channels_last)
    kernel, times = b[:, :, None, None], []
    for _ in range(20):
        for product in (lambda: a @ b, lambda: nn.functional.conv2d(image, kernel)):
            started = time.perf_counter()
            product()
            times.append(time.perf_counter() - started)
    return 2e-9 * side**3 / min(times)


if __name__ == "__main__":
    if sys.argv[1] == "matmul":
        print(matmul(getattr(torch, sys.argv[2])))
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
