"""How much of a mix's tonal mistakes does each system undo, and what does it do to finished songs?"""
