"""Train, evaluate and predict as plain functions around a run directory."""
