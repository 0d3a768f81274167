"""Sentiment of a sentence: embedding, packed bidirectional LSTM, last states, linear layer."""

from __future__ import annotations

import csv
import json
from collections import Counter

import torch
from settings import settings
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row[0].lower().split(), int(row[1])) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def collate(pairs):
    ids, labels = zip(*pairs, strict=True)
    lengths = torch.tensor([len(each) for each in ids])
    return pad_sequence(ids, batch_first=True), lengths, torch.tensor(labels)


class Classifier(nn.Module):
    def __init__(self, words, model):
        super().__init__()
        hidden, layers = model["cell"]["hidden_size"], model.get("layers", 1)
        dropout = model.get("dropout", {})
        self.embedding = nn.Embedding(words, model["embedding_size"], padding_idx=0)
        self.dropout = nn.Dropout(dropout.get("embedding", 0.0))
        self.lstm = nn.LSTM(
            model["embedding_size"],
            hidden,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout.get("between_layers", 0.0),
        )
        self.output = nn.Linear(2 * hidden, 2)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(
            self.dropout(self.embedding(ids)), lengths, batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.lstm(packed)
        return self.output(torch.cat([last[-2], last[-1]], dim=1))


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = total = 0
    for ids, lengths, labels in loader:
        right += (model(ids, lengths).argmax(1) == labels).sum().item()
        total += len(labels)
    return right / total


def main():
    config, folder, epochs = settings("sst2")
    training = config["training"]
    torch.manual_seed(training.get("seed", 1))
    parts = {name: read(folder / f"{name}.tsv") for name in ("train", "dev", "test")}
    counts = Counter(word for words, _ in parts["train"] for word in words)
    vocabulary = {word: number for number, word in enumerate(sorted(counts), start=2)}
    data = {
        name: [(torch.tensor([vocabulary.get(word, 1) for word in words]), label) for words, label in rows]
        for name, rows in parts.items()
    }
    size = training["batch_size"]
    loaders = {name: DataLoader(rows, size, shuffle=name == "train", collate_fn=collate) for name, rows in data.items()}
    model = Classifier(len(vocabulary) + 2, config["model"])
    optimizer = torch.optim.Adam(model.parameters(), training["learning_rate"])
    best, weights = 0.0, None
    for _ in range(epochs):
        model.train()
        for ids, lengths, labels in loaders["train"]:
            loss = nn.functional.cross_entropy(model(ids, lengths), labels)
            optimizer.zero_grad()
            loss.backward()
            if training.get("clip_norm"):
                nn.utils.clip_grad_norm_(model.parameters(), training["clip_norm"])
            optimizer.step()
        valid = accuracy(model, loaders["dev"])
        if valid >= best:
            best, weights = valid, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    print(json.dumps({"valid": best, "test": accuracy(model, loaders["test"])}))


if __name__ == "__main__":
    main()
