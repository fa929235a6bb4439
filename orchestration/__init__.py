"""Run the whole pipeline: what is due, side by side, safely interrupted."""
