"""Teachers: refine and select candidates, fine-tune ensemble members, score transfer rows."""
