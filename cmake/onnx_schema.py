#!/usr/bin/env python3
"""Writes the field numbers and enum values of .proto files as C++ constants: onnx_schema.py IN.proto… OUT.h

Every message and enum becomes a namespace inside nm::onnx::schema, nested as in the file, so that
TensorProto.DataType.FLOAT reads nm::onnx::schema::TensorProto::DataType::FLOAT.
"""

import re
import sys

KEYWORDS = set(
    "alignas and asm auto bool break case catch char class const continue default delete do double else enum explicit "
    "export extern false float for friend goto if inline int long namespace new not or private protected public "
    "register return short signed sizeof static struct switch template this throw true try typedef union unsigned "
    "using virtual void volatile while xor".split()
)
TOKEN = re.compile(r'"[^"]*"|[A-Za-z_][\w.]*|0x[0-9A-Fa-f]+|-?\d+|\S')


def cpp_name(name):
    name = name.lstrip("_")  # _START_VERSION would be reserved in C++
    return name + "_" if name in KEYWORDS else name


def statements(text):
    """Yields the tokens of each statement; its last token is ';', '{' or '}'."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    statement = []
    in_options = False  # [default = 1, …] after a field
    for token in TOKEN.findall(text):
        statement.append(token)
        in_options = token == "[" or (in_options and token != "]")
        if token in ("{", "}", ";") and not in_options:
            yield statement
            statement = []


def constants(text):
    """Yields ('open', name), ('constant', name, number) and ('close',)."""
    scopes = []
    for statement in statements(text):
        first = statement[0]
        if first == "}":
            if scopes.pop() != "oneof":
                yield ("close",)
        elif statement[-1] == "{":
            if first not in ("message", "enum", "oneof"):
                raise ValueError("do not know how to read: " + " ".join(statement))
            scopes.append(first)
            if first != "oneof":  # its fields belong to the message around it
                yield ("open", statement[1])
        elif scopes and "=" in statement and first not in ("option", "reserved", "extensions"):
            equals = statement.index("=")
            yield ("constant", statement[equals - 1], int(statement[equals + 1], 0))


def body(text):
    lines = []
    depth = 0
    for item in constants(text):
        if item[0] == "close":
            depth -= 1
            lines.append("  " * depth + "}")
            continue
        name = cpp_name(item[1])
        if item[0] == "open":
            lines.append("  " * depth + f"namespace {name} {{")
            depth += 1
        else:
            lines.append("  " * depth + f"inline constexpr int {name} = {item[2]};")
    return lines


def main():
    *sources, target = sys.argv[1:]
    lines = ["// Generated: the field numbers of ONNX's messages and the values of its enums.", "#pragma once", ""]
    lines += ["namespace nm::onnx::schema {", ""]
    for source in sources:
        with open(source, encoding="utf-8") as file:
            lines += body(file.read())
    lines += ["", "}  // namespace nm::onnx::schema", ""]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
