"""MT-DNN-KD as one command (`mtdnnkd`); the library itself is the package `pipeline`."""

__version__ = "0.2.0.dev0"
