"""What is signed about each answer: seals, the runtime's private log, receipts."""
