"""Multimodal product classification: text, photo and their fusion, from catalogue to prediction."""

__version__ = "0.1.0"
