"""The families that torch_models.py exports: a line for each. Hidden sizes and depths are small."""

from torch_classifiers import CLASSIFIERS
from torch_language import LANGUAGE
from torch_sound import SOUND
from torch_vision import VISION

FAMILIES = {**CLASSIFIERS, **VISION, **LANGUAGE, **SOUND}
