"""From thousands of proposals with counts to a shortlist that everybody can be asked about inside a stock Decidim.

candidates      proposals that can be chosen, in groups     scoring    what their counts can say
quotas          places for each group                       choosing   the proposals that get them
statement_file  the file that people edit                   listing    its rows as statements of a shortlist
blocks          surveys of a bearable length                kit        the files for the admin of the Decidim
plan, guide     what the kit is made from, and its pages    tidying    texts and cells that do no harm
phrases         what the kit says, by language
likes           proposals whose titles are alike, for people to merge

Counts choose what is asked and nothing more: who supports what is not known, so that nothing is ratified here.
"""
