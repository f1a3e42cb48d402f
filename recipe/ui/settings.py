"""What the controls of a panel say, as one frozen value: checked when it is made, and short to write down and share."""

from __future__ import annotations

import ast
import dataclasses
import typing
from dataclasses import dataclass
from urllib.parse import unquote

from recipe.core.input_checks import expect_choice

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def setting(
    default: object,
    *,
    label: str = "",
    low: float | None = None,
    high: float | None = None,
    step: int = 1,
    choices: typing.Sequence[object] | typing.Mapping[str, object] | None = None,
    suits: typing.Callable[[typing.Any, typing.Any], bool] | None = None,
    steps: typing.Sequence[float] | typing.Mapping[str, float] | None = None,
    help: str = "",
) -> typing.Any:
    """Declare one field of a panel's settings, with what is allowed and how its control looks.

    Parameters
    ----------
    default : its value at first
    label : what stands before the control; the field's name where it is empty
    low, high : the range that is allowed, both ends included
    step : of the slider
    choices : the values that are allowed, or {what is shown: value}; a menu offers them
    suits : whether a problem and a choice go together; the menu offers those that do with the chosen problem
    steps : where the slider stops, or {what is shown: value}; other values are allowed and get a stop of their own
    help : one sentence, shown where the mouse rests on the control
    """
    metadata = {"label": label, "low": low, "high": high, "step": step, "suits": suits, "help": help}
    metadata |= {"choices": _name_each(choices, str), "steps": _name_each(steps, show_step)}
    return dataclasses.field(default=default, metadata=metadata)


def show_step(value: float) -> str:
    """Write a number beside a slider."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _name_each(values: typing.Any, name: typing.Callable[[typing.Any], str]) -> dict[str, typing.Any]:
    """Return {what is shown: value}."""
    return dict(values) if isinstance(values, typing.Mapping) else {name(value): value for value in values or ()}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a panel: subclass it, as a frozen dataclass, and declare each field with `setting`.

    Raises
    ------
    ValueError
        If a field has the wrong type, is out of range or none of the choices; the message says what is allowed.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Cut(Settings):
    ...     threshold: float = setting(0.5, low=0.0, high=1.0)
    ...     shuffle: bool = setting(True)
    >>> Cut(threshold=0.25).to_text()
    'threshold=0.25'
    >>> Cut().read("CutPanel(houses, shuffle=False)") == Cut(shuffle=False)
    True
    """

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _read(field.name, getattr(self, field.name), hints[field.name])
            _check_allowed(field.name, value, field.metadata)
            object.__setattr__(self, field.name, value)

    def replace(self, **changes: object) -> typing.Self:
        """Return a copy with these fields changed, checked like a new one."""
        return dataclasses.replace(self, **changes)

    def differences(self, usual: Settings) -> dict[str, object]:
        """Return the fields that are not as in other settings."""
        return {name: value for name, value in vars(self).items() if value != getattr(usual, name)}

    def to_text(self) -> str:
        """Return the fields that are not at their default, as arguments in Python (empty if all are)."""
        return ", ".join(f"{name}={value!r}" for name, value in self.differences(type(self)()).items())

    def read(self, text: str) -> typing.Self:
        """Return a copy with what a text says: arguments as `to_text` has them, a call with such, a link to one."""
        _, is_link, line = text.strip().rpartition("?recipe=")
        line = unquote(line) if is_link else line
        try:
            call = ast.parse(line if "(" in line else f"settings({line})", mode="eval").body
            given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            if call.args and "(" not in line:
                raise ValueError(line)
        except (SyntaxError, ValueError, AttributeError):
            raise ValueError(f"These are no settings. Received: {text!r}. Copy the line from a panel.") from None
        for name in given:
            expect_choice("text", name, vars(self), f"There is no setting {name} here.")
        return self.replace(**given)


def _read(name: str, value: object, hint: type) -> object:
    """Return a value as its field's type; it is read from its text, so that a number of NumPy's becomes Python's."""
    try:
        return {"True": True, "False": False}[str(value)] if hint is bool else hint(str(value))
    except (KeyError, ValueError):
        raise ValueError(f"The setting {name} is {_WORDS[hint]}. Received: {name}={value!r}.") from None


def _check_allowed(name: str, value: typing.Any, metadata: typing.Mapping[str, typing.Any]) -> None:
    if choices := metadata.get("choices"):
        expect_choice(name, value, choices.values(), f"{name} is none of the choices.")
    low, high = metadata.get("low"), metadata.get("high")
    if low is not None and not low <= value <= high:
        raise ValueError(f"{name} is out of range. Received: {name}={value!r}. Allowed: from {low:g} to {high:g}.")
