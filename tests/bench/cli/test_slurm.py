"""A suite on a cluster: an array of units, one of them pre-empted, and the numbers of a laptop."""

import pytest

from tests.helpers import slurm
from tests.helpers.processes import make_world

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(tmp_path_factory):
    if reason := slurm.missing():
        pytest.skip(reason)
    with slurm.cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.mark.usefixtures("cluster")
def test_an_array_of_units_gives_the_results_of_a_local_run(tmp_path):
    world = make_world(tmp_path)
    status, printed = world.run("submit", "cluster", "--slurm", "partition=low", "--minutes", "30")
    assert status == 0, printed
    lines = [line for line in printed.splitlines() if line.startswith("job ")]
    # The second head waits for the stem that it shares with the first.
    assert ["array of 3" in line for line in lines] == [True, False, False]
    assert "array of 1" in lines[1]
    assert "report" in lines[2]
    stages = world.folder / "cluster" / "stages"
    slurm.wait_until(lambda: list(stages.glob("*/checkpoint.pt")), 300)
    slurm.call("sbatch", "-p", "high", "-n", "2", "-o", "/dev/null", "--wrap", "sleep 2")
    restarts = set()

    def all_ended():
        described = slurm.call("scontrol", "show", "job", "-o").splitlines()
        restarts.update(line for line in described if "Restarts=1" in line)
        return not slurm.call("squeue", "-h")

    slurm.wait_until(all_ended, 900)
    assert restarts, "nothing was pre-empted"
    assert world.run("run", "local", "--jobs", "1")[0] == 0
    assert world.results("cluster") == world.results("local")
    assert (world.folder / "cluster" / "reports" / "small" / "index.html").exists()
