"""Layers: cells over time in both directions, what feeds them, and what sums them up."""
