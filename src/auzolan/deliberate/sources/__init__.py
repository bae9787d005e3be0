"""Readers: what a community exported becomes a `Conversation`, free of names.

    polis       Polis: raw export, matrix alone, or the server's JSON
    survey      a table with a participant per row and a statement per column
    strata      a table of what participants belong to, beside either

Under them: `source` (the only edge: folders, zips, files, all bounded), `cells`
(strict CSV), `texts` (what may stand in a statement), `people` (ids and
strata), `survey_words` (what an answer means), `sign` (is +1 agree?),
and Polis' two layouts, `polis_csv` and `polis_math`.
"""
