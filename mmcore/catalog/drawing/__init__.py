"""The parts of the drawn catalogue: words, grammar, faults, pen and pictures; see `demo.py`."""
