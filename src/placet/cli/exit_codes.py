"""Exit statuses. In a mixed run 70 comes before 2 before 1 before 3; `Report.exit_status` decides that of a `verify`."""

from __future__ import annotations

PROVED = 0
VIOLATED = 1
UNUSABLE = 2  # usage, an unreadable or broken model, no model found
INCONCLUSIVE = 3
FAULT = 70  # a fault of the tool, or evidence that did not replay
INTERRUPTED = 130
