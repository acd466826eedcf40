"""Multimodal product classification: text, photo and their fusion, from catalogue to prediction."""

import os

# Threads of OpenMP (torch, BLAS) sleep while they wait instead of spinning. Otherwise two programs
# on one machine, such as a retrain beside the app, take the cores from each other: two trainings
# at once took ten times as long (benchmarks/side_by_side.py). Read when torch is loaded, so here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
