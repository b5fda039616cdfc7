"""A cluster of one machine, each of whose nodes has a store folder of its own.

It is a process of its own, so that Ray's files, signals and sockets are not those of the tests. It
prints its address, obeys the lines ``kill NUMBER`` of a node, and ends with its standard input.

    python cluster_process.py FOLDER NODES [GPUS MEMORY]

With the last two, each node seems to have so many GPUs of so many bytes.
"""

import os
import sys
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

SMALL = {"object_store_memory": 80 * 2**20}


def main(folder: Path, count: int, gpus: int = 0, memory: int = 0) -> None:
    """Start the cluster; its head has no processors for steps."""
    head = {"num_cpus": 0, "include_dashboard": False, **SMALL}
    if gpus:
        # Ray gives out what it sees itself.
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(gpus)))
    fakes = {"W2S_FAKE_DEVICES": f"cuda:{gpus}:{memory}"} if gpus else {}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        nodes = [
            cluster.add_node(
                num_cpus=1,
                num_gpus=gpus,
                wait=False,
                env_vars={"W2S_STORE": str(folder / f"node{i}"), **fakes},
                **SMALL,
            )
            for i in range(count)
        ]
        cluster.wait_for_nodes()
        print(f"address {cluster.address}", flush=True)
        for line in sys.stdin:
            cluster.remove_node(nodes[int(line.split()[1])], allow_graceful=False)
            print("killed", flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
