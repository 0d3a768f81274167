"""Files that look odd and are well: they train, and are predicted as their plain twins."""

from __future__ import annotations

import pytest


def variants(good: str) -> dict[str, bytes]:
    return {
        "bom": b"\xef\xbb\xbf" + good.encode(),
        "crlf": good.replace("\n", "\r\n").encode(),
        "no line end at the end": good.rstrip("\n").encode(),
        "bom and crlf": b"\xef\xbb\xbf" + good.replace("\n", "\r\n").encode(),
    }


@pytest.mark.parametrize("variant", variants(""))
@pytest.mark.parametrize("loader", ["texts", "forecasts", "gestures", "sentences"])
def test_marks_and_line_ends_change_nothing(loader, variant, trained, command):
    case = trained[loader]
    path = case.write(variants(case.good)[variant])
    command("train", "config.yaml", "--quiet").done()
    found = [command("predict", run, path, "--quiet") for run in ("runs/config", case.run)]
    case.write(case.good)
    plain = command("predict", case.run, path, "--quiet")
    for one in (plain, *found):
        one.done()
        assert one.err == ""
        # Predictions are the same bits: the training data are, and so is the model.
        assert one.out == plain.out != ""


@pytest.mark.parametrize("loader", ["texts", "sentences"])
def test_tokens_of_10_000_characters(loader, trained, command):
    case, token = trained[loader], "x" * 10_000
    more = {"texts": f"{token} {token},yes\nfilm {token},no\n", "sentences": f"{token} A\nthe B\n\n"}[loader]
    path = case.write(case.good + more)
    command("train", "config.yaml", "--quiet").done()
    ended = command("predict", case.run, path, "--quiet")
    ended.done()
    assert token in ended.out


def test_a_time_series_of_long_names(gestures, command):
    name = "g" * 10_000
    path = gestures.write(gestures.good.replace("g7,", f"{name},").replace(",up", f",{'u' * 10_000}"))
    command("train", "config.yaml", "--quiet").done()
    ended = command("predict", "runs/config", path, "--quiet")
    ended.done()
    assert name in ended.out


@pytest.mark.parametrize(
    ("loader", "content", "rows"),
    [
        ("texts", "text,label\n" + "".join(f"w{k},{'yes' if k % 2 else 'no'}\n" for k in range(30)), 30),
        ("gestures", "id,step,x,label\n" + "".join(f"g{k},0,{k},{'up' if k % 2 else 'down'}\n" for k in range(30)), 30),
        ("sentences", "".join(f"w{k} {'AB'[k % 2]}\n\n" for k in range(30)), 30),
    ],
)
def test_sequences_of_length_1(loader, content, rows, trained, command):
    path = trained[loader].write(content)
    command("train", "config.yaml", "--quiet").done()
    ended = command("predict", "runs/config", path, "--quiet")
    ended.done()
    assert ended.out.count("\n") == 1 + rows


def test_quotes_with_line_ends_and_letters_of_all_kinds(texts, command):
    odd = '"two\nlines, and ""quotes""",yes\n日本語 テスト 🎉 \u2028 end,no\n'
    path = texts.write(texts.good + odd)
    command("train", "config.yaml", "--quiet").done()
    ended = command("predict", "runs/config", path, "--quiet")
    ended.done()
    assert ended.out.startswith("text,label,prediction\n")
    assert '"two\nlines, and ""quotes""",yes,' in ended.out
    assert "日本語 テスト 🎉 \u2028 end,no," in ended.out


@pytest.mark.parametrize("labels", [("0", "1"), ("not at all", "very good")])
def test_classes_with_any_names(labels, texts, command):
    no, yes = labels
    path = texts.write(texts.good.replace(",no", f",{no}").replace(",yes", f",{yes}"))
    command("train", "config.yaml", "--quiet").done()
    rows = command("predict", "runs/config", path, "--quiet").out.splitlines()[1:]
    assert {row.rsplit(",", 1)[1] for row in rows} <= set(labels)


@pytest.mark.parametrize("loader", ["texts", "gestures", "forecasts"])
def test_cells_parted_by_semicolons(loader, trained, command):
    case = trained[loader]
    path = case.write(case.good.replace(",", ";"))
    for ended in (command("check", "config.yaml"), command("train", "config.yaml")):
        ended.refused("its header is one column", 'data.separator: ";"')
    case.write(case.good.replace(",", ";"), ', separator: ";"')
    command("train", "config.yaml", "--quiet").done()
    ended = command("predict", "runs/config", path, "--quiet")
    case.write(case.good)
    # As data they are the same, so the run is the same.
    assert ended.out == command("predict", case.run, path, "--quiet").out != ""
