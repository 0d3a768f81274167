"""Part-of-speech tags: embeddings of word and capitals beside a packed character BiLSTM, packed BiLSTM, linear."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import torch
from settings import settings
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader


def read(path):
    sentences, sentence = [], []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if not line:
                if sentence:
                    sentences.append(sentence)
                sentence = []
            elif not line.startswith("#"):
                fields = line.split("\t")
                if fields[0].isdigit():
                    sentence.append((fields[1], fields[3]))
    return sentences


def collate(rows):
    words, characters, capitals, tags = zip(*rows, strict=True)
    lengths = torch.tensor([len(each) for each in words])
    flat = [word for sentence in characters for word in sentence]
    spelled = torch.tensor([len(each) for each in flat])
    padded_tags = pad_sequence(tags, batch_first=True, padding_value=-100)
    padded = [pad_sequence(each, batch_first=True) for each in (words, flat, capitals)]
    return padded[0], lengths, padded[1], spelled, padded[2], padded_tags


def capital(word):
    """lower, title, upper, mixed, digits, other"""
    if word.isdigit():
        return 6
    return 2 if word.islower() else 4 if word.isupper() else 3 if word.istitle() else 5 if word.isalpha() else 7


class Tagger(nn.Module):
    def __init__(self, words, alphabet, tags, model):
        super().__init__()
        hidden = model["cell"]["hidden_size"]
        width, units = model["character_embedding_size"], model["character_hidden_size"]
        self.words = nn.Embedding(words, model["embedding_size"], padding_idx=0)
        self.characters = nn.Embedding(alphabet, width, padding_idx=0)
        self.spelling = nn.LSTM(width, units, batch_first=True, bidirectional=True)
        self.capitals = nn.Embedding(8, 8)
        self.word_dropout = model["dropout"]["word"]
        self.dropout = nn.Dropout(model["dropout"]["embedding"])
        self.lstm = nn.LSTM(model["embedding_size"] + 2 * units + 8, hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * hidden, tags)

    def forward(self, words, lengths, characters, spelled, capitals):
        packed = pack_padded_sequence(self.characters(characters), spelled, batch_first=True, enforce_sorted=False)
        _, (last, _) = self.spelling(packed)
        per_word = torch.cat([last[0], last[1]], dim=1).split(lengths.tolist())
        parts = [self.words(words), pad_sequence(per_word, batch_first=True), self.capitals(capitals)]
        inputs = torch.cat(parts, dim=2)
        if self.training:
            inputs = inputs * (torch.rand(words.shape) >= self.word_dropout).unsqueeze(2)
        packed = pack_padded_sequence(self.dropout(inputs), lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.output(outputs)


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = total = 0
    for *inputs, tags in loader:
        known = tags != -100
        right += (model(*inputs).argmax(2) == tags)[known].sum().item()
        total += known.sum().item()
    return right / total


def main():
    config, folder, epochs = settings("ud_ewt")
    training, lower = config["training"], config["data"].get("lowercase", False)
    torch.manual_seed(training.get("seed", 1))
    parts = {name: read(folder / f"en_ewt-ud-{name}.conllu.gz") for name in ("train", "dev", "test")}

    def form(word):
        return word.lower() if lower else word

    counts = Counter(form(word) for sentence in parts["train"] for word, _ in sentence)
    least = config["data"].get("min_count", 1)
    words = {word: n for n, word in enumerate((w for w, c in counts.items() if c >= least), start=2)}
    alphabet = {c: n for n, c in enumerate(sorted({c for s in parts["train"] for w, _ in s for c in w}), start=2)}
    tags = {tag: n for n, tag in enumerate(sorted({tag for s in parts["train"] for _, tag in s}))}

    def encode(sentence):
        return (
            torch.tensor([words.get(form(word), 1) for word, _ in sentence]),
            [torch.tensor([alphabet.get(c, 1) for c in word]) for word, _ in sentence],
            torch.tensor([capital(word) for word, _ in sentence]),
            torch.tensor([tags[tag] for _, tag in sentence]),
        )

    data = {name: [encode(sentence) for sentence in sentences] for name, sentences in parts.items()}
    size = training["batch_size"]
    loaders = {name: DataLoader(rows, size, shuffle=name == "train", collate_fn=collate) for name, rows in data.items()}
    model = Tagger(len(words) + 2, len(alphabet) + 2, len(tags), config["model"])
    optimizer = torch.optim.Adam(model.parameters(), training["learning_rate"])
    best, weights = 0.0, None
    for _ in range(epochs):
        model.train()
        for *inputs, gold in loaders["train"]:
            loss = nn.functional.cross_entropy(model(*inputs).flatten(0, 1), gold.flatten(), ignore_index=-100)
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
