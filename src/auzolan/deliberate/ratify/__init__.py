"""From a tally to articles: which statements may become some, which do, and the proof that it is fair.

parameters   the community's rules               eligibility  which statements may become articles
resampling   would it hold with other people?    conflicts    of two that exclude each other, which stays
selection    articles, clauses, certificate      outcome      what of it is signed
alike        ballots that are exactly the same
check        the same claims, checked by code that shares nothing with the above: `standing`, `checking`
"""
