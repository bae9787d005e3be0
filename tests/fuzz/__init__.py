"""Structure-aware fuzzing: from outside bytes only the package's own errors escape.

Every case is made from a seed, a target's name and a number, so it can be made
again. The environment decides how long it runs and where it starts:

    AUZOLAN_FUZZ_SECONDS   for all targets together; 20 unless told otherwise
    AUZOLAN_FUZZ_SEED      any text; the same one in every run unless told otherwise
    AUZOLAN_FUZZ_FIRST     number of the first case, to make a reported one again
"""
