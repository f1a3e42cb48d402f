"""What the controls of a panel say, as one frozen value: checked when it is made, and short to write down and share."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def setting(
    default: object,
    *,
    label: str = "",
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    log: bool = False,
    choices: typing.Sequence[object] | typing.Mapping[str, object] | None = None,
    steps: typing.Sequence[float] | typing.Mapping[str, float] | None = None,
    slider: bool = False,
    help: str = "",
) -> typing.Any:
    """Declare one field of a panel's settings, with what is allowed and how its control looks.

    Parameters
    ----------
    default : its value at first
    label : what stands before the control; the field's name where it is empty
    low, high : the range that is allowed, both ends included (of each element, where the field is a tuple)
    step : of the slider
    log : the slider's scale is logarithmic; its handle then moves a twentieth of a power of ten
    choices : the values that are allowed, or {what is shown: value}; a menu offers them
    steps : where the slider stops, or {what is shown: value}; other values are allowed and get a stop of their own
    slider : the choices are on a slider, not in a menu
    help : one sentence, shown where the mouse rests on the control
    """
    metadata = {"label": label, "low": low, "high": high, "step": step, "log": log, "slider": slider, "help": help}
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
    TypeError, ValueError
        If a field has the wrong type, is out of range or none of the choices; the message says what is allowed.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Cut(Settings):
    ...     threshold: float = setting(0.5, low=0.0, high=1.0)
    ...     digits: tuple[int, ...] = setting((5,), low=0, high=9)
    ...     shuffle: bool = setting(True)
    >>> Cut(threshold=0.25, digits=(3, 5)).to_text()
    'threshold=0.25&digits=3,5'
    >>> Cut.from_text("shuffle=false")
    Cut(threshold=0.5, digits=(5,), shuffle=False)
    """

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            value = _as_type(field.name, getattr(self, field.name), hints[field.name])
            object.__setattr__(self, field.name, value)
            for element in value if isinstance(value, tuple) else (value,):
                _check_allowed(field.name, element, field.metadata)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the fields' names in their order."""
        return tuple(field.name for field in dataclasses.fields(cls))

    def replace(self, **changes: object) -> typing.Self:
        """Return a copy with these fields changed, checked like a new one."""
        if unknown := sorted(set(changes) - set(self.names())):
            raise TypeError(
                f"There is no such setting. Received: {', '.join(unknown)}. There are: {', '.join(self.names())}."
            )
        return dataclasses.replace(self, **changes)

    def to_text(self) -> str:
        """Return a short text, safe in a URL, of the fields that are not at their default (empty if all are)."""
        pairs = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        return urlencode({name: _show(value) for name, value in pairs.items() if value != defaults[name]}, safe=",")

    @classmethod
    def from_text(cls, text: str) -> typing.Self:
        """Make settings from what `to_text` returned; fields that are left out take their default.

        Raises
        ------
        ValueError
            If the text names no field of these settings, or a value cannot be read as the field's type.
        """
        hints, values = typing.get_type_hints(cls), {}
        for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
            if name not in hints:
                raise ValueError(
                    f"There is no setting {name!r}. Received: text={text!r}. There are: {', '.join(cls.names())}."
                )
            try:
                values[name] = _read(value, hints[name])
            except ValueError:
                raise ValueError(
                    f"The setting {name} is {_describe(hints[name])}. Received: {name}={value!r} in {text!r}."
                ) from None
        return cls(**values)


def unpack_optional(hint: object) -> tuple[object, bool]:
    """Return the type without its `| None`, and whether None is allowed."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        members = [member for member in typing.get_args(hint) if member is not types.NoneType]
        return members[0], True
    return hint, False


def _elements(hint: object, count: int) -> list[type] | None:
    """Return the types of a tuple's elements, None where the field is no tuple or has another length."""
    if typing.get_origin(hint) is not tuple:
        return None
    inner = typing.get_args(hint)
    elements = [inner[0]] * count if inner[-1] is Ellipsis else list(inner)
    return elements if len(elements) == count else None


def _describe(hint: object) -> str:
    hint, optional = unpack_optional(hint)
    inner = typing.get_args(hint)
    words = f"a list of values, each {_WORDS[inner[0]]}, joined by ','" if inner else _WORDS[hint]
    return f"{words}, or none" if optional else words


def _as_type(name: str, value: object, hint: object) -> object:
    """Return the value as its field's type; a whole number becomes a float, a list a tuple."""
    inner, optional = unpack_optional(hint)
    if value is None and optional:
        return None
    elements = _elements(inner, len(value)) if isinstance(value, (tuple, list)) else None
    if elements is not None:
        return tuple(_as_type(name, element, kind) for element, kind in zip(value, elements, strict=True))
    if inner is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if typing.get_origin(inner) is tuple or type(value) is not inner:
        raise TypeError(f"The setting {name} must be {_describe(hint)}. Received: {name}={value!r}.")
    return value


def _check_allowed(name: str, value: object, metadata: typing.Mapping[str, typing.Any]) -> None:
    choices = list(metadata.get("choices", {}).values())
    if choices and value not in choices:
        listed = ", ".join(map(_show, choices))
        raise ValueError(f"{name} is none of the choices. Received: {name}={value!r}. Choose from {listed}.")
    low, high = metadata.get("low"), metadata.get("high")
    if value is None or (low is None and high is None):
        return
    if not (-math.inf if low is None else low) <= value <= (math.inf if high is None else high):
        allowed = f"from {low:g} to {high:g}" if None not in (low, high) else _one_end(low, high)
        raise ValueError(f"{name} is out of range. Received: {name}={value!r}. Allowed: {allowed}.")


def _one_end(low: float | None, high: float | None) -> str:
    return f"{low:g} or more" if high is None else f"{high:g} or less"


def _show(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_show, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _read(text: str, hint: object) -> object:
    inner, optional = unpack_optional(hint)
    if optional and text == "none":
        return None
    if typing.get_origin(inner) is tuple:
        parts = text.split(",") if text else []
        elements = _elements(inner, len(parts))
        if elements is None:
            raise ValueError(text)
        return tuple(_read(part, kind) for part, kind in zip(parts, elements, strict=True))
    if inner is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return inner(text)
