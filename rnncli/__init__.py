"""rnncli: train, evaluate, predict with and ablate recurrent neural networks from YAML."""

__version__ = "0.1.0"
