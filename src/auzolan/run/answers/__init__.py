"""What is signed about each answer: seals, the runtime's private log, receipts.

    digests    what a nonce opens: the digests of question and answer
    seal       an answer's record, signed, quickly
    log        appended at once, put into a Merkle tree in batches (edge)
      frames     how answers stand one after another in a file
      journal    those that wait for the next batch (edge)
      places     where the others stand (edge)
    contents   what was said, kept only where the operator turned that on (edge)
    receipt    what whoever asked gets
    verify     what a receipt proves, offline; needs nothing but the base install

The log holds no text, no person, no session and no length of anything. What it
says aloud (ten minutes, rules that fired, outcome) two answers can share;
nothing else in it tells whether they went to one person
(`tests/run/answers/test_unlinkable.py` tries).
"""
