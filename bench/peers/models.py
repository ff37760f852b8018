"""The passes of bench/models.ts with PyTorch on as many CPU threads: median seconds of a forward and a backward pass.

    pip install -r requirements.txt && python models.py [threads] [names]

Memory is the most that the process has taken so far, and what it took before the passes: with one name, that of one network.
"""

import resource
import statistics
import sys
import time

import torch
from torch import nn

numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
names = [word for word in sys.argv[1:] if not word.isdigit()]
torch.set_num_threads(numbers[0] if numbers else 2)


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        conv = lambda c, d, s, k: nn.Sequential(nn.Conv2d(c, d, k, s, k // 2, bias=False), nn.BatchNorm2d(d))
        self.inner = nn.Sequential(conv(before, after, stride, 3), nn.ReLU(), conv(after, after, 1, 3))
        self.past = nn.Identity() if before == after and stride == 1 else conv(before, after, stride, 1)

    def forward(self, x):
        return torch.relu(self.inner(x) + self.past(x))


def resnet8():
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )


class Transformer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.inner = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        y = self.first(x)
        q, k, v = (f(y).unflatten(2, (self.heads, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.output(y.transpose(1, 2).flatten(2))
        return x + self.inner(self.second(x))


class Gpt(nn.Module):
    def __init__(self, vocabulary=65, context=128, width=128):
        super().__init__()
        self.words, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Transformer(width, 4) for _ in range(4)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, vocabulary))

    def forward(self, x):
        return self.head(self.blocks(self.words(x) + self.positions.weight)).transpose(1, 2)


def timed(run, warm_up=5, repeats=15):
    seconds = []
    for i in range(warm_up + repeats):
        begin = time.perf_counter()
        run()
        if i >= warm_up:
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


images = torch.rand(128, 1, 28, 28), torch.arange(128) % 10
text = torch.arange(32 * 128).reshape(32, 128) * 7
texts = text % 65, (text + 7) % 65
for name, make, (x, y) in [("lenet", lenet, images), ("resnet8", resnet8, images), ("gpt", Gpt, texts)]:
    if names and name not in names:
        continue
    before, net, loss = peak(), make(), nn.CrossEntropyLoss()

    def passes():
        net.zero_grad()
        loss(net(x), y).backward()

    print(f"{name}: forward + backward {1000 * timed(passes):.1f} ms, memory {peak():.0f} MB ({before:.0f} before)")
