from pathlib import Path

import pytest

from core.env import ConfigError, Env, read_dotenv, set_default


def reader(**values: str) -> Env:
    return Env(environ=values)


def test_absent_and_empty_values_are_the_default() -> None:
    env = reader(HUUVA_PORT="", HUUVA_DEBUG="  ")
    assert env.int("HUUVA_PORT", 8000) == 8000
    assert env.bool("HUUVA_DEBUG", default=True) is True
    assert env.str("HUUVA_HOME", "var") == "var"
    assert env.list("HUUVA_ALLOWED_HOSTS", ["localhost"]) == ["localhost"]
    assert env.url("REDIS_URL", schemes=("redis",), default="redis://cache/0") == "redis://cache/0"


def test_a_default_of_one_process_gives_way_to_whatever_was_set(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HUUVA_IN_FILE=60\n")
    environ = {"HUUVA_EMPTY": "", "HUUVA_SET": "0"}
    for name in ("HUUVA_IN_FILE", "HUUVA_EMPTY", "HUUVA_SET", "HUUVA_ABSENT"):
        set_default(name, "30", dotenv=dotenv, environ=environ)
    assert environ == {"HUUVA_EMPTY": "30", "HUUVA_SET": "0", "HUUVA_ABSENT": "30"}


def test_values_are_read() -> None:
    env = reader(A="12", B="Yes", C=" x , y,", D="postgres://h/x", E="no")
    assert env.int("A", minimum=12, maximum=12) == 12
    assert env.bool("B") is True
    assert env.bool("E") is False
    assert env.list("C") == ["x", "y"]
    assert env.url("D", schemes=("postgres", "postgresql")) == "postgres://h/x"


@pytest.mark.parametrize("value", ["abc", "0", "65536", "1.5", "8000 8001", "١٢ x"])
def test_a_wrong_number_is_one_sentence_with_the_remedy(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        reader(HUUVA_PORT=value).int("HUUVA_PORT", 8000, minimum=1, maximum=65535)
    assert str(caught.value) == f"HUUVA_PORT must be a whole number from 1 to 65535, not {value!r}."


def test_bounds_may_be_open() -> None:
    with pytest.raises(ConfigError, match="A must be a whole number of at least 1, not '0'"):
        reader(A="0").int("A", minimum=1)
    with pytest.raises(ConfigError, match="A must be a whole number of at most 5, not '6'"):
        reader(A="6").int("A", maximum=5)
    with pytest.raises(ConfigError, match="A must be a whole number, not 'x'"):
        reader(A="x").int("A")


def test_a_wrong_switch_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="HUUVA_DEBUG must be true or false, not 'maybe'"):
        reader(HUUVA_DEBUG="maybe").bool("HUUVA_DEBUG")


def test_a_wrong_text_is_refused_with_the_possible_ones() -> None:
    assert reader(A="B").str("A", one_of=("A", "B", "C")) == "B"
    assert reader().str("A", "C", one_of=("A", "B", "C")) == "C"
    with pytest.raises(ConfigError, match="A must be A, B or C, not 'b'"):
        reader(A="b").str("A", one_of=("A", "B", "C"))


def test_a_missing_value_without_default_names_the_variable() -> None:
    with pytest.raises(ConfigError, match="HUUVA_X must be set"):
        reader().str("HUUVA_X")


@pytest.mark.parametrize(
    "value",
    ["mysql://u:hush@h/x", "h/x", "postgres://", "postgres://u:hush@[h/x", "postgres://u:hush@h:port/x"],
)
def test_a_wrong_url_names_the_variable_and_never_shows_the_password(value: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL") as caught:
        reader(DATABASE_URL=value).url("DATABASE_URL", schemes=("postgres", "postgresql"))
    assert "hush" not in str(caught.value)
    assert "postgres://" in str(caught.value)


def test_unknown_huuva_variables_are_named_with_a_guess() -> None:
    env = reader(HUUVA_PROT="1", HUUVA_SOMETHING_ELSE="2", HUUVA_PORT="3", OTHER="4", HUUVA_RUN_TOKEN="5")
    env.int("HUUVA_PORT", 8000)
    assert env.unknown() == [
        "HUUVA_PROT is not a setting of Huuva and has no effect. Did you mean HUUVA_PORT?",
        "HUUVA_SOMETHING_ELSE is not a setting of Huuva and has no effect. "
        "docs/configuration.md lists all variables.",
    ]


def test_each_read_declares_its_variable() -> None:
    env = reader()
    env.bool("HUUVA_DEBUG", default=False, description="Debug mode")
    env.str("HUUVA_SECRET_KEY", "", secret=True, description="Key")
    debug, key = env.variables["HUUVA_DEBUG"], env.variables["HUUVA_SECRET_KEY"]
    assert (debug.kind, debug.default, debug.description, debug.secret) == (
        "switch",
        "false",
        "Debug mode",
        False,
    )
    assert key.secret


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# ours\nexport A=1\nB='two # 2'\n\nC=three # 3\nD=4\n")
    env = Env(file, {"D": "5", "A": ""})
    assert [env.str(name) for name in "ABCD"] == ["1", "two # 2", "three", "5"]
    assert Env(tmp_path / "none", {}).str("A", "x") == "x"


def test_a_broken_line_in_dotenv_is_named_by_number(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\nnonsense\n")
    with pytest.raises(ConfigError, match=r"\.env line 2 must look like NAME=value"):
        read_dotenv(file)


def test_a_database_url_is_taken_apart() -> None:
    assert Env.database("postgresql://us%40er:p%2Fw@db:5433/huuva?sslmode=require") == {
        "NAME": "huuva",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    embedded = Env.database("postgresql://huuva@/huuva?host=/srv/huuva/postgres")
    assert (embedded["HOST"], embedded["NAME"], embedded["PORT"]) == ("/srv/huuva/postgres", "huuva", "")
    with pytest.raises(ConfigError, match="DATABASE_URL must end with the name of a database"):
        Env.database("postgresql://db:5432/")
