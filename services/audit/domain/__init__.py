"""What the ledger is made of: leaves, a Merkle tree, tiles, checkpoints and trails. Pure, standard library only."""
