"""The dynamic front's entrance: the classes that Pulumi's Python dynamic providers are named by.

Their import path is a file format: every stack's state has it, by reference. Never move or rename this module or
the classes at its end (decision 0002). They have no state when they are pickled, for the same reason.

A program imports this module for its resources and runs none of it, so everything else is imported when the provider's
process first needs it.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

if TYPE_CHECKING:
    from nestedlab.adapters.dynamic_front import DynamicFront


class _Provider(ResourceProvider):
    """Hands each call to the front of its kind of resource."""

    serialize_as_secret_always = False
    kind: ClassVar[str]
    _front: DynamicFront

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration. Connects to nothing: a preview works with the host down."""
        gc.freeze()  # Pulumi's own modules: see dynamic_front
        from nestedlab.adapters import dynamic_front  # noqa: PLC0415 - see the module's docstring

        self._front = dynamic_front.configured(self.kind, req)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs and fill in the defaults."""
        return self._front.check(olds, news)

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare the state with the inputs."""
        return self._front.diff(id_, olds, news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create it on the host."""
        return self._front.create(props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read it, for a refresh."""
        return self._front.read(id_, props)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Update it to the inputs."""
        return self._front.update(id_, olds, news)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Remove it from the host."""
        self._front.delete(id_, props)


class StackIdentityProvider(ResourceProvider):
    """The dynamic provider of StackIdentity: an identity that no other stack has, made once and kept in the state.

    The marks on machines and switches carry it (decision 0015). Creating it needs no host. When a destroy removes it,
    it warns of objects on the hosts that still carry it.
    """

    serialize_as_secret_always = False
    _settings: Mapping[str, Any] = MappingProxyType({})

    def configure(self, req: ConfigureRequest) -> None:
        """Take the stack's configuration."""
        from nestedlab.adapters import dynamic_front  # noqa: PLC0415 - see the module's docstring

        self._settings = dynamic_front.settings_of(req)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make an identity."""
        identity = uuid4().hex
        return CreateResult(identity, {**props, "identity": identity})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the stack's name; a renamed stack, or one whose state came from another, keeps the identity."""
        before, now = _olds.get("stack"), _news.get("stack")
        if before != now:
            from nestedlab.adapters import stack_identity  # noqa: PLC0415 - see the module's docstring

            stack_identity.warn_of_another_stack(str(before), str(now))
        return DiffResult(changes=before != now)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Take the stack's new name."""
        return UpdateResult({**_news, "identity": _olds["identity"]})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Warn of objects that carry the identity and are in no state, since nothing else tells whose they are."""
        from nestedlab.adapters import left_behind  # noqa: PLC0415

        left_behind.warn(str(_props.get("stack")), str(_props.get("identity")), self._settings)


class NestedHyperVHostProvider(_Provider):
    """The dynamic provider of NestedHyperVHost."""

    kind = "NestedHyperVHost"


class NatSwitchProvider(_Provider):
    """The dynamic provider of NatSwitch."""

    kind = "NatSwitch"
