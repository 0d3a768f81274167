"""Axes x seeds: runs, statistics, tables and figures."""
