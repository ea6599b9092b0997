"""The exceptions that tell a user what to put right, all of them in one tree.

::

    BenchError
    ├── SuiteError           a suite file is wrong
    ├── UnknownMethod        no such method or preset, or a method file lacks something
    ├── DatasetError         data are wrong
    │   └── DatasetMissing   data are not here
    ├── LoadingError         a process that loads images was killed
    ├── TaxonomyError        a label space and a taxonomy do not fit
    ├── PlanError            a valid suite cannot run on these data or weights
    ├── StageError           a stage does not fit its method
    ├── Diverged             a loss or a weight is not finite
    ├── WeightsError         a file of weights is wrong
    │   └── UnreadableWeights
    ├── PredictionsError     a folder of predictions is wrong
    ├── StoreError           a folder of results is wrong
    └── ClaimsError          claims or reported numbers are wrong

The command line prints the message of any of these in place of a traceback. Each message
says what is wrong, where, and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping


class BenchError(Exception):
    """Base of all errors that a user can put right."""


class SuiteError(BenchError):
    """All errors of a suite file, one per line."""


class UnknownMethod(BenchError):
    """No method of that name, or a method file that lacks what it must define."""


class DatasetError(BenchError):
    """Data are missing or wrong: one line that names the file and the remedy."""


class DatasetMissing(DatasetError):
    """No copy of a dataset is here at all."""

    def __init__(self, remedies: Mapping[str, str]) -> None:
        super().__init__("\n".join(remedies.values()))
        self.remedies = dict(remedies)
        """Per dataset, in one line, where to get it and where to put it."""


class LoadingError(BenchError):
    """A process that loads images was killed."""


class TaxonomyError(BenchError):
    """A label space and a taxonomy do not fit."""


class PlanError(BenchError):
    """A valid suite that cannot be run on these data or with these weights."""


class StageError(BenchError):
    """A method's stage does not fit the method."""


class Diverged(BenchError):
    """A loss or a weight became infinite or undefined."""


class WeightsError(BenchError):
    """A file of weights cannot be read or does not fit: one line that says why."""


class UnreadableWeights(WeightsError):
    """A file is not one that tensors can be read from."""


class PredictionsError(BenchError):
    """A folder of predictions is not of the images it is scored on."""


class StoreError(BenchError):
    """The output folder does not hold what was asked for."""


class ClaimsError(BenchError):
    """The claims or the reported numbers cannot be read: what is wrong, and where."""
