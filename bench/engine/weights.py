"""Weights from files: released checkpoints converted, and stages loaded instead of trained.

A method package that knows released checkpoints has a ``convert.py`` with::

    def convert(checkpoints: Checkpoints, config: Config) -> Conversion

It gives the released tensors the method's own names; reading, checking and writing are the
same for all methods and done here. A file holds one stage; ``weights: {STAGE: FILE}`` in a
method's configuration puts it in the place of training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.core.errors import WeightsError
from bench.core.files import write_atomic
from bench.core.registry import load_converter, load_method, resolve_config
from bench.core.schema import DataSpec, MethodConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.core.method import Method


class StageFile(NamedTuple):
    """A stage's weights, written."""

    path: Path
    tensors: int
    parameters: int
    """Numbers in all tensors, statistics of norms included."""


class Converted(NamedTuple):
    """What became of checkpoints."""

    files: Mapping[str, StageFile]
    """By stage."""
    unmapped: tuple[str, ...]
    config: Mapping[str, Any]
    """What to set in a suite over the preset, the files included."""


def convert(
    adapter: str,
    checkpoints: Sequence[Path],
    preset: str,
    destination: Path,
    section: str | None = None,
) -> Converted:
    """Convert released checkpoints to one file a stage; nothing is written unless all fit.

    Args:
        adapter: the method's name.
        checkpoints: files of the method's official release.
        preset: whose sizes the checkpoints have.
        destination: the folder to write to.
        section: the part of the checkpoints to read (``safe_unpickling.read_tensors``).

    Raises:
        UnknownMethod: if there is no such method or preset, or it knows no checkpoints.
        WeightsError: if a file cannot be read, or lacks or exceeds what the preset needs.
    """
    from bench.engine.safe_unpickling import read_tensors

    config = resolve_config(adapter, preset, {})
    to_stages = load_converter(adapter)
    found = to_stages({path: read_tensors(path, section) for path in checkpoints}, config)
    named = ", ".join(str(path) for path in checkpoints)
    if not any(found.stages.values()):
        some = _some(set(found.unmapped))
        raise WeightsError(f"{named}: {adapter} has a place for none of its tensors ({some})")
    config = resolve_config(adapter, preset, found.settings)
    method = _empty(adapter, config, found.data, named)
    contents = {}
    for stage in config.stages(found.data):
        if tensors := found.stages.get(stage.name):
            places = _places(submodules(method, stage.modules))
            source = f"{named}: stage {stage.name!r} in it"
            _check_fit(source, f"{adapter} of preset {preset!r}", tensors, places)
            contents[stage.name] = {
                key: tensor.to(places[key].dtype).contiguous() for key, tensor in tensors.items()
            }
    files = {
        stage: _write(destination, f"{adapter}-{stage}", tensors)
        for stage, tensors in contents.items()
    }
    weights = {"weights": {stage: str(file.path) for stage, file in files.items()}}
    return Converted(files, tuple(sorted(found.unmapped)), {**found.settings, **weights})


def as_text(converted: Converted, adapter: str, preset: str) -> str:
    """Say what was written, what was not, and what to put in a suite."""
    lines = [
        f"{stage}: {file.tensors} tensors, {file.parameters / 1e6:.2f} million numbers: {file.path}"
        for stage, file in converted.files.items()
    ]
    if converted.unmapped:
        lines.append(f"not mapped, as {adapter} has no place for them:")
        lines += [f"  {name}" for name in converted.unmapped]
    else:
        lines.append("not mapped: nothing")
    entry = {"adapter": adapter, "preset": preset, "config": converted.config}
    return "\n".join([*lines, "in a suite, under methods:", f"  - {json.dumps(entry)}"])


def digests(
    label: str, field: str, files: Mapping[str, str], config: MethodConfig, data: DataSpec
) -> dict[str, str]:
    """Return the SHA-256 of the files that a field of a configuration names, by stage.

    Files that are missing are left out; a plan lists them as needs.

    Raises:
        WeightsError: if weights are given for what is no stage, naming the method's label.
    """
    names = [stage.name for stage in config.stages(data)]
    found = {}
    for stage, path in files.items():
        if stage not in names:
            known = f"its stages are {', '.join(names)}"
            raise WeightsError(f"{label}: {field} are given for {stage!r}; {known}")
        if Path(path).is_file():
            with Path(path).open("rb") as file:
                found[stage] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def load_weights(path: Path, modules: Mapping[str, nn.Module]) -> None:
    """Load a safetensors file whose keys start with the names of modules.

    Raises:
        WeightsError: if the file is absent, damaged or does not fit.
    """
    tensors = _read(path)
    _check_fit(str(path), ", ".join(modules), tensors, _places(modules))
    for name, module in modules.items():
        start = f"{name}."
        own = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        module.load_state_dict(own)


def _read(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file, or a finished stage's, where "/" is within a module's name."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        content = load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error
    return {key.replace("/", "."): tensor for key, tensor in content.items()}


def start_from(path: Path, modules: Mapping[str, nn.Module]) -> tuple[str, ...]:
    """Load what a safetensors file has for modules that are trained next.

    Returns:
        The names of the tensors that the file lacks, which keep their own initialisation.

    Raises:
        WeightsError: if the file is absent or damaged, has tensors that the modules lack or
            of another shape, or none of theirs.
    """
    tensors, places = _read(path), _places(modules)
    missing = sorted(set(places) - set(tensors))
    if len(missing) == len(places):
        raise WeightsError(f"{path} has none of the tensors of {', '.join(modules)}")
    _check_fit(str(path), ", ".join(modules), {**places, **tensors}, places)
    import torch

    with torch.no_grad():
        for name, tensor in tensors.items():
            places[name].copy_(tensor)
    return tuple(missing)


def submodules(method: nn.Module, names: Collection[str]) -> dict[str, nn.Module]:
    """Return a method's submodules by their dotted names."""
    return {name: method.get_submodule(name) for name in names}


def _empty(adapter: str, config: MethodConfig, data: DataSpec, source: str) -> Method[Any]:
    """Build a method without memory for parameters, for their names and shapes."""
    from accelerate import init_empty_weights

    # With weights for every stage, a method looks for no pretrained ones.
    given = {stage.name: source for stage in config.stages(data)}
    try:
        with init_empty_weights():
            return load_method(adapter)(config.model_copy(update={"weights": given}), data)
    except ValueError as error:
        raise WeightsError(f"{source}: {error}") from error


def _places(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the tensors that modules need, by their names within the method."""
    return {
        f"{name}.{key}": value
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }


def _check_fit(
    source: str, target: str, tensors: Mapping[str, Tensor], places: Mapping[str, Tensor]
) -> None:
    """Compare tensors with their places, key by key; name some of those that differ."""
    faults = []
    if missing := set(places) - set(tensors):
        faults.append(f"lacks {_some(missing)}")
    if extra := set(tensors) - set(places):
        faults.append(f"has {_some(extra)} beside")
    for key in sorted(set(tensors) & set(places)):
        found, wanted = list(tensors[key].shape), list(places[key].shape)
        if found != wanted:
            faults.append(f"{key} is {found}, not {wanted}")
    if faults:
        raise WeightsError(f"{source} does not fit {target}: {'; '.join(faults[:5])}")


def _some(keys: Collection[str]) -> str:
    """Name the first few of many keys."""
    named = ", ".join(sorted(keys)[:3])
    return named if len(keys) <= 3 else f"{named} and {len(keys) - 3} more"


def _write(destination: Path, name: str, tensors: Mapping[str, Tensor]) -> StageFile:
    """Write a file named by its content, so that another is never taken for it."""
    from safetensors.torch import save

    content = save(dict(tensors))
    digest = hashlib.sha256(content).hexdigest()
    path = destination / f"{name}-{digest[:12]}.safetensors"
    write_atomic(path, lambda file: file.write(content))
    return StageFile(path, len(tensors), sum(tensor.numel() for tensor in tensors.values()))
