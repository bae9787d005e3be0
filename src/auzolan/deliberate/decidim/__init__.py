"""Decidim: what people proposed and discussed there comes in, and what became of it goes back.

Any unmodified Decidim from 0.27 to 0.32; its open-data files also from 0.22.
One model (`entities`) is fed by three readers; none of the rest knows which.

- in: `open_data` (zip, folder or CSV), `admin_json` (a component's export), `api` (a live instance)
  (under the first two: `columns`, `row`, `from_row`, `unflatten`; under all: `dates`, `cards`)
- between: `texts` (masking), `fingerprint` (Decidim's own), `gather` (in order, each once, the tree whole), `lines`
- out: `dispositions` (what became of each proposal), `write_back` (the files that Decidim's own importers read)

Counts of supports are evidence grade C: who supports what is not known. `auzolan.deliberate.shortlist`
goes on from there.
"""
