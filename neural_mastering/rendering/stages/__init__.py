"""Stages of a chain as a stream: built from controls, run block by block, with what each did on record."""
