"""Auzolan: democratic governance for local AI.

A community deliberates (`deliberate`); its votes become a signed constitution;
the constitution is taught to an open-weight model as a small adapter (`teach`),
published with its lineage (`share`), and run locally under the community's
rules (`run`); anyone can check and audit every step (`oversee`); the project
itself follows one enforced file of rules (`govern`) and plans in the open
(`plan`).

Every durable fact is a signed Record in a transparency log, so that one can
walk from any answer back to the article, the votes and the proposals behind
it, and forward again. That spine is `auzolan.core.record`.
"""

__version__ = "0.1.0"
