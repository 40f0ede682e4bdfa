"""Adapters that put parts of other libraries into the slots of this one."""
