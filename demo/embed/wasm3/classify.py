"""Names the sign in a picture of 28 by 28 bytes of ink, in an interpreter for devices without SIMD.

pip install pywasm3
python classify.py digits.wasm three.gray
"""

import struct
import sys

from wasm3 import Environment

with open(sys.argv[1], "rb") as file:
    code = file.read()
environment = Environment()
runtime = environment.new_runtime(64 * 1024)
module = environment.parse_module(code)
runtime.load(module)
session = module.get_global("nm_session")


def call(name, *arguments):
    """Failures are null pointers and negative numbers; nm_last_error has the sentence."""
    result = runtime.find_function(name)(*arguments)
    if result > 0 or (result == 0 and name in ("nm_run", "nm_value_tensor")):
        return result
    at = runtime.find_function("nm_last_error")()
    sys.exit(bytes(runtime.get_memory(0)[at : at + 1000]).split(b"\0")[0].decode())


def write(at, data):
    runtime.get_memory(0)[at : at + len(data)] = data


with open(sys.argv[2], "rb") as file:
    ink = [byte / 255 for byte in file.read()]
if len(ink) != 784:
    sys.exit(f"The picture has {len(ink)} bytes, not 784.")

# One float32 tensor of the shape [1, 1, 28, 28]; its dimensions are 64-bit numbers.
dims = call("nm_alloc", 32)
write(dims, struct.pack("<4q", 1, 1, 28, 28))
image = call("nm_input", session, 0, 1, dims, 4)
write(image, struct.pack("<784f", *ink))
call("nm_run", session)

# nm_tensor: type, rank, address of the dimensions, address of the elements, bytes.
tensor = call("nm_alloc", 20)
call("nm_value_tensor", call("nm_output", session, 0), 0, tensor)
_, _, _, data, length = struct.unpack("<5I", runtime.get_memory(0)[tensor : tensor + 20])
probabilities = struct.unpack(f"<{length // 4}f", runtime.get_memory(0)[data : data + length])
best = max(range(len(probabilities)), key=probabilities.__getitem__)
print("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[best], f"{probabilities[best]:.4f}")
