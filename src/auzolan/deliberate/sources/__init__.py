"""Readers: what a community exported becomes a `Conversation`, free of names.

    polis       Polis: raw export, matrix alone, or the server's JSON
    survey      a table with a participant per row and a statement per column
    decidim_survey  responses to the matrix surveys of a kit, as an admin exports them from Decidim
    rest_full   votes on proposals, person by person, from a Decidim with decidim-rest-full
    xids        who participants of a Polis inside Decidim are there
    strata      a table of what participants belong to, beside either

Under them: `source` (the only edge: folders, zips, files, all bounded), `cells`
(strict CSV), `texts` (what may stand in a statement), `people` (ids and
strata), `survey_words` (what an answer means), `sign` (is +1 agree?),
Polis' two layouts, `polis_csv` and `polis_math`, and of Decidim's responses `decidim_responses` (files), `decidim_rows`
(headers and cells), `decidim_answers` (meanings), `decidim_texts` and `decidim_json`.
"""
