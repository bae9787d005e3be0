"""A live Decidim, from 0.27 to 0.32, through its public GraphQL API: read whole, and answered.

- `asking`: one question after the other: pace, retries, limits; what is no answer is never taken for one
- `queries`, `probing`: three generations of questions, and which of their fields this Decidim knows
- `paging`: lists that change while they are read
- `nodes`: from what the API tells to entities, without names; `fetching`: a question each
- `steps`, `kept`: what was read is kept, so that an interrupted reading goes on
- `live`: the reader
- `answering`: official answers back onto proposals, one by one; `signing_in`: as whom
"""
