"""Stage 4, `run`: a model is served on this machine, under the community's rules, and every answer has its receipt.

Five parts, which meet in the gateway:

    admission   what may be loaded: files against signed records
    engine      what answers: a child in a sandbox, or a backend by address
    checks      what a text holds: patterns, personal data, role markers, a judge's verdict
    rules       what is allowed, and why: facts in, a decision with all that matched out
    answers     what is signed: answers in a private log, receipts for those who asked
    gateway     the HTTP surface, where one request goes through all of them

Rules see facts, never a text; checks see texts and decide nothing.
"""
