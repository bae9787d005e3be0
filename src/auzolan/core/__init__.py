"""What two stages need and none owns: the record spine and the nouns."""
