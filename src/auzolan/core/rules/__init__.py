"""Counting rules: votes in, an outcome and a certificate out. Needed by `deliberate` and `govern`.

    approvals          who approves whom, laid out for counting
    equal_shares       the Method of Equal Shares          phragmen   fills seats left empty
    proportional       EJR+: is a group left without its due?
    core_certificate   proof that no group could do better on its own

What checks a certificate shares no code with what finds it
(`deliberate.ratify.check`).
"""
