"""Seven variables, 96 hours in, 24 out: one LSTM over patches for all variables, linear layer on its last state."""

from __future__ import annotations

import json

import pandas as pd
import torch
from settings import settings
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Windows(Dataset):
    def __init__(self, values, context, horizon):
        self.values, self.context, self.horizon = values, context, horizon

    def __len__(self):
        return len(self.values) - self.context - self.horizon + 1

    def __getitem__(self, start):
        middle = start + self.context
        return self.values[start:middle], self.values[middle : middle + self.horizon]


class Forecaster(nn.Module):
    """Each variable by itself, from the window's last value on: an LSTM over patches plus a linear map."""

    def __init__(self, context, horizon, model):
        super().__init__()
        hidden = model["cell"]["hidden_size"]
        self.patch = model["patch"]
        self.lstm = nn.LSTM(self.patch, hidden, batch_first=True)
        self.output = nn.Linear(hidden, horizon)
        self.skip = nn.Linear(context, horizon)

    def forward(self, window):
        last = window[:, -1:]
        series = (window - last).transpose(1, 2)
        batch, variables, context = series.shape
        patches = series.reshape(batch * variables, context // self.patch, self.patch)
        outputs, _ = self.lstm(patches)
        forecast = self.output(outputs[:, -1]).view(batch, variables, -1) + self.skip(series)
        return forecast.transpose(1, 2) + last


@torch.no_grad()
def mean_squared_error(model, loader):
    model.eval()
    total = count = 0
    for window, truth in loader:
        total += nn.functional.mse_loss(model(window), truth, reduction="sum").item()
        count += truth.numel()
    return total / count


def main():
    config, folder, epochs = settings("etth1")
    training, data = config["training"], config["data"]
    model = config["model"]
    if not (model["shared"] and model["window_normalization"] == "last" and model["skip"] == "linear"):
        raise SystemExit("the config's model is no longer the one that is written out here")
    torch.manual_seed(training.get("seed", 1))
    frame = pd.read_csv(folder / "ETTh1.csv")
    values = torch.tensor(frame.iloc[:, 1:].to_numpy(), dtype=torch.float32)
    train, valid, test = (data["split"][name] for name in ("train", "valid", "test"))
    mean, deviation = values[:train].mean(0), values[:train].std(0, unbiased=False)
    values = (values - mean) / deviation
    context, horizon = data["context"], data["horizon"]
    parts = {
        "train": values[:train],
        "valid": values[train - context : train + valid],
        "test": values[train + valid - context : train + valid + test],
    }
    size = training["batch_size"]
    loaders = {
        name: DataLoader(Windows(part, context, horizon), size, shuffle=name == "train") for name, part in parts.items()
    }
    model = Forecaster(context, horizon, config["model"])
    optimizer = torch.optim.Adam(model.parameters(), training["learning_rate"])
    best, weights = float("inf"), None
    for _ in range(epochs):
        model.train()
        for window, truth in loaders["train"]:
            loss = nn.functional.mse_loss(model(window), truth)
            optimizer.zero_grad()
            loss.backward()
            if training.get("clip_norm"):
                nn.utils.clip_grad_norm_(model.parameters(), training["clip_norm"])
            optimizer.step()
        error = mean_squared_error(model, loaders["valid"])
        if error <= best:
            best, weights = error, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    print(json.dumps({"valid": best, "test": mean_squared_error(model, loaders["test"])}))


if __name__ == "__main__":
    main()
