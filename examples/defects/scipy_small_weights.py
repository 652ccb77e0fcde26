"""SciPy: ndimage.correlate and ndimage.convolve take small weights for zeros.

Seen in 1.17.1, float64 and float32.  Where: 0 < |weight| <= 2**-52 (DBL_EPSILON), in absolute terms: neither the other
weights nor the image matter, so that a kernel of such weights gives 0 throughout.  Just above, results are right.
Cause: NI_Correlate (scipy/ndimage/src/ni_filters.c) walks over the taps with `fabs(weight) > DBL_EPSILON` only.
Here every value is a power of two: no result is rounded, and Python's integers, counted in units of 2**-52, decide.
Exit status: 1 while the defect is present, 0 once it is fixed.
"""

import sys

import numpy as np
import scipy
from scipy import ndimage


def main() -> int:
    image = [1, 2, 3]  # in units of 2**60
    wrong = 0
    print("scipy", scipy.__version__)
    for units in (1, 2):  # the weight, in units of 2**-52
        expected = [value * units for value in image]  # in units of 2**8
        for function in (ndimage.correlate, ndimage.convolve):
            y = function(np.array([image]) * 2.0**60, np.array([[units * 2.0**-52]]), mode="constant")
            got = [int(value) >> 8 for value in y[0].tolist()]
            wrong += got != expected
            print(f"{function.__name__}, weight {units} * 2**-52: expected (exact) {expected}, got {got}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
