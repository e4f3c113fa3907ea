"""Makes ONNX models of a Whisper in CTranslate2's form:

    python convert.py MODEL_FOLDER FOLDER

MODEL_FOLDER has model.bin, config.json and tokenizer.json; FOLDER gets onnx/encoder_model.onnx, onnx/decoder_model_merged.onnx
and the files that transformers' libraries read beside them.
"""

import argparse
import shutil
from pathlib import Path

import configs
import ctranslate2
import graphs
import onnx

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    weights = ctranslate2.read(str(given.source / "model.bin"))
    (given.folder / "onnx").mkdir(parents=True, exist_ok=True)
    onnx.save(graphs.encoder(weights), given.folder / "onnx/encoder_model.onnx")
    onnx.save(graphs.decoder(weights), given.folder / "onnx/decoder_model_merged.onnx")
    configs.write(weights, given.source, given.folder)
    shutil.copy(given.source / "tokenizer.json", given.folder)
