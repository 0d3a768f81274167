"""Sentiment of a sentence: embedding, packed bidirectional LSTM, maximum and mean over time, linear layer."""

from __future__ import annotations

import csv
import json
from collections import Counter

import torch
from settings import settings
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[0].split(), int(row[1])) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def collate(pairs):
    ids, labels = zip(*pairs, strict=True)
    lengths = torch.tensor([len(each) for each in ids])
    return pad_sequence(ids, batch_first=True), lengths, torch.tensor(labels)


class Classifier(nn.Module):
    def __init__(self, words, model):
        super().__init__()
        hidden, dropout = model["cell"]["hidden_size"], model["dropout"]
        self.embedding = nn.Embedding(words, model["embedding_size"], padding_idx=0)
        self.word_dropout = dropout["word"]
        self.dropout = nn.Dropout(dropout["embedding"])
        self.lstm = nn.LSTM(model["embedding_size"], hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(4 * hidden, 2)

    def forward(self, ids, lengths):
        embedded = self.embedding(ids)
        if self.training:
            kept = torch.rand(ids.shape) >= self.word_dropout
            embedded = embedded * kept.unsqueeze(2)
        packed = pack_padded_sequence(self.dropout(embedded), lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        padding = (torch.arange(outputs.shape[1]) >= lengths.unsqueeze(1)).unsqueeze(2)
        largest = outputs.masked_fill(padding, float("-inf")).amax(1)
        mean = outputs.sum(1) / lengths.unsqueeze(1)
        return self.output(torch.cat([largest, mean], dim=1))


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
    least = config["data"]["min_count"]
    vocabulary = {word: n for n, word in enumerate((w for w, c in counts.items() if c >= least), start=2)}
    data = {
        name: [(torch.tensor([vocabulary.get(word, 1) for word in words]), label) for words, label in rows]
        for name, rows in parts.items()
    }
    size = training["batch_size"]
    loaders = {name: DataLoader(rows, size, shuffle=name == "train", collate_fn=collate) for name, rows in data.items()}
    if config["model"]["pooling"] != ["max", "mean"]:
        raise SystemExit("the config's model is no longer the one that is written out here")
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
