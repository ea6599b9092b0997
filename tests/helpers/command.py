"""The main command on a small world."""

from bench.cli.main import main


def run(world, *options: str) -> int:
    return main(
        [
            "run",
            str(world.suite),
            "--data-root",
            str(world.root),
            "--output",
            str(world.output),
            *options,
        ]
    )
