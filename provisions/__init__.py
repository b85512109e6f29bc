"""Records of provisions: written sealed, filed for those they are about, opened by two, erased in time."""
