"""What answers cost: tokens at a price per million."""

from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Per million tokens that go in and come out, in whatever currency the installation counts in."""

    input: Decimal
    output: Decimal

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Of one answer."""
        return (self.input * input_tokens + self.output * output_tokens) / MILLION
