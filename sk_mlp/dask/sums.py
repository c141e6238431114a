"""What is summed on a worker while a network is trained, in an order that the blocks alone set."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sk_mlp._network.network import Network
from sk_mlp._network.objective import RowSum
from sk_mlp.dask.blocks import Shard

Span = tuple[int, int]  # blocks start:stop


def total(span: Span, known: dict[Span, np.ndarray]) -> np.ndarray:
    """Sum over a span of blocks, from the sums over the parts of it that are known.

    A span is halved until its parts are known. So the order of the additions, and with it
    every bit of the sum, depends on the blocks alone and not on who holds which of them.
    """
    if span in known:
        return known[span]
    start, stop = span
    middle = (start + stop) // 2
    return np.asarray(total((start, middle), known) + total((middle, stop), known))


def subtotals(held: Span, span: Span, known: dict[Span, np.ndarray]) -> dict[Span, np.ndarray]:
    """Add up the blocks held, to the fewest sums from which `total` can go on."""
    start, stop = span
    if held[1] <= start or stop <= held[0]:
        return {}
    if held[0] <= start and stop <= held[1]:
        return {span: total(span, known)}
    middle = (start + stop) // 2
    return subtotals(held, (start, middle), known) | subtotals(held, (middle, stop), known)


class ShardSums:
    """Sums over the rows of a shard; lives on a worker.

    Parameters
    ----------
    shard : dict of int to Data or None
        Consecutive blocks.
    n_blocks : int
        Number of all blocks.
    network : Network
    n_threads : int
        Blocks to work on at a time.
    """

    def __init__(self, shard: Shard, n_blocks: int, network: Network, n_threads: int) -> None:
        self.blocks = {
            number: None if data is None else RowSum(network, data.rows())
            for number, data in shard.items()
        }
        self.n_blocks, self.n_threads = n_blocks, n_threads

    def loss_gradient(self, params: np.ndarray) -> dict[Span, np.ndarray]:
        """Loss sum, weight sum and gradient sum as one vector, by spans of blocks."""

        def sums(block: RowSum | None) -> np.ndarray:
            if block is None:
                return np.zeros(2 + len(params))
            loss, gradient, weight = block.loss_gradient(params)
            return np.concatenate([[loss, weight], gradient])

        with ThreadPoolExecutor(self.n_threads) as pool:
            of_blocks = list(pool.map(sums, self.blocks.values()))
        known = {(i, i + 1): of_block for i, of_block in zip(self.blocks, of_blocks, strict=True)}
        return subtotals((min(self.blocks), max(self.blocks) + 1), (0, self.n_blocks), known)
