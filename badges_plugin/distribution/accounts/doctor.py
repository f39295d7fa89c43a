"""What ``badges_doctor`` says about a provider: whether it answers, and takes our keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from badges_plugin.distribution.exceptions import DeliveryFailure, RejectedKey, TransientFailure
from badges_plugin.doctor import Finding


@dataclass(frozen=True, slots=True)
class Probe:
    """How to examine the accounts of a provider, and what to advise. All texts are for operators, in English."""

    provider: str
    address: str
    address_setting: str
    key_advice: str
    refusal_advice: str

    def examine(self, account: str, ask: Callable[[], object]) -> Finding:
        """Ask the provider with the account's key, by ``ask``, which raises a DeliveryFailure."""
        try:
            ask()
        except RejectedKey as failure:
            problem, advice = f"does not take the key of {account}: {failure.reason}", self.key_advice
        except TransientFailure as failure:
            problem = f"cannot be reached at {self.address}: {failure.reason}"
            advice = f"Check the network, the firewall and {self.address_setting}. Deliveries wait and are not lost."
        except DeliveryFailure as failure:
            problem, advice = f"refuses to answer {account}: {failure.reason}", self.refusal_advice
        else:
            return Finding.ok(f"{self.provider} takes the key of {account}.")
        return Finding.error(f"{self.provider} {problem}", advice)
