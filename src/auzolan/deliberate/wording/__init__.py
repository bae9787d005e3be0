"""From a selection to the wording that people vote on, and from their votes to a constitution.

duplicates    which statements are alike as texts      draft_file    the file that people edit
drafting      the body of `draft/v1`, and its check    instructions  texts that read as orders to a model
voting        whose votes ratified which wording       comparison    what changed between two constitutions

Nothing here decides what two statements mean: alike is said of their letters,
and only a person merges them.
"""
