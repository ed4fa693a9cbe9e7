"""The README's recipes for sweeps: its file is read, its options exist, its certificates encrypt."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import sptlab
from sims.experiments import EXPERIMENTS
from sims.sweeps.grid import configurations
from tests.readme.test_readme import README, blocks

SLURM, CERTIFICATE = blocks(README, "bash")
SECURE_CLUSTER = """
import distributed
from sims.sweeps import cluster
if __name__ == "__main__":
    options = {"host": "127.0.0.1", "dashboard_address": None, "n_workers": 1, "silence_logs": 50}
    with distributed.LocalCluster(**options, protocol="tls://", security=distributed.Security()) as started:
        with cluster.connected(started.scheduler_address) as client:
            print(started.scheduler_address, client.submit(sum, [2, 3]).result())
"""


def test_the_readmes_sweep_is_read(tmp_path):
    (content,) = blocks(README, "toml")
    (tmp_path / "phase.toml").write_text(content)
    found = configurations(tmp_path / "phase.toml", EXPERIMENTS["blindness"].Config(), 0)
    assert len(found) == 3 * (3 * 3 + 1)


@pytest.mark.heavy
def test_every_command_of_the_slurm_recipe_is_understood():
    lines = [shlex.split(line.rstrip("&")) for line in SLURM.splitlines() if not line.startswith("#")]
    (command,) = (line for line in lines if line[0] == "sptlab")
    sptlab.parse(command[1:])
    for words, program in ((["dask"], "scheduler"), (["srun", "dask"], "worker")):
        (command,) = (line for line in lines if line[: len(words) + 1] == [*words, program])
        options = {word for word in command if word.startswith("--")}
        asked = [sys.executable, "-m", "distributed.cli.dask_" + program, "--help"]
        helped = subprocess.run(asked, capture_output=True, text=True).stdout
        assert options | ({"--resources"} if program == "worker" else set()) <= set(
            re.findall(r"--[\w-]+", helped)
        )


@pytest.mark.heavy
@pytest.mark.skipif(not shutil.which("openssl"), reason="the recipe needs openssl")
def test_a_cluster_with_the_readmes_certificate_is_encrypted(tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "DASK_CONFIG": str(tmp_path / ".sptlab-dask")}
    subprocess.run(["bash", "-ec", CERTIFICATE], env=environment, check=True, capture_output=True)
    assert (tmp_path / ".sptlab-dask").stat().st_mode & 0o077 == 0
    script = tmp_path / "secure.py"
    script.write_text(SECURE_CLUSTER)
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True)
    assert re.fullmatch(r"tls://127\.0\.0\.1:\d+ 5\n", done.stdout), done.stderr
