"""Names the sign in a picture of 28 by 28 bytes of ink.

pip install wasmtime
python classify.py digits.wasm three.gray
"""

import struct
import sys

from wasmtime import Instance, Module, Store

store = Store()
module = Module.from_file(store.engine, sys.argv[1])
exports = Instance(store, module, []).exports(store)
memory, session = exports["memory"], exports["nm_session"].value(store)


def call(name, *arguments):
    """Failures are null pointers and negative numbers; nm_last_error has the sentence."""
    result = exports[name](store, *arguments)
    if result > 0 or (result == 0 and name in ("nm_run", "nm_value_tensor")):
        return result
    at = exports["nm_last_error"](store)
    end = at
    while memory.read(store, end, end + 1) != b"\0":
        end += 1
    sys.exit(memory.read(store, at, end).decode())


with open(sys.argv[2], "rb") as file:
    ink = [byte / 255 for byte in file.read()]
if len(ink) != 784:
    sys.exit(f"The picture has {len(ink)} bytes, not 784.")

# One float32 tensor of the shape [1, 1, 28, 28]; its dimensions are 64-bit numbers.
dims = call("nm_alloc", 32)
memory.write(store, struct.pack("<4q", 1, 1, 28, 28), dims)
image = call("nm_input", session, 0, 1, dims, 4)
memory.write(store, struct.pack("<784f", *ink), image)
call("nm_run", session)

# nm_tensor: type, rank, address of the dimensions, address of the elements, bytes.
tensor = call("nm_alloc", 20)
call("nm_value_tensor", call("nm_output", session, 0), 0, tensor)
_, _, _, data, length = struct.unpack("<5I", memory.read(store, tensor, tensor + 20))
probabilities = struct.unpack(f"<{length // 4}f", memory.read(store, data, data + length))
best = max(range(len(probabilities)), key=probabilities.__getitem__)
print("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[best], f"{probabilities[best]:.4f}")
