"""Attacks on a published ledger: one folder per defect, made by `build`."""
