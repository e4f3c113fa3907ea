"""Writes what the operators' sources say of their attributes, for the fuzzer that invents nodes.

    attribute_names.py OUTPUT SOURCE...

One line for each operator file: the names that it reads, with the accessor that reads them, and the texts that it
compares with (modes, paddings). A file that registers nothing lends its names to the files that include its header.
"""

import pathlib
import re
import sys

ACCESS = re.compile(r'(?:\.|->)(integer|flag|number|string|integers|numbers|strings|tensor|graph|has|require)\(\s*"(\w+)"')
TYPES = re.compile(r'type_attribute\(\w+, "(\w+)"')
FOUND = re.compile(r'attributes(?:\(\))?\.find\("(\w+)"')
TEXT = re.compile(r'"([A-Za-z_0-9.+-]{1,24})"')
INCLUDE = re.compile(r'#include "engine/ops/\w+/(\w+)\.h"')
KINDS = {"integer": "Integer", "flag": "Integer", "number": "Number", "string": "Text", "integers": "Integers",
         "numbers": "Numbers", "strings": "Texts", "tensor": "Tensor", "graph": "Graph"}


def names_in(text):
    names = {}
    for accessor, name in ACCESS.findall(text):
        if accessor in KINDS:
            names[name] = KINDS[accessor]
        else:
            names.setdefault(name, "Integer")
    names.update({name: "Integer" for name in TYPES.findall(text)})
    for name in FOUND.findall(text):
        names.setdefault(name, "Text")
    return names


def main(output, sources):
    texts = {pathlib.Path(s).stem: pathlib.Path(s).read_text() for s in sources}
    registers = {stem for stem, text in texts.items() if re.search(r"^NM_OPERATORS\(", text, re.M)}

    def all_of(stem, seen):
        if stem in seen or stem not in texts:
            return {}, set()
        seen.add(stem)
        names, words = names_in(texts[stem]), set(TEXT.findall(texts[stem]))
        for other in INCLUDE.findall(texts[stem]):
            if other not in registers:
                more_names, more_words = all_of(other, seen)
                names = more_names | names
                words |= more_words
        return names, words

    lines = ["// Generated: what operator files say of their attributes."]
    for stem in sorted(registers):
        names, words = all_of(stem, set())
        attributes = ", ".join(f'{{"{name}", Kind::{kind}}}' for name, kind in sorted(names.items()))
        strings = ", ".join(f'"{word}"' for word in sorted(words))
        lines.append(f"NM_OPERATOR_FILE({stem}, NM_LIST({attributes}), NM_LIST({strings}))")
    pathlib.Path(output).write_text("\n".join(lines) + "\n")


main(sys.argv[1], sys.argv[2:])
