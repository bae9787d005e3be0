"""What may be loaded: files are read strictly, hashed and matched to signed records before any engine sees them."""
