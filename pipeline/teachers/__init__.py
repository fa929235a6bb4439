"""Teachers: refine candidates, select the best, fine-tune members and label rows."""
