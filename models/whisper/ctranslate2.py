"""The weights in a model.bin of CTranslate2, by name."""

import struct

import numpy as np

VERSION = 6
TYPES = [np.float32, np.int8, np.int16, np.int32, np.float16]


def read(path: str) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        data = file.read()
    at = 0

    def number(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(form)
        return value

    def text() -> str:
        nonlocal at
        size = number("H")
        at += size
        return data[at - size : at].rstrip(b"\0").decode()

    version = number("I")
    if version != VERSION:
        raise ValueError(f"a file of version {version}; only {VERSION} is understood")
    kind, _ = text(), number("I")
    if kind != "WhisperSpec":
        raise ValueError(f"a model of the kind '{kind}'; only WhisperSpec is understood")
    arrays = {}
    for _ in range(number("I")):
        name = text()
        dims = [number("I") for _ in range(number("B"))]
        form, size = np.dtype(TYPES[number("B")]), number("I")
        arrays[name] = np.frombuffer(data, form, size // form.itemsize, at).reshape(dims)
        at += size
    return arrays
