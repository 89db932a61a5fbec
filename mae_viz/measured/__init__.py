"""Measuring codecs on pictures, and what was measured."""
