"""`deliberate`: proposals and votes become a signed constitution.

    decidim/      Decidim in and out: what people proposed   shortlist/    what of it everybody is asked, as a survey
    sources/      readers: Polis, surveys, declared strata     conversation  what a reader returns
    votes         the packed table, two bytes a vote           pseudonyms    who someone was, unreadable
    ballots       all ballots as bytes, and their commitment   snapshot      the body of `snapshot/v1`
    plane         where participants stand                     grouping      who votes alike
    chance        are groups clearer than in shuffled votes?
    tally         counts by group, the body of `tally/v1`      bounds        how sure a share is
    opinion       Polis' statistics, exactly                   stability     would it hold with other people?
    bridging      a diagnostic                                 overview      what people want to know of it
    page          the same as a page: `page_style`, `page_map`
    counts_only   what counts without ballots can say (evidence grade C)
    ratify/       from a tally to articles, with the proof     wording/      from articles to what people vote on
    charter/      the constitution as pages, in four languages

Pure but for `sources.source`, `decidim.gather` and `decidim.api.signing_in`:
clocks, chance and keys are arguments. Floats serve the eye; what is signed is
counted in integers, the same on every machine.
"""
