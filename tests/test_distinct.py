"""Sets of numbers: as numpy's own, without what those import."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from program import VIOLATING

from auditor.distinct import among, distinct, without

COLUMNS = [[], [3], [2, 1, 2, 2, 0], [5, 5, 5], list(range(40, 0, -1))]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int64, np.bool_])
@pytest.mark.parametrize("values", COLUMNS)
def test_distinct_values_are_numpys_unique_ones(values: list[int], dtype: type) -> None:
    column = np.array(values, dtype)
    found = distinct(column)
    assert found.dtype == column.dtype
    assert found.tolist() == np.unique(column).tolist()


@pytest.mark.parametrize("others", COLUMNS)
@pytest.mark.parametrize("values", COLUMNS)
def test_what_is_left_is_numpys_difference(values: list[int], others: list[int]) -> None:
    column, taken = np.array(values, np.intp), np.array(others, np.intp)
    assert without(column, taken).tolist() == np.setdiff1d(column, taken).tolist()


@pytest.mark.parametrize("others", COLUMNS)
@pytest.mark.parametrize("values", COLUMNS)
def test_what_is_among_others_is_numpys_isin(values: list[int], others: list[int]) -> None:
    column, looked_at = np.array(values, np.uint64), np.array(others, np.uint64)
    found = among(column, looked_at)
    assert found.dtype == np.bool_
    assert found.tolist() == np.isin(column, looked_at).tolist()


def test_an_audit_with_findings_imports_no_masked_arrays() -> None:
    code = "import sys, auditor; found = auditor.audit(sys.argv[1]); found.to_dict(); print('numpy.ma' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, VIOLATING], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
