"""`auzolan run`: a service is declared, served, talked to and explained.

declare   what is served and under which rules becomes two signed records
serve     everything is checked, opened and kept running
doctor    the same checks, without serving
chat      talks to it in a terminal, and keeps the receipts
explain   which rules decide about a text or decided about an answer, and why
anchor    the newest checkpoint of the answers goes into the community's log
"""
