"""Estimator: scikit-learn's contract, made from a settings dataclass."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import ClassVar, TypeVar

from sklearn.base import BaseEstimator

from tidegate.tasks.core.settings.option import Value
from tidegate.tasks.core.settings.settings import Settings, build_layer

E = TypeVar("E", bound="Estimator")


class Estimator(BaseEstimator):
    """A scikit-learn estimator whose parameters are the fields of a settings dataclass.

    The constructor of each subclass is made from its `settings_class`: it takes every setting as
    a keyword argument and only stores it.

    Attributes:
        settings_class: The dataclass of the settings.
    """

    settings_class: ClassVar[type[Settings]] = Settings

    # The settings that are read as they were given, by their names.
    layer_options: Mapping[str, Value] | None
    epochs: int

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Give the subclass a constructor with its settings as keyword arguments."""
        super().__init_subclass__(**kwargs)
        if "settings_class" in cls.__dict__:
            cls.__init__ = _constructor(cls.settings_class)  # type: ignore[method-assign]

    @classmethod
    def task_name(cls) -> str:
        """Return the kebab-case name, "text-classifier" for TextClassifier."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def get_params(self, deep: bool = True) -> dict[str, Value]:
        """Return the settings by name, as scikit-learn's tools expect.

        Args:
            deep: Whether to list each layer option as `layer_options__NAME` too.
        """
        params: dict[str, Value] = super().get_params(deep=deep)
        if deep:
            options = self.layer_options or {}
            params |= {f"layer_options__{name}": value for name, value in options.items()}
        return params

    def set_params(self: E, **params: Value) -> E:
        """Set settings by name; a layer option is named `layer_options__NAME`.

        Raises:
            InputError: If a name is unknown.
        """
        prefix = "layer_options__"
        options = {name: value for name, value in params.items() if name.startswith(prefix)}
        plain = {name: value for name, value in params.items() if name not in options}
        for name, value in plain.items():
            self.settings_class.check_name(name)
            setattr(self, name, value)
        if options:
            named = {name.removeprefix(prefix): value for name, value in options.items()}
            self.layer_options = {**(self.layer_options or {}), **named}
        return self

    def _settings(self) -> Settings:
        settings = self.settings_class.from_dict(self.get_params(deep=False))
        build_layer(settings, 1, device="meta")  # its options fail now, not after the encoding
        return settings


def _constructor(settings_class: type[Settings]) -> Callable[..., None]:
    """Make an `__init__` that stores the settings, with a signature that lists them."""
    options = settings_class.options()

    def __init__(self: Estimator, **settings: Value) -> None:  # noqa: N807
        for name in settings:
            settings_class.check_name(name)
        for name, option in options.items():
            setattr(self, name, settings.get(name, option.default))

    kind = inspect.Parameter.KEYWORD_ONLY
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    others = [
        inspect.Parameter(field.name, kind, default=field.default, annotation=field.type)
        for field in fields(settings_class)
    ]
    __init__.__signature__ = inspect.Signature([first, *others])  # type: ignore[attr-defined]
    __init__.__doc__ = "Store the settings; `fit` checks them."
    return __init__
