"""The fronts: they translate between Pulumi's values and plain ones, and hold no rules."""
