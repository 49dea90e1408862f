"""Clinical findings of one patient, and the published prognostic scores computed from them."""
