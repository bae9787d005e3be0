"""Readers: what a community exported becomes a `Conversation`, free of names.

    polis       Polis: raw export, matrix alone, or the server's JSON
    survey      a table with a participant per row and a statement per column

Under them: `source` (the only edge: folders, zips, files, all bounded), `cells`
(strict CSV), `texts` (what may stand in a statement), `sign` (is +1 agree?),
and Polis' two layouts, `polis_csv` and `polis_math`.
"""
