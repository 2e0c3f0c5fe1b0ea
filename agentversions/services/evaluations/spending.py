"""What a run has paid for, and whether that is all it may."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Spent:
    """Answers that came and were paid, and questions `in_flight` that may still be answered; the limits, None: none."""

    max_calls: int | None
    max_cost: Decimal | None
    calls: int
    cost: Decimal
    in_flight: int = 0

    def pay(self, cost: Decimal | None) -> None:
        """An answer came; `cost` None where its price is unknown."""
        self.in_flight -= 1
        self.calls += 1
        self.cost += cost or 0

    @property
    def expected(self) -> Decimal:
        """The cost when every question in flight costs as much as an answer did on average."""
        return self.cost + self.cost * self.in_flight / max(1, self.calls)

    @property
    def over_budget(self) -> str:
        """Why no further question may be asked, empty while one may."""
        if self.max_calls is not None and self.calls + self.in_flight >= self.max_calls:
            return f"The budget of {self.max_calls:,} calls is spent."
        if self.max_cost is not None and self.expected >= self.max_cost:
            return f"The budget of {self.max_cost.normalize():f} is spent."
        return ""
