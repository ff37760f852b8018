"""Elementwise operations of torch: microseconds of the fastest call, as JSON. Arguments: threads, then numbers of elements."""

import json
import sys
import time

import torch


def least(run, seconds=0.15):
    best, end, calls = float("inf"), time.perf_counter() + seconds, 0
    while calls < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        calls += 1
    return 1e6 * best


def measure(n):
    columns = round(n**0.5)
    rows = max(1, n // columns)
    x, y = torch.randn(rows, columns), torch.randn(rows, columns)
    positive, row, column = x.abs() + 0.1, x[:1].clone(), x[:, :1].clone()
    out = torch.empty_like(x)
    softplus, gelu = torch.nn.functional.softplus, torch.nn.functional.gelu
    kinds = {
        "x + y": lambda: torch.add(x, y, out=out),
        "a x + b y": lambda: torch.add(x, y, alpha=0.3, out=out),
        "x + row": lambda: torch.add(x, row, out=out),
        "x * column": lambda: torch.mul(x, column, out=out),
        "sum": lambda: x.sum(),
        "sum of rows": lambda: x.sum(1),
        "sum of columns": lambda: x.sum(0),
        "dot": lambda: torch.dot(x.view(-1), y.view(-1)),
        "max of rows": lambda: x.amax(1),
        "relu": lambda: torch.relu(x),
        "sqrt": lambda: torch.sqrt(positive, out=out),
        "exp": lambda: torch.exp(x, out=out),
        "log": lambda: torch.log(positive, out=out),
        "tanh": lambda: torch.tanh(x, out=out),
        "sigmoid": lambda: torch.sigmoid(x, out=out),
        "softplus": lambda: softplus(x),
        "gelu": lambda: gelu(x),
        "softmax": lambda: torch.softmax(x, 1),
        "transpose": lambda: out.view(columns, rows).copy_(x.t()),
    }
    return {kind: least(run) for kind, run in kinds.items()}


threads, *sizes = map(int, sys.argv[1:])
torch.set_num_threads(threads)
print(json.dumps({n: measure(n) for n in sizes}))
