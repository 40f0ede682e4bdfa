"""Words as requests: shapes of the equaliser with their evidence, refusals with reasons, compressor presets."""

from neural_mastering.words.presets import CompressorPreset, compressor_presets
from neural_mastering.words.request import WordRequest, look_up, parse_words, request
from neural_mastering.words.table import Evidence, Refused, Word, WordTable, read_table, word_table

__all__ = [
    "CompressorPreset",
    "Evidence",
    "Refused",
    "Word",
    "WordRequest",
    "WordTable",
    "compressor_presets",
    "look_up",
    "parse_words",
    "read_table",
    "request",
    "word_table",
]
