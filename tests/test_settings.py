"""Settings: one table, read in a fixed order."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from kg.errors import InvalidSetting
from kg.settings import SETTINGS, Settings, load_settings

VARIABLES = {setting.variable for setting in SETTINGS}


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def test_each_place_outdoes_the_one_before(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default, file, environment, flag: the last one counts."""
    assert load_settings().port == 8000
    (bare / "kg.toml").write_text("port = 1\nhost = 'a'\nvalidate = false\nquery_seconds = 2\n", encoding="utf-8")
    assert (load_settings().port, load_settings().validate, load_settings().query_seconds) == (1, False, 2.0)
    monkeypatch.setenv("KG_PORT", "2")
    assert load_settings().port == 2
    assert load_settings({"port": 3}).port == 3
    assert load_settings({"port": None, "host": "b"}).host == "b"
    assert load_settings({"port": None}).port == 2


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty environment variable leaves the value that was there."""
    monkeypatch.setenv("KG_STORE", "")
    monkeypatch.setenv("KG_WORKERS", "")
    assert load_settings() == Settings()
    monkeypatch.setenv("KG_STORE", "elsewhere")
    assert load_settings().store == "elsewhere"


def test_values_have_the_type_of_their_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's text becomes numbers and truth values."""
    for variable, text in (("KG_THRESHOLD", "0.25"), ("KG_WORKERS", " 2 "), ("KG_VALIDATE", " No "), ("KG_TOKEN", "7")):
        monkeypatch.setenv(variable, text)
    settings = load_settings()
    assert (settings.threshold, settings.workers, settings.validate, settings.token) == (0.25, 2, False, "7")


@pytest.mark.parametrize("word", ["1", "true", "YES", "on", "0", "False", "no", "OFF"])
def test_truth_has_eight_words(word: str) -> None:
    """Four words for yes and four for no, in any case."""
    assert Settings().replace(validate=word).validate == (word.lower() in ("1", "true", "yes", "on"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"), ("port", "80.5"), ("port", 80.5), ("port", -1), ("port", 65536), ("port", True), ("workers", 0),
        ("workers", "-1"), ("threshold", "high"), ("threshold", 1.5), ("threshold", "nan"), ("threshold", "-inf"),
        ("document_seconds", 0), ("document_seconds", "inf"), ("query_rows", 0), ("validate", "perhaps"), ("validate", 2),
        ("extractors", ["rules"]), ("store", True), ("store", {"a": 1}), ("document_characters", 0), ("query_seconds", -3),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(name: str, value: object) -> None:
    """The error says which setting, what it takes, and what it was."""
    with pytest.raises(InvalidSetting) as caught:
        Settings().replace(**{name: value})
    assert name in caught.value.message
    assert repr(value) in caught.value.message
    assert f"KG_{name.upper()}" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable that can't be read is no traceback."""
    monkeypatch.setenv("KG_PORT", "x")
    with pytest.raises(InvalidSetting, match="port takes a whole number, not 'x'"):
        load_settings()


@pytest.mark.parametrize("content", ["port =", "\xff", "colour = 'red'", "self = 1", "[port]\na = 1"])
def test_a_wrong_file_is_named(bare: Path, content: str) -> None:
    """A file that doesn't parse, or with a setting that there is not."""
    (bare / "kg.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(InvalidSetting):
        load_settings()


def test_a_file_that_was_named_must_be_there(bare: Path) -> None:
    """A missing kg.toml is no matter, a missing file that was asked for is."""
    assert load_settings() == Settings()
    with pytest.raises(InvalidSetting, match=r"mine\.toml"):
        load_settings(file=bare / "mine.toml")


def test_unknown_names_are_refused() -> None:
    """Neither a change nor an attribute of an unknown name goes through."""
    with pytest.raises(InvalidSetting, match="colour"):
        Settings().replace(colour="red")
    with pytest.raises(AttributeError):
        _ = Settings().colour


def test_settings_travel_to_other_processes() -> None:
    """Settings survive pickling and compare by value."""
    changed = Settings().replace(workers=2)
    assert pickle.loads(pickle.dumps(changed)) == changed != Settings()


def test_the_table_is_in_order() -> None:
    """Each name once, a line of help each, and every default passes its own check."""
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(setting.help and "\n" not in setting.help for setting in SETTINGS)
    assert Settings().replace(**{setting.name: setting.default for setting in SETTINGS}) == Settings()


def test_every_setting_is_documented() -> None:
    """The documentation names each variable of the table."""
    pages = "\n".join(path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent.parent / "docs").rglob("*.md")))
    assert {variable for variable in VARIABLES if variable not in pages} == set()
